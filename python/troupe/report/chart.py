"""Charts as data; svg.py and png.py draw them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence

from troupe.runs.curves import Band


@dataclasses.dataclass(frozen=True)
class Line:
    """Of one group of runs: a line of means between the lowest and the highest run."""

    label: str
    color: int  # of the page's colours
    band: Band
    dots: bool = False  # a mark for each point: of evaluations
    faint: bool = False  # thin and pale: of training episodes beside them


@dataclasses.dataclass(frozen=True)
class Rule:
    """A level to compare with, across the chart."""

    label: str
    value: float


@dataclasses.dataclass(frozen=True)
class Chart:
    name: str  # of its file
    title: str
    lines: tuple[Line, ...]
    rules: tuple[Rule, ...] = ()
    x_label: str = "environment steps"
    from_zero: bool = False

    def bounds(self) -> tuple[float, float]:
        """Of the vertical axis. A few wild points at the beginning do not flatten what follows."""
        values = sorted(v for line in self.lines for v in (*line.band.low, *line.band.high))
        if not values:
            return 0.0, 1.0
        rules = [rule.value for rule in self.rules]
        low, high = min(values[0], *rules, values[0]), max(values[-1], *rules, values[-1])
        if self.from_zero:
            low = min(0.0, low)
        margin = 0.06 * ((high - low) or abs(high) or 1.0)
        return low - (0.0 if self.from_zero and low == 0 else margin), high + margin

    def last_step(self) -> float:
        return max((line.band.steps[-1] for line in self.lines if line.band.steps), default=1.0)


@dataclasses.dataclass(frozen=True)
class Bars:
    """Parts of a whole, a bar for each row."""

    name: str
    title: str
    parts: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float, ...]], ...]  # label, a number for each part


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from low to high."""
    span = (high - low) or 1
    step = 10 ** math.floor(math.log10(span / most))
    step = next(step * factor for factor in (1, 2, 2.5, 5, 10) if span / (step * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def short(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 1e9:
        return f"{value / 1e9:g} G"
    if abs(value) >= 1e6:
        return f"{value / 1e6:g} M"
    if abs(value) >= 1e4:
        return f"{value / 1e3:g} k"
    return f"{value:g}"


def spread(wanted: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """The places of labels that want to stand at `wanted`, moved apart to `least` and kept within low … high where they
    fit."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places = [0.0] * len(wanted)
    above = low - least
    for i in order:
        places[i] = above = max(wanted[i], above + least)
    limit = high
    for i in reversed(order):
        if places[i] <= limit:
            break
        places[i] = limit
        limit -= least
    return places


def in_reach(rules: Iterable[Rule], lines: Iterable[Line]) -> tuple[Rule, ...]:
    """Those that would not flatten the lines: no further from them than they are long."""
    values = [value for line in lines for value in (*line.band.low, *line.band.high)]
    if not values:
        return tuple(rules)
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1
    return tuple(rule for rule in rules if low - span <= rule.value <= high + span)
