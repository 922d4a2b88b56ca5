#!/bin/sh
# Unit and doc tests, on the host.
set -eu
cd "$(dirname "$0")/.."
exec cargo xtask --yes test --host
