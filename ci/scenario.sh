#!/bin/sh
# Every staged failure: ci/scenario.sh, with more options of `cargo xtask scenario` after it.
set -eu
cd "$(dirname "$0")/.."
exec cargo xtask --yes scenario "$@"
