"""Records as trackers want them: a step and flat numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from troupe.runs.run import Run

Numbers = dict[str, float]


def records_of(run: Run) -> Iterator[tuple[int, Numbers]]:
    """(environment steps, {"statistics/entropy": …, "episodes/episode_return": …, "evaluation/statistics/…": …}) of
    every update and evaluation, in the order of their steps; those of one step together."""
    merged: dict[int, Numbers] = {}
    for record in run.updates:
        merged.setdefault(int(record["env_steps"]), {}).update(_flat("", record))
    for record in run.evaluations:
        merged.setdefault(int(record["env_steps"]), {}).update(_flat("evaluation/", record))
    yield from sorted(merged.items())


def _flat(prefix: str, record: dict[str, Any]) -> Numbers:
    numbers: Numbers = {}
    for name, value in record.items():
        if isinstance(value, dict):
            numbers |= _flat(f"{prefix}{name}/", value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and name not in ("env_steps", "time"):
            numbers[prefix + name] = float(value)
    return numbers
