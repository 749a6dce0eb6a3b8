#!/usr/bin/env bash
# Sets up, builds, and trains on this machine with local workers; ends with a table against the environment's baselines.
#
#   deploy/train.sh [EXPERIMENT.textproto ...] [--seeds=N] [--workers=N] [--fresh] [learner flags ...]
#
#   EXPERIMENT   default: the two traffic_grid experiments (four actions; freely chosen phases)
#   --seeds=N    train every experiment with seeds 1 … N, one run folder each (default 1: the experiment's own seed)
#   --workers=N  local worker processes (default 2)
#
# Everything else goes to the learner: --set ppo.clip=0.1, --device=cpu, … (build/release/bin/learner --help).
# A run that was interrupted goes on from its last checkpoint when the same command is given again.
set -euo pipefail
cd "$(dirname "$0")/.."

experiments=() flags=() seeds=0 workers=2
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --seeds=*) seeds=${1#*=} ;;
    --workers=*) workers=${1#*=} ;;
    --set) flags+=("$1" "${2:?--set needs FIELD=VALUE}"); shift ;;
    -*) flags+=("$1") ;;
    *) experiments+=("$1") ;;
  esac
  shift
done
[ ${#experiments[@]} -gt 0 ] ||
  experiments=(deploy/experiments/traffic_grid.textproto deploy/experiments/traffic_grid_choose_phase.textproto)
for experiment in "${experiments[@]}"; do
  [ -f "$experiment" ] || { echo "train.sh: no experiment file '$experiment'; there are: $(ls deploy/experiments | tr '\n' ' ')" >&2; exit 2; }
done

setup_flags=()
grep -lqs 'name: *"sumo"' "${experiments[@]}" && setup_flags+=(--sumo)
deploy/setup.sh ${setup_flags[@]+"${setup_flags[@]}"}
deploy/build.sh learner actor_worker

say() { printf '\n[train] %s\n' "$*"; }
started=$SECONDS
for experiment in "${experiments[@]}"; do
  name=$(basename "$experiment" .textproto)
  if [ "$seeds" -le 1 ]; then
    say "$experiment → runs/$name"
    build/release/bin/learner train --experiment="$experiment" --run_dir="runs/$name" --local_workers="$workers" \
      ${flags[@]+"${flags[@]}"}
    continue
  fi
  actors=()
  for seed in $(seq "$seeds"); do
    say "$experiment, seed $seed of $seeds → runs/$name-seed$seed"
    build/release/bin/learner train --experiment="$experiment" --run_dir="runs/$name-seed$seed" --seed="$seed" \
      --local_workers="$workers" --no_final_evaluation ${flags[@]+"${flags[@]}"}
    actors+=("runs/$name-seed$seed/actors/final.safetensors")
  done
  say "$experiment: $seeds seeds against the baselines"
  build/release/bin/actor_worker evaluate --actors="$(IFS=,; echo "${actors[*]}")"
done
say "all done in $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s (training and evaluation, without set-up and build)"
