#!/bin/sh
# Runs a command with pip trusting $CA_CERTIFICATE (PEM text) beside the system's authorities, if there is any.
if [ -n "${CA_CERTIFICATE:-}" ]; then
  PIP_CERT=$(mktemp)
  export PIP_CERT
  { cat /etc/ssl/certs/ca-certificates.crt 2>/dev/null || true; printf '%s\n' "$CA_CERTIFICATE"; } >"$PIP_CERT"
fi
exec "$@"
