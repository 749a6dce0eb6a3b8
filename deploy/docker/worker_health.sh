#!/usr/bin/env bash
# usage: worker_health.sh PORT
#
# Exit 0 when the worker's process answers at its metrics port. A worker without a learner is well: it waits for one.
exec 3<>"/dev/tcp/127.0.0.1/${1:?}" || exit 1
printf 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
grep -q '^OK' <&3
