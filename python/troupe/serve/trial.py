"""Copies played at random without a worker: what one would see of them, and how fast they are."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from troupe.serve.copy import Copy
from troupe.serve.loop import RESET, REST, STEP, Stepper, bind, make_copies
from troupe.serve.memory import Arrays, make_arrays
from troupe.serve.spec import CONTINUOUS, Group, Spec


def describe(spec: Spec) -> str:
    lines = []
    for group in spec.groups:
        sizes = f" {list(group.action_sizes)}" if group.action_sizes else ""
        lines.append(
            f"{group.name}: {len(group.agents)} × {group.observation_size} observed numbers, "
            f"{group.action_size} {group.action_kind.lower()} actions{sizes}: {' '.join(group.agents)}"
        )
    return "\n".join(lines)


def _choose(group: Group, arrays: Arrays, g: int, random: np.random.Generator) -> None:
    """Allowed actions at random, for all copies."""
    here = arrays.groups[g]
    if group.action_kind == CONTINUOUS:
        low, high = np.array(group.action_low, np.float32), np.array(group.action_high, np.float32)
        here.actions[:] = low + (high - low) * random.random(here.actions.shape, np.float32)
        return
    assert here.masks is not None
    begin = 0
    for d, size in enumerate(group.action_sizes or (group.action_size,)):
        allowed = here.masks[:, :, begin : begin + size]
        here.actions[:, :, d] = (random.random(allowed.shape) * allowed).argmax(-1)
        begin += size


def play(make: Callable[[], Copy], copies: int, seconds: float, seed: int = 0) -> str:
    """Plays for so long; for people."""
    made = make_copies(make, copies)
    spec = made[0].spec
    arrays = make_arrays(spec, copies)
    bind(made, arrays)
    stepper = Stepper(spec, made, arrays)
    random = np.random.default_rng(seed)
    arrays.commands[:] = RESET
    arrays.seeds[:] = random.integers(0, 2**63, copies, np.uint64)
    stepper.ring()
    begin, steps = time.perf_counter(), 0
    paid = np.zeros(copies)  # of the episodes that are going on, mean over agents
    ended: list[tuple[float, float]] = []  # their return and their first statistic
    while time.perf_counter() - begin < seconds or steps == 0:
        for g, group in enumerate(spec.groups):
            _choose(group, arrays, g, random)
        arrays.commands[:] = STEP
        stepper.ring()
        steps += copies
        paid += np.concatenate([group.rewards for group in arrays.groups], axis=1).mean(axis=1, dtype=np.float64)
        over = arrays.endings != 0
        if over.any():
            told_first = arrays.statistics[over, 0] if spec.statistics else np.zeros(int(over.sum()))
            ended += zip(paid[over].tolist(), told_first.tolist())
            paid[over] = 0
            arrays.commands[:] = np.where(over, RESET, REST)
            arrays.seeds[:] = random.integers(0, 2**63, copies, np.uint64)
            stepper.ring()
    took = time.perf_counter() - begin
    told = f"{describe(spec)}\n{steps / took:,.0f} steps a second with {copies} copies"
    if ended:
        returned, first = np.mean(ended, axis=0)
        told += f"; {len(ended)} episodes, mean return of an agent {returned:.4g}"
        told += f", mean {spec.statistics[0]} {first:.4g}" if spec.statistics else ""
    return told
