#!/usr/bin/env bash
# Prints deploy/prometheus/rules as a PrometheusRule for the Prometheus operator.
#
#   deploy/kubernetes/prometheus_rule.sh | kubectl apply --namespace=troupe -f -
set -euo pipefail
cd "$(dirname "$0")/../prometheus/rules"
cat <<HEAD
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: troupe
spec:
  groups:
HEAD
for file in *.yml; do
  sed -n '/^groups:$/,$p' "$file" | sed '1d; s/^/  /'
done
