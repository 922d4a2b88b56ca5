#!/bin/sh
# The crates' unit and integration tests under AddressSanitizer (a nightly toolchain has its run time) and under valgrind's
# memcheck: what stands in for Miri, which cannot be had here. Some minutes each. `ci/sanitize.sh asan|valgrind` does one.
set -eu
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
# Not the simulator: its CPUs are stacks that it switches itself, which neither tool can follow.
crates="-p acpi-info -p boot-info -p standstill-cpumask -p standstill-paging -p standstill-percpu -p smp-stop"
# Random cases are for the plain run; here each path once or twice will do.
export PROPTEST_CASES="${PROPTEST_CASES:-32}"

asan() {
    echo "== AddressSanitizer"
    # shellcheck disable=SC2086
    RUSTFLAGS=-Zsanitizer=address cargo +nightly test --target "$host" $crates --lib --tests
}

memcheck() {
    echo "== valgrind"
    runner=CARGO_TARGET_$(echo "$host" | tr 'a-z-' 'A-Z_')_RUNNER
    # shellcheck disable=SC2086
    env "$runner=valgrind --quiet --error-exitcode=9" cargo test --target "$host" $crates --lib --tests
}

case "${1:-all}" in
    asan) asan ;;
    valgrind) memcheck ;;
    all) asan && memcheck ;;
    *) echo "usage: $0 [asan|valgrind]" >&2; exit 2 ;;
esac
