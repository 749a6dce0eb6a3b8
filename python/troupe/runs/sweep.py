"""What `learner sweep` has found (learner/sweep/sweep_files.h)."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from troupe.runs.run import Run, find_runs


@dataclasses.dataclass(frozen=True)
class Sweep:
    folder: Path
    statistic: str  # that the scores are of
    tasks: list[str]
    seeds: list[int]
    scores: dict[str, list[list[float]]]  # [seeds, tasks] of every row, as rliable wants them
    results: dict[str, Any]  # every evaluation, as marl_eval wants them: {environment: {task: {row: {"seed_S": …}}}}

    def runs(self) -> list[Run]:
        return find_runs(self.folder)


def load_sweep(path: str | os.PathLike[str]) -> Sweep:
    """Of a sweep's folder. OSError where it has no scores.json; ValueError where that is something else."""
    folder = Path(path)
    scores = json.loads((folder / "scores.json").read_text())
    results = json.loads((folder / "results.json").read_text())
    try:
        return Sweep(folder, scores["statistic"], scores["tasks"], scores["seeds"], scores["scores"], results)
    except KeyError as error:
        raise ValueError(f"{folder}/scores.json: {error} is missing") from error
