"""One copy of an environment as the server steps it."""

from __future__ import annotations

import abc
import dataclasses
from typing import Any

from troupe.serve.memory import Array, Arrays
from troupe.serve.spec import Spec

# How a step leaves an episode.
GOES_ON = 0
TERMINATED = 1
TRUNCATED = 2


@dataclasses.dataclass
class GroupRows:
    """A group's part of one copy. All but the actions are the copy's to write, and keep what was written."""

    observations: Array  # [A, O]
    masks: Array | None  # [A, N]
    alive: Array  # [A]
    rewards: Array  # [A]


@dataclasses.dataclass
class Rows:
    groups: list[GroupRows]
    state_extras: Array  # [S]
    statistics: Array  # [K]


def rows_of(arrays: Arrays, copy: int) -> Rows:
    groups = [
        GroupRows(g.observations[copy], None if g.masks is None else g.masks[copy], g.alive[copy], g.rewards[copy])
        for g in arrays.groups
    ]
    return Rows(groups, arrays.state_extras[copy], arrays.statistics[copy])


class Copy(abc.ABC):
    """What `troupe.serve` serves. Subclass it for an environment that is neither PettingZoo's nor Gymnasium's.

    The server calls bind once, then reset and step. What they raise ends the server and reaches the run's log.
    """

    spec: Spec  # the same of every copy

    @abc.abstractmethod
    def bind(self, rows: Rows) -> None:
        """Takes the arrays that reset and step write."""

    @abc.abstractmethod
    def reset(self, seed: int) -> None:
        """Begins an episode, of which everything random follows from `seed` (64 bits). Writes what agents see, their
        masks and who is alive."""

    @abc.abstractmethod
    def step(self, actions: list[Any]) -> int:
        """`actions`: per group [A][D] indices, or numbers within the bounds of continuous groups. Writes rewards and
        what agents see next (at the end of an episode: its last state, and statistics). Returns GOES_ON, TERMINATED (a
        final state: nothing follows) or TRUNCATED (time ran out: the last state still has a value)."""

    def close(self) -> None:
        """The server ends."""
