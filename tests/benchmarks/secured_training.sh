#!/usr/bin/env bash
# usage: tests/benchmarks/secured_training.sh [BIN_FOLDER [ENV_STEPS [PAIRS]]]
#
# What mutual TLS costs a run end to end: learner and two workers on traffic_grid, in plain text and over mutual TLS in
# turn, PAIRS times (2), each for ENV_STEPS (60000). Prints environment steps per second from the first update to the
# last and the processor time of all three processes, which other work on the machine disturbs less, each with its
# ratio.
# Everything stays on loopback and in a temporary folder.
set -euo pipefail
bin=$(cd "${1:-build/release/bin}" && pwd) steps=${2:-60000} pairs=${3:-2}
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
deploy/certificates.sh "$folder/certificates" > /dev/null
c=$folder/certificates
learner_tls=(--tls_certificate="$c/learner.pem" --tls_key="$c/learner.key" --tls_client_ca="$c/ca.pem")
worker_tls=(--tls_ca="$c/ca.pem" --tls_certificate="$c/worker.pem" --tls_key="$c/worker.key")

steps_per_second() {  # NAME LEARNER_FLAGS -- WORKER_FLAGS
  local run=$folder/$1 learner_flags=() worker_flags=() address learner
  shift
  while [ "$1" != -- ]; do learner_flags+=("$1"); shift; done
  shift
  worker_flags=("$@")
  timeout 300 "$bin/learner" --experiment=deploy/experiments/traffic_grid.textproto --local_workers=0 \
    --expected_workers=2 --listen=localhost:0 --run_dir="$run" --no_final_evaluation --set total_env_steps="$steps" \
    --set evaluation.interval_env_steps=0 "${learner_flags[@]}" > "$run.txt" 2>&1 &
  learner=$!
  until address=$(sed -n 's/.*they connect to \([^ ]*\).*/\1/p' "$run.txt" 2> /dev/null) && [ -n "$address" ]; do
    kill -0 "$learner" || { cat "$run.txt" >&2; exit 1; }
    sleep 0.1
  done
  timeout 300 "$bin/actor_worker" --learner="$address" "${worker_flags[@]}" 2> /dev/null &
  timeout 300 "$bin/actor_worker" --learner="$address" "${worker_flags[@]}" 2> /dev/null &
  wait "$learner"
  wait
  local rate
  rate=$(sed -n 's/.*"env_steps":\([0-9]*\),"time":\([0-9.]*\),.*/\1 \2/p' "$run/metrics.jsonl" |
    awk 'NR == 1 { steps = $1; time = $2 } END { printf "%.0f", ($1 - steps) / ($2 - time) }')
  # Of the processes this subshell has waited for.
  times > "$run.times"
  tail -n 1 "$run.times" | tr ms '  ' | awk -v rate="$rate" '{ printf "%s %.2f\n", rate, 60 * $1 + $2 + 60 * $3 + $4 }'
}

for pair in $(seq "$pairs"); do
  plain=$(steps_per_second "plain$pair" --)
  secured=$(steps_per_second "secured$pair" "${learner_tls[@]}" -- "${worker_tls[@]}")
  echo "$plain $secured" | awk -v pair="$pair" '{
    printf "pair %d: plain %d steps/s, %.2f s of processor; mutual TLS %d steps/s, %.2f s; ", pair, $1, $2, $3, $4
    printf "ratio of speed %.3f, of processor time %.3f\n", $3 / $1, $4 / $2 }'
done
