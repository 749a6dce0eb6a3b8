"""Agents by name in their places of the arrays, and what agents of PettingZoo and Gymnasium have in common."""

from __future__ import annotations

import dataclasses
import os.path
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from troupe.serve.copy import Rows
from troupe.adapters.spaces import Acting, Observing, acting, observing
from troupe.serve.memory import Array
from troupe.serve.spec import CONTINUOUS, Group

_MASK = "action_mask"


def _without_mask(space: spaces.Space[Any]) -> tuple[spaces.Space[Any], bool]:
    """The space of what is observed, and whether values of `space` hold it beside a mask."""
    if not isinstance(space, spaces.Dict) or _MASK not in space.spaces:
        return space, False
    rest = {key: part for key, part in space.spaces.items() if key != _MASK}
    return next(iter(rest.values())) if len(rest) == 1 else spaces.Dict(rest), True


def _inside(value: Mapping[str, Any]) -> Any:
    """What is observed, of a value that holds a mask as well."""
    rest = {key: part for key, part in value.items() if key != _MASK}
    return next(iter(rest.values())) if len(rest) == 1 else rest


class Seat:
    """One agent: where its numbers are, and how its observations, masks and actions become rows."""

    def __init__(self, name: str, seen: Observing, act: Acting, in_dict: bool) -> None:
        self.name = name
        self.group = 0  # indices into the spec
        self.index = 0
        self.decode: Callable[[list[Any]], Any] = act.decode
        self._seen = seen
        self._act = act
        self._in_dict = in_dict
        self._restricted = True  # the mask's row is not all ones
        self._alive = False

    def bind(self, rows: Rows) -> None:
        group = rows.groups[self.group]
        self._observation: Array = group.observations[self.index]
        self._mask: Array | None = None if group.masks is None else group.masks[self.index]
        self._alive_row = group.alive
        self.rewards = group.rewards
        self.leave()

    def see(self, value: Any, info: Mapping[str, Any] | None, alive: bool = True) -> None:
        """What the agent observes, with the mask that comes in the observation or in the info."""
        mask = info.get(_MASK) if info else None
        if self._in_dict:
            mask = value.get(_MASK, mask)
            value = _inside(value)
        try:
            self._seen.write(value, self._observation)
            self._allow(mask)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"agent {self.name}: {error}") from error
        self.set_alive(alive)

    def leave(self) -> None:
        """The agent is dead, or not there yet: zeros, every action allowed."""
        self._observation[:] = 0
        self._allow(None)
        self.set_alive(False, force=True)

    def idle(self) -> None:
        """It is not the agent's turn: it keeps what it saw."""
        self._allow(None)
        self.set_alive(False)

    def set_alive(self, alive: bool, force: bool = False) -> None:
        if alive != self._alive or force:
            self._alive_row[self.index] = alive
            self._alive = alive

    def _allow(self, mask: Any) -> None:
        row = self._mask
        if row is None:
            return
        if mask is None:
            if self._restricted:
                row[:] = 1
                self._restricted = False
            return
        if self._act.sizes and isinstance(mask, tuple):
            mask = np.concatenate([np.asarray(part) for part in mask])
        mask = np.asarray(mask)
        if mask.shape != row.shape:
            raise ValueError(f"the action mask has the shape {mask.shape}, expected {row.shape}")
        row[:] = mask != 0
        self._restricted = True

    @property
    def key(self) -> Any:
        """Equal for agents that may share a group."""
        return self._seen.size, tuple(self._seen.names), self._seen.divided_by, self._act

    def group_of(self, name: str, agents: Iterable[str], team: str) -> Group:
        act = self._act
        return Group(
            name=name,
            agents=tuple(agents),
            observation_size=self._seen.size,
            action_kind=act.kind,
            action_size=act.size,
            action_sizes=act.sizes,
            action_low=act.low if act.kind == CONTINUOUS else (),
            action_high=act.high if act.kind == CONTINUOUS else (),
            observed=self._seen.observed(),
            team=team,
        )


def make_seat(name: str, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> Seat:
    space, in_dict = _without_mask(observation_space)
    try:
        seen, act = observing(space), acting(action_space)
    except TypeError as error:
        raise TypeError(f"agent {name}: {error}") from error
    if seen.size == 0:
        raise TypeError(f"agent {name}: nothing is observed, {observation_space}")
    return Seat(name, seen, act, in_dict)


def _group_names(groups: list[list[Seat]]) -> list[str]:
    """What the names of a group's agents begin with, where that tells groups apart."""
    names = []
    for seats in groups:
        common = os.path.commonprefix([seat.name for seat in seats])
        names.append(common.rstrip("0123456789").rstrip("_- ") or common)
    if all(names) and len(set(names)) == len(names):
        return names
    return [seats[0].name if len(seats) == 1 else f"group_{g}" for g, seats in enumerate(groups)]


@dataclasses.dataclass
class Seating:
    seats: list[Seat]
    groups: tuple[Group, ...]


def seat_agents(seats: list[Seat], teams: bool) -> Seating:
    """Groups the agents that have equal spaces, in the order in which they are first met. `teams`: every group plays
    for itself."""
    by_key: dict[Any, list[Seat]] = {}
    for seat in seats:
        by_key.setdefault(seat.key, []).append(seat)
    members = list(by_key.values())
    groups = []
    for g, (group, name) in enumerate(zip(members, _group_names(members))):
        for index, seat in enumerate(group):
            seat.group, seat.index = g, index
        groups.append(group[0].group_of(name, (seat.name for seat in group), name if teams else ""))
    return Seating(seats, tuple(groups))
