"""`python -m troupe track`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from troupe.runs.run import find_runs

_TRACKERS = ("aim", "mlflow", "wandb")


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m troupe track",
        description="Sends the records of finished or running runs to a tracker, once each.",
    )
    parser.add_argument("tracker", choices=_TRACKERS, help="its package must be installed and set up")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder, or a folder of runs (a sweep's)")
    parser.add_argument(
        "--project", default="troupe", metavar="NAME", help="the tracker's project or experiment (%(default)s)"
    )
    arguments = parser.parse_args(words)
    try:
        package = importlib.import_module(arguments.tracker)
        track = importlib.import_module(f"troupe.track.{arguments.tracker}").track
        for folder in arguments.runs:
            runs = find_runs(folder)
            if not runs:
                raise ValueError(f"{folder}: no metrics.jsonl in it or below")
            for run in runs:
                print(f"{run.folder}: {track(run, package, arguments.project)} records", flush=True)
    except (ImportError, OSError, ValueError) as error:
        print(f"troupe track: {error}", file=sys.stderr)
        return 2
    return 0
