#!/usr/bin/env bash
# Prometheus' own checks of deploy/prometheus/rules: syntax, and every alert in its fault and without it. Then: every
# alert has such a test and a section in docs/runbook.md. Exit status 77: skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v promtool >/dev/null || { echo "skipped: promtool (Debian package prometheus) is not installed"; exit 77; }
rules=deploy/prometheus/rules
promtool check rules "$rules"/*.yml
promtool test rules "$rules"/tests/*.yml
failed=0
while read -r alert; do
  grep -q "alertname[:=] *\"\?$alert\b" "$rules/tests/alerts.yml" ||
    { echo "$alert: no test in $rules/tests/alerts.yml"; failed=1; }
  grep -qx "## $alert" docs/runbook.md || { echo "$alert: no section in docs/runbook.md"; failed=1; }
  grep -q "runbook: docs/runbook.md#${alert,,}$" "$rules/alerts.yml" ||
    { echo "$alert: its runbook annotation does not lead to its section"; failed=1; }
done < <(sed -n 's/^ *- alert: //p' "$rules/alerts.yml")
while read -r section; do
  grep -q "alert: $section$" "$rules/alerts.yml" || { echo "docs/runbook.md: there is no alert $section"; failed=1; }
done < <(sed -n 's/^## //p' docs/runbook.md)
exit "$failed"
