#!/usr/bin/env python3
"""Grafana's dashboards without Grafana: everything is described, queries are PromQL, series are those the processes
have, and, with grafana-foundation-sdk installed, the files are what generate_dashboards.py writes.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
GRAFANA = SOURCE / "deploy" / "grafana"
sys.path.insert(0, str(GRAFANA))

import check_dashboards  # noqa: E402

failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)


def series_there_are():
    """Names in docs/metrics.md (histograms' parts included) and of recording rules."""
    text = (SOURCE / "docs" / "metrics.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`((?:troupe|process)_\w+)`", text))
    for prefix, list_of_names in re.findall(r"`(troupe_update_)\*` \|[^|]*\|[^:]*: ([^|]+)\|", text):
        names |= {prefix + name for name in re.split(r"[,\s]+", list_of_names.strip())}
    names |= {name + part for name in list(names) for part in ("_bucket", "_sum", "_count")}
    recorded = (SOURCE / "deploy/prometheus/rules/recording.yml").read_text(encoding="utf-8")
    return names | set(re.findall(r"record: (\S+)", recorded)) | {"up"}


def check_panels(board, name, known, expressions):
    expect(board["uid"] == f"troupe-{name}" and board["tags"] == ["troupe"], f"{name}: uid or tags")
    variables = {variable["name"] for variable in board["templating"]["list"]}
    expect({"datasource", "experiment", "run"} <= variables, f"{name}: variables {variables}")
    panels = list(check_dashboards.panels_of(board))
    expect(len({panel["title"] for panel in panels}) == len(panels), f"{name}: two panels have one title")
    taken = set()
    for panel in panels:
        what = f"{name} / {panel['title']}"
        expect(len(panel.get("description", "")) > 5, f"{what}: no description")
        expect(panel["fieldConfig"]["defaults"].get("unit"), f"{what}: no unit")
        expect(panel["targets"], f"{what}: no query")
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        expect(not cells & taken and place["x"] + place["w"] <= 24, f"{what}: lies on another panel or beyond the edge")
        taken |= cells
        for target in panel["targets"]:
            text = target["expr"]
            expect("$run" in text or "ALERTS" in text, f"{what}: the chosen run does not matter")
            unknown = check_dashboards.series_in(text) - known
            expect(not unknown, f"{what}: not in docs/metrics.md: {unknown}")
            used = set(re.findall(r"\$\{?(\w+)", text))
            expect(used <= variables | {"__rate_interval"}, f"{what}: unknown variables {used - variables}")
            expressions.append(check_dashboards.fill(text, {variable: ["x"] for variable in variables}, "1m"))


def check_syntax(expressions):
    if shutil.which("promtool") is None:
        print("not checked: PromQL's syntax (promtool, of the Debian package prometheus, is not installed)")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as rules:
        json.dump(
            {
                "groups": [
                    {
                        "name": "panels",
                        "rules": [{"record": f"panel:{i}", "expr": text} for i, text in enumerate(expressions)],
                    }
                ]
            },
            rules,
        )
        rules.flush()
        done = subprocess.run(["promtool", "check", "rules", "--lint=none", rules.name], capture_output=True, text=True)
        expect(done.returncode == 0, f"promtool: {done.stdout}{done.stderr}")


def check_generated():
    done = subprocess.run(
        [sys.executable, GRAFANA / "generate_dashboards.py", "--check"], capture_output=True, text=True
    )
    if "No module named 'grafana_foundation_sdk'" in done.stderr:
        print("not checked: that the files are as generated (grafana-foundation-sdk is not installed)")
        return
    expect(done.returncode == 0, f"generate_dashboards.py --check: {done.stdout}{done.stderr}")


def main():
    known, expressions = series_there_are(), []
    for path in sorted((GRAFANA / "dashboards").glob("*.json")):
        check_panels(json.loads(path.read_text(encoding="utf-8")), path.stem, known, expressions)
    expect(len(expressions) > 50, f"{len(expressions)} queries")
    check_syntax(expressions)
    check_generated()
    print("\n".join(failures) or f"{len(expressions)} queries, all is well")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
