#!/usr/bin/env bash
# usage: gateway.sh --learner=unix:PATH --listen=HOST:PORT --tls_certificate=FILE --tls_key=FILE
#                   [--tls_client_ca=FILE] [--token_file=FILE] [--folder=DIR] [--connections_per_source=N]
#                   [--processes=N]
#
# The door in front of a learner that listens on a Unix socket: nginx takes the workers' connections, lets in who shows
# a certificate of --tls_client_ca, the token, or both, and hands well-formed HTTP/2 on. What strangers send is read by
# nginx alone, never by the learner's gRPC. Runs in the foreground until SIGTERM or SIGINT; needs Debian's packages
# nginx and libnginx-mod-stream, and no privileges.
#
#   --learner                 where the learner listens (its --listen), unix:PATH or HOST:PORT of an internal network
#   --tls_certificate, --tls_key, --tls_client_ca, --token_file    as the learner's flags of these names
#   --folder                  the gateway's own, for its configuration and sockets; default: a temporary one
#   --connections_per_source  that one address may hold open, 1024; a worker holds two
#   --processes               of nginx; default: one per core, 4 at most
#
# Files are looked at every two seconds: renewed ones are taken for new connections, and the old ones' connections are
# closed ten minutes later, whereupon workers connect anew. Files that do not fit each other change nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

learner="" listen="" certificate="" key="" client_ca="" token_file="" folder="" connections=1024 processes=""
fail() { echo "gateway.sh: $*" >&2; exit 2; }
for word in "$@"; do
  case "$word" in
    --learner=?*) learner=${word#*=} ;;
    --listen=?*) listen=${word#*=} ;;
    --tls_certificate=?*) certificate=${word#*=} ;;
    --tls_key=?*) key=${word#*=} ;;
    --tls_client_ca=?*) client_ca=${word#*=} ;;
    --token_file=?*) token_file=${word#*=} ;;
    --folder=?*) folder=${word#*=} ;;
    --connections_per_source=?*) connections=${word#*=} ;;
    --processes=?*) processes=${word#*=} ;;
    -h | --help) sed -n '2,20s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "unknown $word (see --help)" ;;
  esac
done
[ -n "$learner" ] || fail "--learner=unix:PATH is needed"
[ -n "$listen" ] || fail "--listen=HOST:PORT is needed"
if [ -z "$certificate" ] || [ -z "$key" ]; then fail "--tls_certificate and --tls_key are needed"; fi
[ -n "$client_ca$token_file" ] || fail "TLS alone lets everybody in; add --tls_client_ca or --token_file"
if [ -z "$processes" ]; then processes=$(($(nproc) < 4 ? $(nproc) : 4)); fi
for number in "$connections" "$processes"; do
  case "$number" in '' | *[!0-9]* | 0*) fail "expected a number, came '$number'" ;; esac
done
for path in "$learner" "$listen" "$certificate" "$key" "$client_ca" "$folder"; do
  case "$path" in *[!a-zA-Z0-9_.:/@+,\[\]-]*) fail "$path: expected a name without spaces and signs" ;; esac
done
nginx=$(command -v nginx || true)
nginx=${nginx:-/usr/sbin/nginx}
module=$(cd "$(dirname "$nginx")" && pwd)/../lib/nginx/modules/ngx_stream_module.so
if [ ! -x "$nginx" ] || [ ! -e "$module" ]; then
  echo "gateway.sh: nginx is needed: apt-get install nginx libnginx-mod-stream" >&2
  exit 1
fi

# As many files as nginx.conf.in has connections, or what there is.
ulimit -S -n "$(ulimit -H -n)"
umask 077
own_folder="" nginx_pid=""
if [ -z "$folder" ]; then folder=$(mktemp -d) own_folder=$folder; fi
mkdir -p "$folder/temporary"
folder=$(cd "$folder" && pwd)

# shellcheck disable=SC2317  # called by the trap
leave() {
  # All of the group: without their master nginx's processes would serve on.
  [ -z "$nginx_pid" ] || kill -KILL -- "-$nginx_pid" 2> /dev/null || true
  [ -z "$own_folder" ] || rm -rf "$own_folder"
}
trap leave EXIT

token_lines() {
  [ -n "$token_file" ] || return 0
  local token
  token=$(tr -d '[:space:]' < "$token_file")
  if [ ${#token} -lt 16 ]; then
    echo "gateway.sh: --token_file=$token_file: expected 16 characters or more" >&2
    return 1
  fi
  token=${token//\\/\\\\}
  # shellcheck disable=SC2016  # nginx's variables, here and below
  printf 'map $http_authorization $known { default 0; "Bearer %s" 1; }' "${token//\"/\\\"}"
}

write_configuration() {  # FILE
  local token check="" authority="" user="" text
  token=$(token_lines) || return 1
  # shellcheck disable=SC2016
  [ -z "$token_file" ] || check='if ($known = 0) { return 401; }'
  [ -z "$client_ca" ] || authority="ssl_client_certificate $client_ca; ssl_verify_client on;"
  [ "$(id -u)" != 0 ] || user="user root;"
  text=$(< "$here/nginx.conf.in")
  text=${text//@MODULE@/"$module"}
  text=${text//@USER@/"$user"}
  text=${text//@PROCESSES@/"$processes"}
  text=${text//@FOLDER@/"$folder"}
  text=${text//@LISTEN@/"$listen"}
  text=${text//@CONNECTIONS@/"$connections"}
  text=${text//@CERTIFICATE@/"$certificate"}
  text=${text//@KEY@/"$key"}
  text=${text//@CLIENT_CA@/"$authority"}
  text=${text//@LEARNER@/"$learner"}
  text=${text//@CHECK_TOKEN@/"$check"}
  text=${text//@TOKEN@/"$token"}
  printf '%s\n' "$text" > "$1"
}

run_nginx() { "$nginx" -p "$folder" -e stderr "$@"; }
# One that is missing for a moment is none that was renewed, but differs.
credentials() {
  { cat "$certificate" "$key" ${client_ca:+"$client_ca"} ${token_file:+"$token_file"} 2> /dev/null || true; } |
    sha256sum
}

taken=$(credentials)
write_configuration "$folder/nginx.conf"
run_nginx -t -q -c "$folder/nginx.conf"
# Of a gateway that was killed.
rm -f "$folder/http.sock"
setsid setpriv --pdeathsig TERM "$nginx" -p "$folder" -e stderr -c "$folder/nginx.conf" &
nginx_pid=$!
trap 'kill -TERM "$nginx_pid"' TERM INT
echo "gateway.sh: $listen for the learner at $learner"

seen=$taken
while kill -0 "$nginx_pid" 2> /dev/null; do
  # Ends at once when nginx does, or by a signal.
  sleep 2 &
  wait -n "$nginx_pid" $! || true
  now=$(credentials)
  [ "$now" != "$seen" ] || continue
  seen=$now
  if write_configuration "$folder/nginx.conf.new" && run_nginx -t -q -c "$folder/nginx.conf.new"; then
    mv "$folder/nginx.conf.new" "$folder/nginx.conf"
    kill -HUP "$nginx_pid"
    echo "gateway.sh: renewed certificates or token taken"
  else
    echo "gateway.sh: what is renewed does not fit; the old ones stay" >&2
  fi
done
status=0
wait "$nginx_pid" || status=$?
exit "$status"
