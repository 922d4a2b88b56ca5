#!/bin/sh
# The matrix on the QEMU of bookworm-backports, which shows what Debian 12's own does not (`cargo xtask doctor` names it):
# ci/matrix-newer-qemu.sh, with more options of `cargo xtask matrix` after it. The packages are unpacked into a folder below
# target/ (or NEWER_QEMU), and only this run finds them: what is installed stays as it is.
set -eu
cd "$(dirname "$0")/.."
dir=${NEWER_QEMU:-$PWD/target/newer-qemu}
bin=$dir/root/usr/bin
emulators="qemu-system-x86_64 qemu-system-i386 qemu-system-aarch64"

# apt-get with sources, lists and a cache of its own.
apt() {
    apt-get -qq -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" -o APT::Sandbox::User="" "$@"
}

unpack() {
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/debs" "$dir/root"
    signed=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$signed] http://deb.debian.org/debian bookworm-backports main" >"$dir/sources.list"
    apt update
    (cd "$dir/debs" && apt download qemu-system-x86 qemu-system-arm qemu-system-common qemu-system-data seabios)
    for deb in "$dir"/debs/*.deb; do
        dpkg-deb --extract "$deb" "$dir/root"
    done
}

lacks_libraries() {
    for emulator in $emulators; do
        ldd "$bin/$emulator" | grep 'not found' || true
    done | grep -q .
}

[ -x "$bin/qemu-system-aarch64" ] || unpack
# The libraries that it shares with the one of the system come with that.
if lacks_libraries; then
    apt-get install --yes --no-install-recommends qemu-system-x86 qemu-system-arm
fi
for emulator in $emulators; do
    "$bin/$emulator" --version | head -n 1
done
# It looks for its modules and firmware beside itself.
PATH=$bin:$PATH exec cargo xtask --yes matrix "$@"
