#!/bin/sh
# usage: issue.sh [--name=NAME ...]
#
# What the service `certificates` does, once, whenever the cluster comes up: makes or renews the authority and the
# certificates (deploy/certificates.sh), and gives each side its own: a worker sees neither the learner's key nor the
# authority's.
set -eu
/opt/troupe/bin/certificates.sh /tls/authority "$@"
give() {  # SIDE
  for file in ca.pem "$1.pem" "$1.key"; do
    cmp -s "/tls/authority/$file" "/tls/$1/$file" && continue
    cp -p "/tls/authority/$file" "/tls/$1/.$file"
    mv "/tls/$1/.$file" "/tls/$1/$file"
  done
}
give learner
give worker
