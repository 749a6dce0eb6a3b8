#!/usr/bin/env bash
# Trains agents for a task, compares them with hand-written rules, and writes what came out: table, picture, page.
#
#   deploy/demo.sh NAME ... [--results=DIR] [--workers=N] [learner flags ...]
#   deploy/demo.sh --all
#
#   NAME           retail: five warehouses order and ship; payments: three routers choose channels;
#                  grid: two walkers swap corners; traffic: nine traffic lights
#   --results=DIR  where DIR/NAME/ is written: table.md, curve.svg, index.html, and the run itself (default: results
#                  in the checkout)
#   --workers=N    local worker processes (default 2)
#
# Everything else goes to the learner: --set total_env_steps=100000, --seed=2, … Some minutes each on two cores, after
# the first build. A demonstration that was interrupted goes on from its last checkpoint; one that is there is written
# anew.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
from=$PWD
known="retail payments grid traffic"

refuse() { echo "demo.sh: $*" >&2; exit 2; }
experiment_of() {
  case "$1" in
    retail | payments) echo "$1" ;;
    grid) echo grid_swap ;;
    traffic) echo traffic_grid ;;
    *) return 1 ;;
  esac
}

names=() flags=() results=$root/results workers=2
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) sed -n '2,17s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --all) read -ra names <<<"$known" ;;
    --results=*) results=${1#*=}; case "$results" in /*) ;; *) results=$from/$results ;; esac ;;
    --workers=*)
      workers=${1#*=}
      [[ "$workers" =~ ^0*[1-9][0-9]{0,2}$ ]] || refuse "$1: expected a whole number of at least 1" ;;
    --set)
      [ $# -gt 1 ] || refuse "--set: expected a value after it"
      flags+=(--set "$2"); shift ;;
    --*) flags+=("$1") ;;
    *)
      experiment_of "$1" >/dev/null || refuse "no demonstration '$1'; there are: $known"
      names+=("$1") ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || refuse "which one? NAME or --all; there are: $known"

say() { printf '\n[demo] %s\n' "$*"; }
cd "$root"
deploy/setup.sh
deploy/build.sh learner actor_worker

for name in "${names[@]}"; do
  folder=$results/$name
  experiment=deploy/experiments/$(experiment_of "$name").textproto
  say "$name: $experiment → $folder"
  mkdir -p "$folder"
  build/release/bin/learner train --experiment="$experiment" --run_dir="$folder/run" --local_workers="$workers" \
    ${flags[@]+"${flags[@]}"}
  [ -f "$folder/run/evaluation.json" ] || {
    say "stopped before the end; the same command goes on from the last checkpoint"
    exit 130
  }
  if [ "$name" = payments ]; then
    # What half of the training episodes had, in every episode and in none.
    for burst in 0 1; do
      say "payments: $([ $burst = 1 ] && echo "a burst in every episode" || echo "no bursts")"
      build/release/bin/actor_worker evaluate --actors="$folder/run/actors/final.safetensors" \
        --set "environment.settings.burst_probability=$burst" --json="$folder/burst_$burst.json"
    done
  fi
  python3 deploy/demo/report.py "$name" "$folder" --command="deploy/demo.sh $name${flags[*]+ ${flags[*]}}"
done
say "done: $(for name in "${names[@]}"; do printf '%s ' "$results/$name/index.html"; done)"
