#!/usr/bin/env bash
# Installs what building Troupe needs: Debian packages, and LibTorch from PyPI's torch wheel into .deps/.
# Run it as often as you like; what is there is left alone.
#
#   deploy/setup.sh [--sumo] [--cuda] [--worker-only] [--tests] [--fuzz]
#
#   --sumo         also SUMO 1.28 and its example networks (from PyPI, into .deps/)
#   --cuda         also the CUDA libraries (some GB) that LibTorch loads for --device=cuda
#   --worker-only  no LibTorch: enough for the actor worker
#   --tests        also what only tests need: Prometheus' programs and nginx (unpacked into .deps/, nothing is started),
#                  Chromium for replay pages, shellcheck, yamllint, and the Python packages of tests/requirements*.txt
#   --fuzz         also clang, for the presets fuzz and clang
#
# Works as root, or as a user with sudo. PIP_INDEX_URL and apt's own configuration decide where packages come from.
set -euo pipefail
cd "$(dirname "$0")/.."

torch_version=2.11.0
packages=(
  build-essential cmake ninja-build ccache mold pkg-config ca-certificates git procps
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev
  prometheus-cpp-dev libcurl4-openssl-dev libssl-dev openssl libdnnl-dev libjemalloc-dev nlohmann-json3-dev
  libexpat1-dev zlib1g-dev libgtest-dev libgmock-dev libbenchmark-dev
  python3-venv
)
# What only tests start.
test_packages=(chromium fonts-dejavu-core shellcheck wireguard-go wireguard-tools yamllint)
# clang, libFuzzer and what names the lines of its findings.
fuzz_packages=(clang libclang-rt-14-dev llvm)
# What SUMO's wheel links but does not bring.
sumo_packages=(libx11-6 libxext6 libxrender1 libgl1)

with_sumo=0 with_cuda=0 with_torch=1 with_tests=0 with_fuzz=0
for argument in "$@"; do
  case "$argument" in
    --sumo) with_sumo=1 ;;
    --cuda) with_cuda=1 ;;
    --worker-only) with_torch=0 ;;
    --tests) with_tests=1 ;;
    --fuzz) with_fuzz=1 ;;
    -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "setup.sh: unknown argument '$argument' (see --help)" >&2; exit 2 ;;
  esac
done

say() { printf '[setup] %s\n' "$*"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else echo "setup.sh: must be root or have sudo to run: $*" >&2; exit 1
  fi
}

# unpack FOLDER PACKAGE...: programs of Debian's packages into .deps/FOLDER. Installing them would start servers.
unpack() {
  local folder=$1 download package
  shift
  say "unpacking Debian's $* into .deps/$folder"
  download=$(mktemp -d)
  mkdir -p ".deps/$folder"
  (cd "$download" && { apt-get download -q "$@" || { as_root apt-get update -q && apt-get download -q "$@"; }; }) \
    >"$download/log" 2>&1 || { cat "$download/log" >&2; exit 1; }
  for package in "$download"/*.deb; do dpkg -x "$package" ".deps/$folder"; done
  rm -rf "$download"
}

command -v apt-get >/dev/null || {
  echo "setup.sh: this script installs Debian packages; on another system install the equivalents of:" \
    "${packages[*]}" >&2
  exit 1
}

[ "$with_sumo" = 0 ] || packages+=("${sumo_packages[@]}")
[ "$with_tests" = 0 ] || packages+=("${test_packages[@]}")
[ "$with_fuzz" = 0 ] || packages+=("${fuzz_packages[@]}")
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  log=$(mktemp)
  { as_root apt-get update -q &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1 || { tail -n 30 "$log" >&2; echo "setup.sh: apt-get failed; its last lines are above" >&2; exit 1; }
  rm -f "$log"
else
  say "Debian packages: all ${#packages[@]} are there"
fi

if [ "$with_torch" = 1 ]; then
  [ -x .deps/python/bin/pip ] || python3 -m venv .deps/python
  if .deps/python/bin/pip show -q torch 2>/dev/null &&
    ls .deps/python/lib/python3*/site-packages/torch/lib/libtorch_cpu.so >/dev/null 2>&1; then
    say "LibTorch: $(.deps/python/bin/pip list 2>/dev/null | awk '$1 == "torch" {print $2}') is there"
  else
    say "installing LibTorch $torch_version (the libraries inside PyPI's torch wheel) into .deps/python"
    # Without the CUDA libraries the wheel would pull in by itself: libtorch_cpu needs only these two of them to load.
    .deps/python/bin/pip install -q --disable-pip-version-check --no-deps --no-compile \
      "torch==$torch_version" 'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-cupti==13.0.*'
  fi
  if [ "$with_cuda" = 1 ]; then
    say "installing the CUDA libraries of LibTorch $torch_version"
    .deps/python/bin/pip install -q --disable-pip-version-check --no-compile "torch==$torch_version"
  fi
fi

if [ "$with_tests" = 1 ]; then
  if ! PATH="$PATH:$PWD/.deps/prometheus/usr/bin" command -v prometheus promtool >/dev/null; then
    unpack prometheus prometheus
  fi
  # The gateway's program; deploy/gateway/gateway.sh finds its module beside it.
  if [ ! -e /usr/lib/nginx/modules/ngx_stream_module.so ] &&
    [ ! -e .deps/nginx/usr/lib/nginx/modules/ngx_stream_module.so ]; then
    unpack nginx nginx libnginx-mod-stream
  fi
  # Not into .deps/python: LibTorch's wheel lies there without what it says it depends on, and pip would complain.
  [ -x .deps/test_python/bin/pip ] || python3 -m venv .deps/test_python
  say "Python packages of tests/requirements*.txt into .deps/test_python"
  install=(.deps/test_python/bin/pip install -q --disable-pip-version-check --no-compile)
  "${install[@]}" -r tests/requirements.txt
  "${install[@]}" --no-deps -r tests/requirements_alone.txt
fi

if [ "$with_sumo" = 1 ]; then deploy/setup_sumo.sh; fi
say "done"
