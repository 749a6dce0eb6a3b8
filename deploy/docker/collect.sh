#!/usr/bin/env bash
# Gathers what a final image takes from a built tree. Run at the repository's root.
#
#   deploy/docker/collect.sh OUTPUT WHAT ...
#
#   WHAT    a program (build/release/bin/…; the learner brings learner_train), `sumo` (what setup.sh --sumo installed)
#           or `cuda` (LibTorch's CUDA libraries, our graphs)
#
#   OUTPUT/root/opt/troupe/bin          the programs, without their symbols
#   OUTPUT/root/opt/troupe/lib          libraries from Python wheels, laid out as in site-packages: they find each other
#   OUTPUT/root/opt/troupe/.deps/sumo   SUMO, where a worker in bin looks for it
#   OUTPUT/packages                     Debian packages that bring every other library
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2; }
output=$1
shift
troupe=$output/root/opt/troupe
mkdir -p "$troupe"

# The package of a library as ldd names it; /lib and /usr/lib are one folder, and dpkg knows either name.
package_of() {
  local path
  for path in "$1" "/usr$1" "$(realpath "$1")"; do
    dpkg-query -S "$path" 2>/dev/null | sed -n '1s/:.*//p' | grep . && return
  done
  echo "collect.sh: no package brings $1" >&2
  return 1
}

# Libraries of the files given: packages' are noted, wheels' are copied.
add_libraries() {
  local missing library
  missing=$(ldd "$@" | grep 'not found' | sort -u || true)
  [ -z "$missing" ] || { echo "collect.sh: $missing" >&2; exit 1; }
  for library in $(ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u); do
    case "$library" in
      */site-packages/*) add_wheel_library "$(realpath -s "$library")" ;;
      */.deps/*) ;;
      *) package_of "$library" >>"$output/packages" ;;
    esac
  done
}

add_wheel_library() {
  local place=$troupe/lib/${1#*/site-packages/}
  [ ! -e "$place" ] || return 0
  install -D -m 755 "$1" "$place"
  strip --strip-unneeded "$place"
}

add_program() {
  install -D -m 755 -s "$1" "$troupe/bin/$(basename "$1")"
  add_libraries "$1"
}

add_cuda() {
  local library
  for library in .deps/python/lib/python3*/site-packages/{torch,nvidia/*}/lib/*.so*; do
    case "$library" in */libtorch_python.so | */libshm.so) ;; *) add_wheel_library "$(realpath -s "$library")" ;; esac
  done
  [ ! -e build/release/bin/libtroupe_cuda.so ] ||
    install -D -m 755 -s build/release/bin/libtroupe_cuda.so -t "$troupe/bin"
}

add_sumo() {
  local site=.deps/sumo/site place=$troupe/.deps/sumo
  mkdir -p "$place/site/sumo/bin"
  cp -a .deps/sumo/networks "$place/"
  cp -a "$site/eclipse_sumo.libs" "$place/site/"
  cp -a "$site/sumo/data" "$place/site/sumo/"
  cp -a "$site"/sumo/bin/{sumo,netconvert} "$place/site/sumo/bin/"
  add_libraries "$place"/site/sumo/bin/{sumo,netconvert}
}

: >"$output/packages"
for what in "$@"; do
  case "$what" in
    sumo) add_sumo ;;
    cuda) add_cuda ;;
    */learner) add_program "$what" && add_program "${what}_train" ;;
    *) add_program "$what" ;;
  esac
done
sort -u -o "$output/packages" "$output/packages"
