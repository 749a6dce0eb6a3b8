#!/usr/bin/env bash
# Sets up, builds, and runs every test; closes with ctest's summary.
#
#   deploy/test.sh [ctest arguments ...]     for example: deploy/test.sh -L environments
#
# Tests that need what is not there (a GPU, SUMO, Docker) skip themselves and say so.
set -euo pipefail
cd "$(dirname "$0")/.."
deploy/setup.sh --tests
deploy/build.sh
printf "[test] running ctest\n"

# One more than there are cores: some tests mostly wait.
ctest --preset release -j "$(($(nproc) + 1))" "$@"
