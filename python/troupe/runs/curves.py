"""Learning curves: points of one run, and of several as a band."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

Points = list[tuple[float, float]]  # (environment steps, value)


@dataclasses.dataclass(frozen=True)
class Band:
    """Of several runs at the same steps: their mean, lowest and highest."""

    steps: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]


def points(records: Iterable[dict[str, Any]], *path: str) -> Points:
    """(env_steps, value) of the records that have a number at the path: points(run.updates, "statistics", "loss")."""
    found: Points = []
    for record in records:
        value: Any = record
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            found.append((float(record["env_steps"]), float(value)))
    return found


def thinned(curve: Points, most: int = 200) -> Points:
    """Means of neighbours, so that no more than `most` points are left."""
    group = max(1, math.ceil(len(curve) / most))
    chunks = [curve[i : i + group] for i in range(0, len(curve), group)]
    return [(chunk[-1][0], sum(value for _, value in chunk) / len(chunk)) for chunk in chunks]


def band(curves: Sequence[Points], most: int = 150) -> Band:
    """Over runs: of every one the straight line between its points, at those steps of the longest that all have begun
    before, at most `most` of them; where runs end early, of those that go on."""
    kept = [thinned(curve, most) for curve in curves if curve]
    if not kept:
        return Band([], [], [], [])
    first = max(curve[0][0] for curve in kept)
    grid = [steps for steps, _ in max(kept, key=lambda curve: (curve[-1][0], len(curve)))]
    steps, rows = [], []
    for at in grid:
        row = [_at(curve, at) for curve in kept if curve[-1][0] >= at]
        if at >= first and row:
            steps.append(at)
            rows.append(row)
    return Band(steps, [sum(row) / len(row) for row in rows], [min(row) for row in rows], [max(row) for row in rows])


def _at(curve: Points, steps: float) -> float:
    after = next(i for i, (at, _) in enumerate(curve) if at >= steps)
    x1, y1 = curve[after]
    if after == 0 or x1 == steps:
        return y1
    x0, y0 = curve[after - 1]
    return y0 + (y1 - y0) * (steps - x0) / (x1 - x0)
