#!/bin/sh
# with_credentials.sh PROGRAM [FLAG …]: becomes the program, with a flag for each credential that systemd has loaded for
# the service under the flag's name. One that the unit's default stands for, the word "none", is left out.
set -eu
program=$1
shift
for flag in tls_certificate tls_key tls_client_ca tls_ca token_file; do
  file=${CREDENTIALS_DIRECTORY:-/nonexistent}/$flag
  if [ -s "$file" ] && [ "$(head -c 5 "$file")" != none ]; then
    set -- "$@" "--$flag=$file"
  fi
done
exec "$program" "$@"
