#!/usr/bin/env python3
"""Runs every query of the dashboards and of the loaded rules against a Prometheus and says which have data.

  deploy/grafana/check_dashboards.py --prometheus=http://127.0.0.1:9090 [--expect-data] [--seconds=60]

Template variables are filled in as Grafana would (all values), repeated panels are asked once per value. Without
--expect-data only errors count; with it, also: panels, variables and recording rules without data, and alerts that read
a series nobody exposes. Exit status 1 when something counts. Standard library only.
"""

import argparse
import json
import math
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
RULES = HERE.parent / "prometheus" / "rules"

# Panels and series that are empty in good order, and why. Everything else must have data.
MAY_BE_EMPTY = {
    "overview / Alerts that fire": "no alert fires in a healthy run",
    "workers / Restarts of local workers": "shown by learners with --local_workers only",
}
SERIES_THAT_MAY_LACK = {"troupe_worker_restarts_total": "shown by learners with --local_workers only"}
SERIES = re.compile(r"\b(?:up|(?:troupe|process)_\w+|run:\w+:\w+)\b")


def series_in(expression):
    """The names of the series an expression reads."""
    return set(SERIES.findall(re.sub(r'"[^"]*"', "", expression)))


class Prometheus:
    def __init__(self, url):
        self._url = url.rstrip("/")

    def get(self, path, **parameters):
        text = urllib.parse.urlencode(parameters, doseq=True)
        try:
            with urllib.request.urlopen(f"{self._url}/api/v1/{path}?{text}", timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error).get("error", str(error))) from error
        except (OSError, json.JSONDecodeError, KeyError) as error:
            raise ValueError(f"{self._url}: {error}") from error

    def series_with_data(self, expression, seconds, instant):
        """How many series have a finite value: now, or within the last `seconds`."""
        now = time.time()
        if instant:
            found = self.get("query", query=expression, time=now)
            if found["resultType"] == "scalar":
                return 1
            values = [[series["value"]] for series in found["result"]]
        else:
            found = self.get("query_range", query=expression, start=now - seconds, end=now, step=max(1, seconds // 30))
            values = [series["values"] for series in found["result"]]
        return sum(any(math.isfinite(float(value)) for _, value in points) for points in values)


class Report:
    def __init__(self, expect_data):
        self._expect_data = expect_data
        self.counts = {"data": 0, "empty": 0, "no data": 0, "error": 0}

    def tell(self, result, what, more=""):
        self.counts[result] += 1
        print(f"{result:8} {what}{': ' + more if more else ''}", flush=True)

    def failed(self):
        return self.counts["error"] > 0 or (self._expect_data and self.counts["no data"] > 0)


def fill(text, values, rate_interval):
    for name, value in {
        "__rate_interval": rate_interval,
        "__interval": rate_interval,
        "__range": rate_interval,
    }.items():
        text = text.replace("$" + name, value)
    # The longest name first: $run is not the beginning of $run_id.
    for name in sorted(values, key=len, reverse=True):
        joined = "|".join(re.escape(value).replace("\\-", "-") for value in values[name])
        text = text.replace("${" + name + "}", joined).replace("$" + name, joined)
    return text.replace("\\", "\\\\")


def read_variables(prometheus, board, name, report, rate_interval):
    values = {}
    for variable in board.get("templating", {}).get("list", []):
        if variable["type"] != "query":
            continue
        asked = fill(variable["query"], values, rate_interval)
        match = re.fullmatch(r"label_values\((.+), *(\w+)\)", asked)
        what = f"{name} / variable {variable['name']}"
        if match is None:
            report.tell("error", what, f"not a label_values query: {asked}")
            continue
        try:
            values[variable["name"]] = prometheus.get(f"label/{match.group(2)}/values", **{"match[]": match.group(1)})
        except ValueError as error:
            report.tell("error", what, str(error))
            continue
        found = values[variable["name"]]
        report.tell("data" if found else "no data", what, ", ".join(found))
    return values


def panels_of(board):
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def check_panel(prometheus, name, panel, values, arguments, report):
    repeated = panel.get("repeat")
    for value in values.get(repeated, []) if repeated else [None]:
        filled = {**values, repeated: [value]} if repeated else values
        what = f"{name} / {fill(panel['title'], filled, '')}"
        counts, errors = [], []
        for target in panel["targets"]:
            try:
                counts.append(
                    prometheus.series_with_data(
                        fill(target["expr"], filled, arguments.rate_interval),
                        arguments.seconds,
                        target.get("instant", False),
                    )
                )
            except ValueError as error:
                errors.append(f"query {target['refId']}: {error}")
        if errors:
            report.tell("error", what, "; ".join(errors))
        elif 0 not in counts:
            report.tell("data", what, " + ".join(str(count) for count in counts) + " series")
        elif what in MAY_BE_EMPTY:
            report.tell("empty", what, MAY_BE_EMPTY[what])
        else:
            lacking = [target["refId"] for target, count in zip(panel["targets"], counts) if count == 0]
            report.tell("no data", what, f"query {', '.join(lacking)}")


def check_rules(prometheus, arguments, report):
    groups = prometheus.get("rules")["groups"]
    loaded = [(rule["type"], rule["name"]) for group in groups for rule in group["rules"]]
    written = [
        ("alerting" if kind == "alert" else "recording", name)
        for path in sorted(RULES.glob("*.yml"))
        for kind, name in re.findall(r"^ *- (alert|record): *(\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    for rule in sorted(set(written) - set(loaded)):
        report.tell("error", f"rule {rule[1]}", "Prometheus has not loaded it")
    exposed = set(prometheus.get("label/__name__/values"))
    for group in groups:
        for rule in group["rules"]:
            what = f"{rule['type']} rule {rule['name']}"
            if rule.get("labels") and rule["type"] == "recording":
                what += f" {json.dumps(rule['labels'])}"
            if rule["health"] == "err":
                report.tell("error", what, rule.get("lastError", ""))
                continue
            try:
                count = prometheus.series_with_data(rule["query"], arguments.seconds, rule["type"] == "alerting")
            except ValueError as error:
                report.tell("error", what, str(error))
                continue
            lacking = sorted(series_in(rule["query"]) - exposed - set(SERIES_THAT_MAY_LACK))
            if rule["type"] == "alerting":
                state = f"{rule['state']}, reads series that are there"
                report.tell(
                    "no data" if lacking else "data", what, f"nobody exposes {', '.join(lacking)}" if lacking else state
                )
            else:
                report.tell("data" if count > 0 else "no data", what, f"{count} series")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", required=True, metavar="URL")
    parser.add_argument("--expect-data", action="store_true")
    parser.add_argument("--seconds", type=int, default=60, help="how far back graphs may have their data")
    parser.add_argument("--rate-interval", default="30s", help="stands for Grafana's $__rate_interval")
    arguments = parser.parse_args()
    prometheus, report = Prometheus(arguments.prometheus), Report(arguments.expect_data)
    for path in sorted((HERE / "dashboards").glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        values = read_variables(prometheus, board, path.stem, report, arguments.rate_interval)
        for panel in panels_of(board):
            check_panel(prometheus, path.stem, panel, values, arguments, report)
    try:
        check_rules(prometheus, arguments, report)
    except ValueError as error:
        report.tell("error", "rules", str(error))
    print("in all: " + ", ".join(f"{count} {result}" for result, count in report.counts.items()))
    return 1 if report.failed() else 0


if __name__ == "__main__":
    sys.exit(main())
