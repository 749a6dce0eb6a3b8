"""Aim (PyPI aim)."""

from __future__ import annotations

from typing import Any

from troupe.runs.run import Run
from troupe.track.records import records_of


def track(run: Run, aim: Any, project: str) -> int:
    """Sends all records as one run of the experiment `project`; returns how many. Exceptions are the package's own."""
    sent = aim.Run(experiment=project)
    try:
        sent.name = f"{run.name}-seed{run.seed}"
        sent["settings"] = run.settings
        count = 0
        for steps, numbers in records_of(run):
            for name, value in numbers.items():
                sent.track(value, name=name, step=steps)
            count += 1
    finally:
        sent.close()
    return count
