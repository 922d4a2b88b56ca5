#!/bin/sh
# One part of the matrix: ci/matrix.sh K/N, with more options of `cargo xtask matrix` after it.
set -eu
cd "$(dirname "$0")/.."
shard=${1:?usage: ci/matrix.sh K/N [OPTION]...}
shift
exec cargo xtask --yes matrix --shard "$shard" "$@"
