#!/usr/bin/env bash
# usage: deploy/certificates.sh FOLDER [--name=NAME ...]
#
# A certificate authority of one's own and the certificates of a learner and its workers, for development and for
# clusters that have no authority yet. Can be given again at any time: what is good is left alone, what ends within 30
# days, lacks a name or was signed by another authority is made anew. Needs openssl and nothing else.
#
#   ca.pem                    --tls_ca of workers and health checks, --tls_client_ca of the learner
#   ca.key                    signs; only this script reads it: do not hand it out
#   learner.pem learner.key   --tls_certificate, --tls_key of the learner; its names are localhost 127.0.0.1 learner
#                             and every --name (a host name or an IP address by which workers reach it)
#   worker.pem worker.key     --tls_certificate, --tls_key of every worker; good for clients only
#
# Keys are readable by their owner and group. Running learners and workers take renewed files by themselves.
set -euo pipefail

authority_days=3650 days=365 renew_seconds=$((30 * 24 * 3600))

folder="" names=(localhost 127.0.0.1 learner)
for word in "$@"; do
  case "$word" in
    --name=?*) names+=("${word#--name=}") ;;
    -*) echo "certificates.sh: unknown $word; expected FOLDER [--name=NAME ...]" >&2; exit 2 ;;
    *) [ -z "$folder" ] || { echo "certificates.sh: unexpected $word" >&2; exit 2; }; folder=$word ;;
  esac
done
[ -n "$folder" ] || { echo "usage: $0 FOLDER [--name=NAME ...]" >&2; exit 2; }
command -v openssl > /dev/null || { echo "certificates.sh: openssl is needed" >&2; exit 1; }

umask 077
mkdir -p "$folder"
chmod 755 "$folder"
cd "$folder"
scratch=$(mktemp -d ./.making.XXXXXX)
trap 'rm -rf "$scratch"' EXIT

alternative_names() {
  local name list=""
  for name in "$@"; do
    case "$name" in
      *[!0-9a-zA-Z.:-]*) echo "certificates.sh: --name=$name: expected a host name or an IP address" >&2; exit 2 ;;
      *:*) list+=",IP:$name" ;;
      *[!0-9.]*) list+=",DNS:$name" ;;
      *) list+=",IP:$name" ;;
    esac
  done
  echo "${list#,}"
}

lasts() { [ -s "$1" ] && openssl x509 -in "$1" -noout -checkend "$renew_seconds" > /dev/null 2>&1; }

key_fits() {  # CERTIFICATE KEY
  [ -s "$2" ] &&
    [ "$(openssl x509 -in "$1" -noout -pubkey 2> /dev/null)" = "$(openssl pkey -in "$2" -pubout 2> /dev/null)" ]
}

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2> /dev/null; }

make_authority() {
  if lasts ca.pem && key_fits ca.pem ca.key; then return; fi
  new_key "$scratch/ca.key"
  openssl req -x509 -new -key "$scratch/ca.key" -sha256 -days "$authority_days" -subj "/CN=troupe authority" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -out "$scratch/ca.pem"
  chmod 600 "$scratch/ca.key"
  chmod 644 "$scratch/ca.pem"
  mv "$scratch/ca.key" ca.key
  mv "$scratch/ca.pem" ca.pem
  echo "made ca.pem"
}

make_certificate() {  # FILE USAGE NAMES
  local file=$1 usage=$2 wanted=$3
  if lasts "$file.pem" && key_fits "$file.pem" "$file.key" &&
    openssl verify -CAfile ca.pem "$file.pem" > /dev/null 2>&1 &&
    [ "$(cat "$file.names" 2> /dev/null)" = "$wanted" ]; then
    return
  fi
  new_key "$scratch/$file.key"
  printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature "extendedKeyUsage=$usage" \
    "subjectAltName=$wanted" > "$scratch/extensions"
  openssl req -new -key "$scratch/$file.key" -subj "/CN=troupe $file" -out "$scratch/request"
  openssl x509 -req -in "$scratch/request" -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" -sha256 \
    -days "$days" -extfile "$scratch/extensions" -out "$scratch/$file.pem" 2> /dev/null
  chmod 640 "$scratch/$file.key"
  chmod 644 "$scratch/$file.pem"
  printf '%s' "$wanted" > "$scratch/$file.names"
  mv "$scratch/$file.key" "$file.key"
  mv "$scratch/$file.pem" "$file.pem"
  mv "$scratch/$file.names" "$file.names"
  echo "made $file.pem: $wanted"
}

learner_names=$(alternative_names "${names[@]}")
make_authority
# A learner's own health check is its client: hence both usages.
make_certificate learner serverAuth,clientAuth "$learner_names"
make_certificate worker clientAuth DNS:worker
