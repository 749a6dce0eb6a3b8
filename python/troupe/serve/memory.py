"""The memory that a worker shares with its server, as arrays: the table of proto/environment_service.proto."""

from __future__ import annotations

import dataclasses
import math
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

from troupe.serve.spec import CONTINUOUS, Spec

Array = npt.NDArray[Any]


@dataclasses.dataclass
class GroupArrays:
    """E copies, A agents, D choices or continuous dimensions, O observed numbers, N actions."""

    actions: Array  # [E, A, D], int32 or float32
    observations: Array  # [E, A, O], float32
    masks: Array | None  # [E, A, N], uint8, of groups that are not continuous
    alive: Array  # [E, A], uint8
    rewards: Array  # [E, A], float32


@dataclasses.dataclass
class Arrays:
    commands: Array  # [E], uint8
    seeds: Array  # [E], uint64
    endings: Array  # [E], uint8
    statistics: Array  # [E, K], float64
    state_extras: Array  # [E, S], float32
    groups: list[GroupArrays]


def _shapes(spec: Spec, copies: int) -> list[tuple[tuple[int, ...], Any]]:
    """Shape and type of every array in the table's order."""
    arrays: list[tuple[tuple[int, ...], Any]] = [
        ((copies,), np.uint8),
        ((copies,), np.uint64),
        ((copies,), np.uint8),
        ((copies, spec.num_statistics), np.float64),
        ((copies, spec.state_extras_size), np.float32),
    ]
    for group in spec.groups:
        agents = (copies, len(group.agents))
        continuous = group.action_kind == CONTINUOUS
        arrays += [
            ((*agents, group.choices), np.float32 if continuous else np.int32),
            ((*agents, group.observation_size), np.float32),
            ((*agents, 0 if continuous else group.action_size), np.uint8),
            (agents, np.uint8),
            (agents, np.float32),
        ]
    return arrays


def _name(arrays: list[Array], groups: int) -> Arrays:
    named = []
    for g in range(groups):
        actions, observations, masks, alive, rewards = arrays[5 + 5 * g : 10 + 5 * g]
        named.append(GroupArrays(actions, observations, masks if masks.size else None, alive, rewards))
    commands, seeds, endings, statistics, state_extras = arrays[:5]
    return Arrays(commands, seeds, endings, statistics, state_extras, named)


def map_arrays(file: int, spec: Spec, copies: int) -> Arrays:
    """The worker's memory; `file` has its size by now."""
    memory = mmap.mmap(file, 0)
    shapes = _shapes(spec, copies)
    offsets = np.frombuffer(memory, np.uint64, len(shapes)).tolist()
    arrays = [
        np.frombuffer(memory, dtype, math.prod(shape), offset if math.prod(shape) else 0).reshape(shape)
        for (shape, dtype), offset in zip(shapes, offsets)
    ]
    return _name(arrays, len(spec.groups))


def make_arrays(spec: Spec, copies: int) -> Arrays:
    """Arrays of this process's own, for trials without a worker."""
    return _name([np.zeros(shape, dtype) for shape, dtype in _shapes(spec, copies)], len(spec.groups))
