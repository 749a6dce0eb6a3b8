#!/usr/bin/env bash
# Sets up, builds, and trains on this machine with local workers; ends with a table against the environment's baselines.
#
#   deploy/train.sh [EXPERIMENT.textproto ...] [--seeds=N] [--workers=N] [--run_dir=DIR] [learner flags ...]
#
#   EXPERIMENT     experiment files; default: the two traffic_grid experiments (four actions; freely chosen phases)
#   --seeds=N      train every experiment with seeds 1 … N, one run folder each (default 1: the experiment's own seed)
#   --workers=N    local worker processes (default 2)
#   --run_dir=DIR  the run's folder (default runs/NAME OF THE FILE in the checkout); with --seeds DIR-seed1, …
#
# Everything else goes to the learner: --set ppo.clip=0.1, --device=cpu, … (build/release/bin/learner train --help).
# Paths are looked up where you stand. Ctrl-C stops with a checkpoint; the same command goes on from there.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
from=$PWD
command_line="$0 $*"

refuse() { echo "train.sh: $*" >&2; exit 2; }
# A path as the user wrote it, from where the user stands.
path_of() { case "$1" in /*) printf '%s' "$1" ;; *) printf '%s' "$from/$1" ;; esac; }
whole_number() {
  [[ "$2" =~ ^0*[1-9][0-9]{0,5}$ ]] || refuse "$1=$2: expected a whole number of at least 1"
}

experiments=() flags=() seeds=1 workers=2 run_dir=
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --seeds | --workers | --run_dir | --set)
      [ $# -gt 1 ] || refuse "$1: expected a value after it"
      word="$1=$2"; shift ;;
    *) word=$1 ;;
  esac
  case "$word" in
    --seeds=*) seeds=${word#*=}; whole_number --seeds "$seeds" ;;
    --workers=*) workers=${word#*=}; whole_number --workers "$workers" ;;
    --run_dir=*) run_dir=$(path_of "${word#*=}") ;;
    --set=*) flags+=(--set "${word#*=}") ;;
    --experiment=*) experiments+=("${word#*=}") ;;
    --local_workers=*) refuse "$word: here it is --workers=${word#*=}" ;;
    --token_file=* | --tls_*=*) flags+=("${word%%=*}=$(path_of "${word#*=}")") ;;
    -*) flags+=("$word") ;;
    *)
      # The value of a learner flag that was written apart from it: --device cpu.
      if [ ${#flags[@]} -gt 0 ] && [ "${last_word:-}" = "${flags[-1]}" ] && [[ "$last_word" != *=* ]] &&
         [ ! -f "$(path_of "$word")" ] && [[ "$word" != *.textproto ]]; then
        flags[-1]="${flags[-1]}=$word"
      else
        experiments+=("$word")
      fi ;;
  esac
  last_word=$word
  shift
done
[ ${#experiments[@]} -gt 0 ] || experiments=(
  "$root"/deploy/experiments/traffic_grid.textproto "$root"/deploy/experiments/traffic_grid_choose_phase.textproto)
for i in "${!experiments[@]}"; do
  experiment=$(path_of "${experiments[i]}")
  if [ ! -f "$experiment" ]; then
    shipped="$root/deploy/experiments/$(basename "${experiments[i]}" .textproto).textproto"
    if [ -f "$shipped" ]; then refuse "no experiment file '$experiment'; did you mean $shipped?"; fi
    there=$(cd "$root/deploy/experiments" && echo *.textproto)
    refuse "no experiment file '$experiment'; in $root/deploy/experiments there are: $there"
  fi
  experiments[i]=$experiment
done
[ -z "$run_dir" ] || [ ${#experiments[@]} -eq 1 ] || refuse "--run_dir: one folder for ${#experiments[@]} experiments"

# Where the terminal is gone, nothing can be said any more, and that is no reason to end.
say() { printf '\n[train] %s\n' "$*" 2>/dev/null || true; }

# A signal is remembered, and passed on to the learner: nothing further is started. The learner may get it from the
# terminal as well; as SIGHUP it is never a second wish to it.
stop_status=0 learner=
stop() {
  stop_status=$1
  [ -z "$learner" ] || kill -HUP "$learner" 2>/dev/null || true
}
trap 'stop 130' INT
trap 'stop 143' TERM
trap 'stop 129' HUP

leave_if_stopped() {
  [ "$stop_status" != 0 ] || return 0
  say "stopped; the same command goes on from the last checkpoint: $command_line"
  exit "$stop_status"
}

# A program that ends by itself when Ctrl-C is typed.
run() {
  local status=0
  "$@" || status=$?
  leave_if_stopped
  [ "$status" = 0 ] || exit "$status"
}

# The learner, beside which this script can hear signals; it ends in its own time, with a checkpoint.
run_learner() {
  local status=0
  build/release/bin/learner "$@" &
  learner=$!
  while kill -0 "$learner" 2>/dev/null; do status=0; wait "$learner" || status=$?; done
  learner=
  leave_if_stopped
  return "$status"
}

# Trains into the folder; what else the learner is told follows.
train() {
  local experiment=$1 folder=$2 status=0 began=no
  shift 2
  [ ! -e "$folder/run_id" ] || began=yes
  run_learner train --experiment="$experiment" --run_dir="$folder" --local_workers="$workers" "$@" \
    ${flags[@]+"${flags[@]}"} || status=$?
  if [ "$status" != 0 ]; then
    # The learner said why. What a person can do about a folder that another run began is said here.
    [ "$began" = no ] ||
      say "$folder holds a run that was begun before. To start anew, give another folder (--run_dir=DIR) or move that" \
        "one away: mv $folder $folder.old" >&2
    exit "$status"
  fi
  # Somebody may have stopped the learner alone.
  [ -f "$folder/actors/final.safetensors" ] || {
    say "stopped before the end; the same command goes on from the last checkpoint: $command_line"
    exit 130
  }
}

cd "$root"
setup_flags=()
grep -lqs 'name: *"sumo"' "${experiments[@]}" && setup_flags+=(--sumo)
run deploy/setup.sh ${setup_flags[@]+"${setup_flags[@]}"}
run deploy/build.sh learner actor_worker

started=$SECONDS
for experiment in "${experiments[@]}"; do
  folder=${run_dir:-runs/$(basename "$experiment" .textproto)}
  if [ "$seeds" -le 1 ]; then
    say "$experiment → $folder"
    train "$experiment" "$folder"
    continue
  fi
  actors=
  for seed in $(seq "$seeds"); do
    say "$experiment, seed $seed of $seeds → $folder-seed$seed"
    train "$experiment" "$folder-seed$seed" --seed="$seed" --no_final_evaluation
    actors+=${actors:+,}$folder-seed$seed/actors/final.safetensors
  done
  say "$experiment: $seeds seeds against the baselines"
  run build/release/bin/actor_worker evaluate --actors="$actors" --allow_machine_settings
done
say "all done in $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s (training and evaluation, without" \
  "set-up and build)"
