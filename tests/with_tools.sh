#!/usr/bin/env bash
# with_tools.sh COMMAND …: runs it with what `deploy/setup.sh --tests` installed on the path.
root=$(cd "$(dirname "$0")/.." && pwd)
export PATH="$root/.deps/test_python/bin:$PATH:$root/.deps/prometheus/usr/bin"
exec "$@"
