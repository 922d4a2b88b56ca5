#!/bin/sh
# The matrix as a CI service wants it: {"shards": ["1/6", ...], "cells": [...]} in one line.
set -eu
cd "$(dirname "$0")/.."
exec cargo xtask matrix --list --json
