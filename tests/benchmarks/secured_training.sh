#!/usr/bin/env bash
# usage: tests/benchmarks/secured_training.sh [BIN_FOLDER [ENV_STEPS [ROUNDS [WORKERS...]]]]
#
# What protecting the wire costs a run end to end: a learner and 1, 4 and 16 workers (WORKERS) on traffic_grid with 16
# shards of two copies, in plain text, over gRPC's own mutual TLS, and over mutual TLS through deploy/gateway, in turn,
# ROUNDS times (2), each for ENV_STEPS (60000). Prints environment steps per second from the first update to the last,
# the processor time of learner, workers and gateway, which other work on the machine disturbs less, and the beginning
# of the weights' hash, which is the same in a row's three. The gateway is left out where there is no nginx.
# Everything stays on loopback and in a temporary folder.
set -euo pipefail
bin=$(cd "${1:-build/release/bin}" && pwd) steps=${2:-60000} rounds=${3:-2}
workers=("${@:4}")
[ ${#workers[@]} -gt 0 ] || workers=(1 4 16)
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
gateway=""
end() { [ -z "$gateway" ] || kill "$gateway" 2> /dev/null || true; wait; rm -rf "$folder"; }
trap end EXIT
deploy/certificates.sh "$folder/certificates" > /dev/null
c=$folder/certificates
learner_tls=(--tls_certificate="$c/learner.pem" --tls_key="$c/learner.key" --tls_client_ca="$c/ca.pem")
worker_tls=(--tls_ca="$c/ca.pem" --tls_certificate="$c/worker.pem" --tls_key="$c/worker.key")
wires=(plain mutual_tls)
export PATH="$PWD/.deps/nginx/usr/sbin:$PATH:/usr/sbin"
if command -v nginx > /dev/null; then wires+=(gateway); fi

# Of a process that is there, in hundredths of a second.
ticks_of() { awk '{ print $14 + $15 }' "/proc/$1/stat" 2> /dev/null || echo 0; }

train() {  # NAME WIRE WORKERS: prints a row
  local run=$folder/$1 wire=$2 count=$3 learner_flags=() worker_flags=() address learner pids=() rate
  case "$wire" in
    plain) learner_flags=(--listen=localhost:0) ;;
    mutual_tls) learner_flags=(--listen=localhost:0 "${learner_tls[@]}") worker_flags=("${worker_tls[@]}") ;;
    gateway) learner_flags=(--listen="unix:$folder/learner.sock") worker_flags=("${worker_tls[@]}") ;;
  esac
  # The shell tells the processor time of what it waited for; each of these is waited for by a shell of its own.
  ( timeout 900 "$bin/learner" --experiment=deploy/experiments/traffic_grid.textproto --local_workers=0 \
      --expected_workers="$count" --run_dir="$run" --no_final_evaluation --set total_env_steps="$steps" \
      --set collection.num_shards=16 --set collection.copies_per_shard=2 --set compute.learner_threads=1 \
      --set evaluation.interval_env_steps=0 "${learner_flags[@]}" > "$run.txt" 2>&1
    times > "$run.learner" ) &
  learner=$!
  until address=$(sed -n 's/.*they connect to \([^ ]*\).*/\1/p' "$run.txt" 2> /dev/null) && [ -n "$address" ]; do
    kill -0 "$learner" || { cat "$run.txt" >&2; exit 1; }
    sleep 0.1
  done
  if [ "$wire" = gateway ]; then
    address=localhost:$((20000 + RANDOM % 10000))
    deploy/gateway/gateway.sh --learner="unix:$folder/learner.sock" --listen="127.0.0.1:${address#*:}" \
      --folder="$folder/gateway" "${learner_tls[@]}" > "$run.gateway" 2>&1 &
    gateway=$!
  fi
  for number in $(seq "$count"); do
    ( timeout 900 "$bin/actor_worker" --learner="$address" --rollout_threads=1 "${worker_flags[@]}" > /dev/null 2>&1
      times > "$run.worker.$number" ) &
    pids+=($!)
  done
  wait "$learner" "${pids[@]}"
  local in_gateway=0 pid
  if [ -n "$gateway" ]; then
    for pid in $(pgrep -g "$(cat "$folder/gateway/nginx.pid")"); do
      in_gateway=$((in_gateway + $(ticks_of "$pid")))
    done
    kill "$gateway"
    wait "$gateway" || true
    gateway=""
  fi
  rate=$(sed -n 's/.*"env_steps":\([0-9]*\),"time":\([0-9.]*\),.*/\1 \2/p' "$run/metrics.jsonl" |
    awk 'NR == 1 { steps = $1; time = $2 } END { printf "%.0f", ($1 - steps) / ($2 - time) }')
  # The second line of `times` is of the processes that were waited for.
  seconds() {
    sed -s -n 2p "$@" | tr ms '  ' | awk '{ sum += 60 * $1 + $2 + 60 * $3 + $4 } END { printf "%.2f", sum }'
  }
  printf '%7s %-10s %8s steps/s  processor: learner %6s s  workers %6s s  gateway %6s s  weights %s\n' "$count" \
    "$wire" "$rate" "$(seconds "$run.learner")" "$(seconds "$run".worker.*)" \
    "$(awk -v ticks="$in_gateway" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", ticks / hz }')" \
    "$(sed -n 's/.*weights sha256 \([0-9a-f]\{16\}\).*/\1/p' "$run.txt")"
  rm -rf "$run" "$run".*
}

echo "workers wire"
for round in $(seq "$rounds"); do
  for count in "${workers[@]}"; do
    for wire in "${wires[@]}"; do train "$wire$count.$round" "$wire" "$count"; done
  done
done
