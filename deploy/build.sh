#!/usr/bin/env bash
# Builds everything (or the targets named) into build/release. Called by train.sh and test.sh after setup.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '[build] %s\n' "$*"; }
say "configuring build/release"
log=$(mktemp)
cmake --preset release >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
rm -f "$log"
say "compiling (the first time takes some minutes; LibTorch's headers are large)"
cmake --build --preset release ${1:+--target "$@"}
