#!/bin/sh
# The book and the code's documentation: no warning, and no link that leads nowhere.
set -eu
cd "$(dirname "$0")/.."
exec cargo xtask --yes docs
