#!/usr/bin/env bash
# Installs SUMO 1.28 and example networks into .deps/sumo. Called by `deploy/setup.sh --sumo`, which first installs the
# system libraries SUMO needs.
# Run it as often as you like; what is there is left alone.
#
#   .deps/sumo/site       eclipse-sumo from PyPI: SUMO_HOME is .deps/sumo/site/sumo (EPL-2.0)
#   .deps/sumo/networks   the RESCO benchmark's networks and 3x3grid, from sumo-rl's wheel on PyPI. They come under
#                         licences of their own (CC BY-NC-SA, GPL), which is why they are fetched and not kept here.
#
# PIP_INDEX_URL decides where packages come from.
set -euo pipefail
cd "$(dirname "$0")/.."

sumo_version=1.28.0
networks_version=1.4.5
folder=.deps/sumo
say() { printf '[setup] %s\n' "$*"; }

pip() {
  [ -x "$folder/venv/bin/pip" ] || python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" "$@" -q --disable-pip-version-check
}

mkdir -p "$folder"
if [ -d "$folder/site/eclipse_sumo-$sumo_version.dist-info" ] && [ -x "$folder/site/sumo/bin/sumo" ]; then
  say "SUMO: $sumo_version is there"
else
  say "installing SUMO $sumo_version (148 MB) into $folder/site"
  rm -rf "$folder/site" "$folder/site.part"
  pip install --no-deps --no-compile --target "$folder/site.part" "eclipse-sumo==$sumo_version"
  mv "$folder/site.part" "$folder/site"
fi

if [ -e "$folder/networks/cologne8/cologne8.sumocfg" ] && [ -e "$folder/networks/3x3grid/3x3grid.sumocfg" ]; then
  say "SUMO networks: $(find "$folder/networks" -mindepth 1 -maxdepth 1 | wc -l) are there"
else
  say "fetching the RESCO networks and 3x3grid (sumo-rl $networks_version) into $folder/networks"
  temporary=$(mktemp -d)
  trap 'rm -rf "$temporary"' EXIT
  pip download --no-deps -d "$temporary" "sumo-rl==$networks_version"
  python3 -m zipfile -e "$temporary"/sumo_rl-*.whl "$temporary/wheel"
  mkdir -p "$folder/networks"
  cp -r "$temporary"/wheel/sumo_rl/nets/RESCO/*/ "$temporary/wheel/sumo_rl/nets/3x3grid" "$folder/networks/"
fi

answer=$(timeout 60 "$folder/site/sumo/bin/sumo" --version 2>&1 || true)
case "$answer" in
  *"$sumo_version"*) ;;
  *)
    echo "setup_sumo.sh: $folder/site/sumo/bin/sumo does not run: $answer" >&2
    exit 1
    ;;
esac
say "SUMO runs; networks: $(cd "$folder/networks" && echo *)"
