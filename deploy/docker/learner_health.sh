#!/usr/bin/env bash
# usage: learner_health.sh FLAGS of `learner health`
#
# Exit 0 when the learner serves, or has trained to the end and plays its last episodes against the baselines.
/opt/troupe/bin/learner health "$@" && exit
grep -qsz '^evaluate$' /proc/[0-9]*/cmdline
