#!/usr/bin/env bash
# usage: worker_health.sh PORT
#
# Exit 0 when the worker's process answers at its metrics port with its own step counter. A worker without a learner is
# well: it waits for one.
exec 3<>"/dev/tcp/127.0.0.1/${1:?}" || exit 1
printf 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
grep -q '^troupe_worker_env_steps_total' <&3
