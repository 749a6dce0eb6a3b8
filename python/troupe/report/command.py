"""`python -m troupe report`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from troupe.report.run_report import report_runs
from troupe.runs.run import Run, find_runs


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m troupe report",
        description="Draws runs as one HTML page that needs nothing else. Runs that differ in nothing but their seed "
        "are one line with a band.",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder, or a folder of runs (a sweep's)")
    parser.add_argument("--out", default="report.html", metavar="FILE", help="the page (%(default)s)")
    parser.add_argument("--png", metavar="DIR", help="also each chart as DIR/NAME.png, which needs matplotlib")
    parser.add_argument("--title", default="", help="the page's title; otherwise the experiments' names")
    arguments = parser.parse_args(words)
    try:
        runs: list[Run] = []
        for folder in arguments.runs:
            found = find_runs(folder)
            if not found:
                raise ValueError(f"{folder}: no metrics.jsonl in it or below")
            runs += found
        made = report_runs(runs, arguments.title)
        Path(arguments.out).write_text(made.page)
        pictures = 0
        if arguments.png:
            from troupe.report.png import write_png

            pictures = len(write_png(made.charts, arguments.png))
    except (OSError, ValueError, ImportError) as error:
        print(f"troupe report: {error}", file=sys.stderr)
        return 2
    print(f"{arguments.out}: {len(runs)} run{'s' if len(runs) > 1 else ''}, {len(made.charts)} charts")
    if pictures:
        print(f"{arguments.png}: {pictures} pictures")
    return 0
