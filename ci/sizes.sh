#!/bin/sh
# Images of all kernels, and no code for a second CPU in those for one.
set -eu
cd "$(dirname "$0")/.."
for arch in x86_64 i386 aarch64; do
    cargo xtask --yes build --arch "$arch" --sizes
done
