#!/bin/sh
# What `cargo xtask` says to the cargo of a system that is older than the project: one line with what is needed. Installs each
# system and its package `cargo` into a folder of its own, and takes the working tree there. As root; needs debootstrap.
# `ci/old-cargo.sh bookworm` tries one; ROOTS=DIR keeps the systems there, for the next time.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${ROOTS:-}" ]; then
    ROOTS=$(mktemp -d)
    trap 'rm -rf "$ROOTS"' EXIT
fi
here=$PWD

install_system() {
    case $1 in
        noble)
            apt-get install -qq --yes ubuntu-keyring >/dev/null
            # All of Ubuntu's releases are installed alike; an old debootstrap does not know each name.
            debootstrap --variant=minbase --components=main,universe \
                --keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg \
                noble "$ROOTS/noble" http://archive.ubuntu.com/ubuntu gutsy ;;
        *) debootstrap --variant=minbase "$1" "$ROOTS/$1" http://deb.debian.org/debian ;;
    esac
    cp /etc/resolv.conf "$ROOTS/$1/etc/"
    chroot "$ROOTS/$1" sh -ec "apt-get update
        DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends cargo"
}

# rustc finds itself through /proc. The mount is gone with the shell.
within() {
    unshare --mount --pid --fork sh -c 'mount -t proc proc "$1/proc" && exec chroot "$1" sh -c "$2"' sh "$@"
}

# The exit code is xtask's for a missing tool; not a word of cargo's own is left over.
try() {
    [ -x "$ROOTS/$1/usr/bin/cargo" ] || install_system "$1" >"$ROOTS/$1.log" 2>&1 || {
        tail -n 5 "$ROOTS/$1.log"
        echo "FAIL  $1 could not be installed"
        return 1
    }
    rm -rf "$ROOTS/$1/src"
    mkdir "$ROOTS/$1/src"
    git ls-files -z --cached --others --exclude-standard | (cd "$here" && tar --null -T - -cf -) | tar -C "$ROOTS/$1/src" -xf -
    code=0
    said=$(within "$ROOTS/$1" 'cd /src && cargo xtask qemu --arch x86_64' 2>&1) || code=$?
    lines=$(printf '%s\n' "$said" | wc -l)
    case "$code $lines $said" in
        "3 1 error: this needs Rust "*) echo "ok    $1: $said" ;;
        *) printf 'FAIL  %s: exit code %s, %s lines:\n%s\n' "$1" "$code" "$lines" "$said"; return 1 ;;
    esac
}

failed=0
for system in ${*:-bookworm trixie noble}; do
    try "$system" || failed=1
done
exit $failed
