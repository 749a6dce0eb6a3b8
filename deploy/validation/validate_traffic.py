#!/usr/bin/env python3
"""Compares the built-in traffic simulator with SUMO and writes what came out.

    deploy/validation/validate_traffic.py [--tests build/release/bin/environments_tests]

Needs `./deploy/setup.sh --sumo` and a built environments_tests; takes some minutes. Writes
tests/golden/traffic_sumo_grid_3x3.txt (SUMO's figures, which a test compares the built-in simulator with where there is
no SUMO) and docs/traffic_validation.md (the table). Standard library only.
"""
import argparse
import datetime
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/traffic_sumo_grid_3x3.txt"
REPORT = ROOT / "docs/traffic_validation.md"
TEST = "TrafficValidationTool.WritesBothTables"
FIGURES = {"vehicles", "checksum", "waiting_seconds", "time_loss_seconds", "depart_delay_seconds", "finished",
           "teleported"}
COMMAND = "deploy/validation/validate_traffic.py"
INTRODUCTION = """# The built-in traffic simulator against SUMO

Made by `{command}` on {date} with {version}. The test `TrafficValidation.*` holds the
built-in simulator to these figures (`tests/golden/traffic_sumo_grid_3x3.txt`) wherever it is built.

Both simulators run the network `grid_3x3` (nine signals, three lanes per approach, the left one for left turns),
written for SUMO by `actor_worker/environments/traffic/sumo/network_export`: the same edges, turns and green phases, the
same vehicles with the same ways and types, and the same controllers (the C++ objects themselves), deciding every 5
s with 3 s of yellow and 5 s of minimum green. An hour each, mean of three vehicle lists; SUMO with
`--ignore-junction-blocker 5 --time-to-teleport -1`. Cells are SUMO / built-in; waiting and time loss in seconds per
vehicle that entered, depart delay per vehicle that was due, r the correlation of the 36 approaches' mean queues.
The built-in model's constants were calibrated under these controllers at 1800, 5400 and 7200 vehicles/h and under fixed
signal plans (`queue_model.h`), on other vehicle lists than the ones judged here; it saw nothing of 3600 and 4500
vehicles/h.
"""


def read_table(path):
    """{(controller, demand): ({figure: value}, {approach: mean queue})}"""
    table = {}
    for line in path.read_text().splitlines():
        words = line.split()
        if not words or words[0] != "case":
            continue
        values = {name: float(value) for name, value in (word.split("=") for word in words[3:])}
        figures = {name: values.pop(name) for name in FIGURES}
        table[words[1], int(words[2])] = (figures, values)
    return table


def correlation(a, b):
    return statistics.correlation([a[name] for name in sorted(a)], [b[name] for name in sorted(a)])


def error(ours, theirs):
    return f"{100 * (ours / theirs - 1):+.1f} %"


def report(sumo, ours, version):
    rows, losses, waits = [], [], []
    for case in sorted(sumo, key=lambda c: (c[0], c[1])):
        (s, s_queues), (o, o_queues) = sumo[case], ours[case]
        losses.append(abs(o["time_loss_seconds"] / s["time_loss_seconds"] - 1))
        waits.append(abs(o["waiting_seconds"] / s["waiting_seconds"] - 1))
        rows.append(
            f"| {case[0]} | {case[1]} "
            f"| {s['waiting_seconds']:.1f} / {o['waiting_seconds']:.1f} "
            f"| {error(o['waiting_seconds'], s['waiting_seconds'])} "
            f"| {s['time_loss_seconds']:.1f} / {o['time_loss_seconds']:.1f} "
            f"| {error(o['time_loss_seconds'], s['time_loss_seconds'])} "
            f"| {s['depart_delay_seconds']:.1f} / {o['depart_delay_seconds']:.1f} "
            f"| {s['finished']:.0f} / {o['finished']:.0f} | {correlation(s_queues, o_queues):.3f} |")
    x = [queue for case in sorted(sumo) for _, queue in sorted(sumo[case][1].items())]
    y = [queue for case in sorted(sumo) for _, queue in sorted(ours[case][1].items())]
    demands = sorted({demand for _, demand in sumo})
    orders = []
    for demand in demands:
        ranking = [sorted((c for c, d in t if d == demand), key=lambda c: t[c, demand][0]["time_loss_seconds"])
                   for t in (sumo, ours)]
        orders.append(f"- {demand}: SUMO {' < '.join(ranking[0])}; built-in {' < '.join(ranking[1])}")
    lines = [
        INTRODUCTION.format(command=COMMAND, date=datetime.date.today(), version=version),
        "| controller | vehicles/h | waiting | error | time loss | error | depart delay | finished | r |",
        "|---|---|---|---|---|---|---|---|---|", *rows, "",
        f"Mean absolute error: time loss {100 * statistics.mean(losses):.1f} %, "
        f"waiting {100 * statistics.mean(waits):.1f} %; largest "
        f"{100 * max(losses):.1f} % and {100 * max(waits):.1f} %. Over all {len(x)} approach queues: "
        f"r = {statistics.correlation(x, y):.3f}, "
        f"mean error {statistics.mean(abs(a - b) for a, b in zip(x, y)):.2f} vehicles "
        f"(mean queue {statistics.mean(x):.2f}).", "",
        "Order of the controllers by time loss, per demand:", "", *orders, ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=pathlib.Path, default=ROOT / "build/release/bin/environments_tests")
    parser.add_argument("--tables", type=pathlib.Path, help="folder with sumo.txt and built_in.txt of an earlier run")
    arguments = parser.parse_args()
    sumo_binary = ROOT / ".deps/sumo/site/sumo/bin/sumo"
    if not sumo_binary.exists():
        sys.exit("SUMO is not installed: run ./deploy/setup.sh --sumo")
    output = subprocess.run([sumo_binary, "--version"], capture_output=True, text=True, timeout=60).stdout
    version = output.split("\n")[0].replace("Eclipse SUMO sumo", "SUMO").strip()
    with tempfile.TemporaryDirectory() as temporary:
        tables = arguments.tables or pathlib.Path(temporary)
        if not arguments.tables:
            subprocess.run([arguments.tests, f"--gtest_filter={TEST}"], cwd=ROOT, check=True, timeout=3600,
                           env=dict(os.environ, TROUPE_TRAFFIC_VALIDATION_OUT=temporary))
        sumo, ours = read_table(tables / "sumo.txt"), read_table(tables / "built_in.txt")
        cases = (tables / "sumo.txt").read_text()
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(f"# {version} on grid_3x3, made by {COMMAND} on {datetime.date.today()}; "
                      "see docs/traffic_validation.md\n" + cases)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report(sumo, ours, version))
    print(f"wrote {GOLDEN.relative_to(ROOT)} and {REPORT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
