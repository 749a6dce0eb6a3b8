"""Weights & Biases (PyPI wandb)."""

from __future__ import annotations

from typing import Any

from troupe.runs.run import Run
from troupe.track.records import records_of


def track(run: Run, wandb: Any, project: str) -> int:
    """Sends all records as one run of `project`; returns how many. Exceptions are the package's own."""
    with wandb.init(project=project, name=f"{run.name}-seed{run.seed}", config=run.settings) as sent:
        sent.define_metric("*", step_metric="env_steps")
        count = 0
        for steps, numbers in records_of(run):
            sent.log({"env_steps": steps, **numbers})
            count += 1
    return count
