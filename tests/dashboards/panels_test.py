#!/usr/bin/env python3
"""Grafana's dashboards without Grafana: everything is described, queries are PromQL, series and labels are those the
processes have, and, with grafana-foundation-sdk installed, the files are what generate_dashboards.py writes. The rules'
expressions are held to the same.

Exit status 77 (skipped) without promql-parser.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

try:
    from promql import Query
    from series import known_series, rules
except ImportError as error:
    print(f"skipped: {error}; pip install -r tests/requirements.txt")
    sys.exit(77)

SOURCE = pathlib.Path(__file__).resolve().parents[2]
GRAFANA = SOURCE / "deploy" / "grafana"
sys.path.insert(0, str(GRAFANA))

import check_dashboards  # noqa: E402


class Check:
    """Failures and what was looked at."""

    def __init__(self, known):
        self.known = known
        self.failures, self.expressions = [], []

    def expect(self, condition, what):
        if not condition:
            self.failures.append(what)

    def read(self, text, what):
        """The query; None, and a failure, when it is none."""
        try:
            query = Query(text, self.known)
        except ValueError as error:
            self.failures.append(f"{what}: {error} in {text}")
            return None
        self.failures += [f"{what}: {fault}" for fault in query.faults]
        return query


def fill(text, variables):
    """Every variable stands for chosen_VARIABLE."""
    return check_dashboards.fill(text, {variable: [f"chosen_{variable}"] for variable in variables}, "1m")


def check_variables(check, board, name):
    there = {}
    for variable in board["templating"]["list"]:
        there[variable["name"]] = variable
        if variable["type"] != "query":
            continue
        what = f"{name} / variable {variable['name']}"
        asked = re.fullmatch(r"label_values\((.+), *(\w+)\)", fill(variable["query"], there))
        check.expect(asked, f"{what}: {variable['query']}")
        query = asked and check.read(asked[1], what)
        check.expect(not query or asked[2] in query.labels, f"{what}: the series has no label {asked and asked[2]}")
    check.expect({"datasource", "experiment", "run"} <= set(there), f"{name}: variables {set(there)}")
    return set(there)


def check_query(check, target, variables, what):
    text = target["expr"]
    used = set(re.findall(r"\$\{?(\w+)", text))
    check.expect(used <= variables | {"__rate_interval"}, f"{what}: unknown variables {used - variables}")
    filled = fill(text, variables)
    check.expressions.append(filled)
    query = check.read(filled, what)
    if query is None:
        return
    by_run = ("run", "Re", "chosen_run") in query.matchers
    check.expect(by_run or "ALERTS" in query.series, f"{what}: the chosen run does not matter")
    for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", target.get("legendFormat", "")):
        check.expect(label in query.labels, f"{what}: the legend names the label {label}, which the result lacks")


def check_board(check, board, name):
    check.expect(board["uid"] == f"troupe-{name}" and board["tags"] == ["troupe"], f"{name}: uid or tags")
    variables = check_variables(check, board, name)
    panels = list(check_dashboards.panels_of(board))
    check.expect(len({panel["title"] for panel in panels}) == len(panels), f"{name}: two panels have one title")
    taken = set()
    for panel in panels:
        what = f"{name} / {panel['title']}"
        check.expect(len(panel.get("description", "")) > 5, f"{what}: no description")
        check.expect(panel["fieldConfig"]["defaults"].get("unit"), f"{what}: no unit")
        check.expect(panel["targets"], f"{what}: no query")
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        inside = not cells & taken and place["x"] + place["w"] <= 24
        check.expect(inside, f"{what}: lies on another panel or beyond the edge")
        taken |= cells
        for target in panel["targets"]:
            check_query(check, target, variables, what)


def check_rules(check):
    for kind, name, expression, _ in rules():
        check.read(expression, f"{kind} {name}")


def check_syntax(check):
    """By Prometheus itself, besides."""
    if shutil.which("promtool") is None:
        print("not checked: Prometheus' own syntax (promtool, of the Debian package prometheus, is not installed)")
        return
    rows = [{"record": f"panel:{i}", "expr": text} for i, text in enumerate(check.expressions)]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump({"groups": [{"name": "panels", "rules": rows}]}, file)
        file.flush()
        done = subprocess.run(["promtool", "check", "rules", "--lint=none", file.name], capture_output=True, text=True)
        check.expect(done.returncode == 0, f"promtool: {done.stdout}{done.stderr}")


def check_generated(check):
    done = subprocess.run(
        [sys.executable, GRAFANA / "generate_dashboards.py", "--check"], capture_output=True, text=True
    )
    if "No module named 'grafana_foundation_sdk'" in done.stderr:
        print("not checked: that the files are as generated (grafana-foundation-sdk is not installed)")
        return
    check.expect(done.returncode == 0, f"generate_dashboards.py --check: {done.stdout}{done.stderr}")


def boards():
    """Name → dashboard."""
    paths = sorted((GRAFANA / "dashboards").glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def main():
    check = Check(known_series())
    for name, board in boards().items():
        check_board(check, board, name)
    check.expect(len(check.expressions) > 50, f"{len(check.expressions)} queries")
    check_rules(check)
    check_syntax(check)
    check_generated(check)
    print("\n".join(check.failures) or f"{len(check.expressions)} queries, all is well")
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
