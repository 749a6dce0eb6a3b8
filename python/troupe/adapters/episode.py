"""Statistics of an episode, and what every adapter is told by its user."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from troupe.adapters.seats import Seat
from troupe.serve.memory import Array


@dataclasses.dataclass(frozen=True)
class Options:
    """As troupe.serve's."""

    statistics: tuple[str, ...] = ()
    state: bool = False
    teams: bool = False


# What is reported of every environment, beside the return that every run reports.
_OWN = ("length",)


def statistics_names(options: Options) -> tuple[str, ...]:
    return _OWN + options.statistics


def agent_statistics_names(agents: int) -> tuple[str, ...]:
    return ("return",) if agents > 1 else ()


class Score:
    """Rewards so far, by agent."""

    def __init__(self, seats: list[Seat], options: Options) -> None:
        self._seats = sorted(seats, key=lambda seat: (seat.group, seat.index))
        self._options = options
        self.begin()

    def begin(self) -> None:
        self.length = 0
        self.returns = {seat.name: 0.0 for seat in self._seats}

    def write(self, infos: list[Mapping[str, Any]], row: Array) -> None:
        """At the end: the statistics, of the infos the first that has each."""
        values = [float(self.length)]
        for name in self._options.statistics:
            found = next((float(info[name]) for info in infos if name in info), math.nan)
            if math.isnan(found):
                raise KeyError(f'no info of the episode\'s last step has the statistic "{name}"')
            values.append(found)
        if len(self._seats) > 1:
            values += [self.returns[seat.name] for seat in self._seats]
        row[:] = values
