"""Runs that differ in nothing but their seed are one group, a line of every chart."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from troupe.runs.curves import Band, Points, band, points
from troupe.runs.run import Record, Run

# Quantiles 0.975 of Student's t with 1, 2, … degrees of freedom.
_T = (
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
    2.201,
    2.179,
    2.160,
    2.145,
    2.131,
    2.120,
    2.110,
    2.101,
    2.093,
    2.086,
    2.080,
    2.074,
    2.069,
    2.064,
    2.060,
    2.056,
    2.052,
    2.048,
    2.045,
    2.042,
)
_WITHIN_A_GROUP = ("seed", "name", "initial_actors")
_LONGEST_LABEL = 60


@dataclasses.dataclass(frozen=True)
class Group:
    label: str
    runs: tuple[Run, ...]

    def band(self, which: str, *path: str) -> Band:
        """Of the runs' records, `which`: "updates" or "evaluations"."""
        return band([self._points(run, which, path) for run in self.runs])

    @staticmethod
    def _points(run: Run, which: str, path: tuple[str, ...]) -> Points:
        records: list[Record] = getattr(run, which)
        return points(records, *path)

    def names(self, which: str, key: str) -> list[str]:
        """Of all figures below `key` that the runs' records have, as they first come."""
        found: dict[str, None] = {}
        for run in self.runs:
            for record in getattr(run, which):
                found |= dict.fromkeys(name for name, value in (_below(record, key) or {}).items() if _is_number(value))
        return list(found)

    def total(self, key: str, name: str) -> float:
        """Mean over runs of a figure's sum over updates."""
        sums = [sum((_below(record, key) or {}).get(name) or 0 for record in run.updates) for run in self.runs]
        return sum(sums) / len(sums)

    @property
    def wall_seconds(self) -> float:
        return sum(run.wall_seconds for run in self.runs) / len(self.runs)


def _below(record: Record, key: str) -> Record | None:
    value: Record | None = record
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def group_runs(runs: Sequence[Run]) -> list[Group]:
    """In the order in which they first come. Their labels tell them from each other: by the experiment's name, and by
    the settings in which those of one name differ."""
    found: dict[tuple[tuple[str, str], ...], list[Run]] = {}
    for run in runs:
        key = tuple(sorted((k, v) for k, v in run.settings.items() if k not in _WITHIN_A_GROUP))
        found.setdefault(key or (("folder", str(run.folder)),), []).append(run)
    groups = list(found.values())
    labels = []
    for group in groups:
        name = group[0].name
        alike = [other[0].settings for other in groups if other[0].name == name]
        differing = [field for field in differences(alike) if field not in _WITHIN_A_GROUP]
        told = ", ".join(f"{field.rpartition('.')[2]}={group[0].settings.get(field, '–')}" for field in differing)
        all_of_one_name = len({other[0].name for other in groups}) == 1
        label = told if told and all_of_one_name else f"{name}: {told}" if told else name
        labels.append(label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…")
    for i, label in enumerate(labels):
        if labels.count(label) > 1:
            labels[i] = f"{label} ({groups[i][0].folder})"
    return [Group(label, tuple(group)) for label, group in zip(labels, groups)]


def differences(settings: Sequence[dict[str, str]]) -> list[str]:
    """The fields that are not the same in all, in their order."""
    fields = dict.fromkeys(field for of in settings for field in of)
    return [field for field in fields if len({of.get(field) for of in settings}) > 1]


def mean_and_half_width(values: Sequence[float]) -> tuple[float, float | None]:
    """Of runs: half of the 95 % confidence interval by Student's t; of one run there is none."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, None
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    freedom = len(values) - 1
    return mean, (_T[freedom - 1] if freedom <= len(_T) else 1.96) * deviation / math.sqrt(len(values))
