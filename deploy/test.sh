#!/usr/bin/env bash
# Sets up, builds, and runs every test; closes with ctest's summary.
#
#   deploy/test.sh [ctest arguments ...]     for example: deploy/test.sh -L environments
#
# Without arguments everything runs but the long learning and chaos runs (labels `long`, `chaos_long`), of which short forms
# are always part.
set -euo pipefail
cd "$(dirname "$0")/.."
deploy/setup.sh
deploy/build.sh
printf "[test] running ctest\n"

if [ $# -eq 0 ]; then set -- -LE 'long|gpu'; fi
ctest --preset release -j "$(nproc)" "$@"
