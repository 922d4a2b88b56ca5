#!/bin/sh
# Formatting, lints, documentation.
set -eu
cd "$(dirname "$0")/.."
exec cargo xtask --yes check
