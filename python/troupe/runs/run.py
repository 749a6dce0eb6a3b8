"""One run folder."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from pathlib import Path
from typing import Any

from troupe.runs.textproto import parse_settings

Record = dict[str, Any]
_METRICS, _EXPERIMENT, _TABLE = "metrics.jsonl", "experiment.textproto", "evaluation.json"


@dataclasses.dataclass(frozen=True)
class Run:
    """Numbers that were not finite are None, as in the files."""

    folder: Path
    experiment: str  # text format, complete; "" where the folder has none
    updates: list[Record]  # lines of metrics.jsonl (learner/reporting/run_records.h), a line each
    evaluations: list[Record]  # as an update's "episodes", with update, env_steps, time, best beside
    verdicts: list[Record]  # of a curriculum's stages
    table: Record | None  # evaluation.json: the final policy against the baselines

    @functools.cached_property
    def settings(self) -> dict[str, str]:
        """The experiment's, as `--set` names them."""
        return parse_settings(self.experiment)

    @property
    def name(self) -> str:
        return self.settings.get("name", self.folder.name)

    @property
    def seed(self) -> int:
        return int(self.settings.get("seed", 1))

    @property
    def env_steps(self) -> int:
        """Trained on."""
        return max((int(record["env_steps"]) for record in self.updates), default=0)

    @property
    def wall_seconds(self) -> float:
        """Of training."""
        return float(self.updates[-1].get("wall_seconds") or 0) if self.updates else 0.0

    @property
    def best_by(self) -> tuple[str, bool]:
        """The statistic that the experiment is about, and whether less of it is better."""
        statistic = self.settings.get("evaluation.best_by", "episode_return")
        return statistic, self.settings.get("evaluation.smaller_is_better") == "true"


def load_run(path: str | os.PathLike[str]) -> Run:
    """OSError where there is no metrics.jsonl; ValueError naming the file and the line that is none of it. A last line
    that is cut short, as a killed learner leaves it, is left out."""
    folder = Path(path)
    metrics = folder / _METRICS
    updates: list[Record] = []
    evaluations: list[Record] = []
    verdicts: list[Record] = []
    lines = metrics.read_text().split("\n")
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            record = json.loads(line)
            if not isinstance(record, dict) or not {"update", "env_steps"} <= record.keys():
                raise ValueError("no record of a run")
        except ValueError as error:
            if number == len(lines):
                break
            raise ValueError(f"{metrics}:{number}: {error}") from error
        if "evaluation" in record:
            evaluations.append({**{k: v for k, v in record.items() if k != "evaluation"}, **record["evaluation"]})
        elif "stage_verdict" in record:
            verdicts.append(record)
        else:
            updates.append(record)
    experiment, table = folder / _EXPERIMENT, folder / _TABLE
    return Run(
        folder=folder,
        experiment=experiment.read_text() if experiment.exists() else "",
        updates=updates,
        evaluations=evaluations,
        verdicts=verdicts,
        table=json.loads(table.read_text()) if table.exists() else None,
    )


def find_runs(path: str | os.PathLike[str]) -> list[Run]:
    """The run in the folder, or all below it (a sweep's), in the order of their paths."""
    folder = Path(path)
    if (folder / _METRICS).exists():
        return [load_run(folder)]
    found = [load_run(metrics.parent) for metrics in folder.rglob(_METRICS)]
    return sorted(found, key=lambda run: (run.folder.parent, run.seed, run.folder))
