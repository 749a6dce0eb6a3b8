"""From a network's outputs to actions, as common/specs/distribution_spec.h has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from troupe.policy.network import Floats
from troupe.policy.spec import PolicySpec

_LEAST_LOG_STD, _MOST_LOG_STD = -20.0, 2.0


def choose(
    spec: PolicySpec,
    outputs: Floats,
    masks: NDArray[np.bool_] | None,
    log_std: Floats | None,
    scalars: Mapping[str, float],
    rng: np.random.Generator | None,
) -> NDArray[Any]:
    """The most probable actions, or with `rng` drawn ones, of rows `outputs` [R, M]: int64 [R] of discrete actions,
    int64 [R, D] of multi-discrete ones, float32 [R, N] of continuous ones, in the environment's units. `log_std`
    [R, N]: of Gaussians that have it as a parameter."""
    if spec.distribution == "deterministic":
        return _deterministic(spec, np.tanh(outputs), scalars.get("action_noise", 0.0), rng)
    if spec.action_kind == "continuous":
        return _gaussian(spec, outputs, log_std, scalars.get("noise_scale", 1.0), rng)
    allowed = np.ones(outputs.shape, bool) if masks is None else masks
    if spec.distribution == "epsilon_greedy":
        return _epsilon_greedy(outputs, allowed, scalars.get("epsilon", 0.0), rng)
    if spec.distribution == "categorical":
        return _categorical(outputs, allowed, rng)
    ends = np.cumsum(spec.action_sizes)[:-1]
    parts = zip(np.split(outputs, ends, axis=1), np.split(allowed, ends, axis=1))
    return np.stack([_categorical(*part, rng) for part in parts], axis=1)


def _categorical(logits: Floats, allowed: NDArray[np.bool_], rng: np.random.Generator | None) -> NDArray[np.int64]:
    logits = np.where(allowed, logits, -np.inf)
    if rng is None:
        return np.asarray(logits.argmax(axis=1), np.int64)
    likelihoods = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    cumulative = np.cumsum(likelihoods, axis=1)
    target = rng.random((len(logits), 1)) * cumulative[:, -1:]
    return np.asarray((cumulative > target).argmax(axis=1), np.int64)


def _epsilon_greedy(
    values: Floats, allowed: NDArray[np.bool_], epsilon: float, rng: np.random.Generator | None
) -> NDArray[np.int64]:
    best: NDArray[np.int64] = np.where(allowed, values, -np.inf).argmax(axis=1)
    if rng is None:
        return best
    any_allowed = _categorical(np.zeros_like(values), allowed, rng)
    return np.where(rng.random(len(values)) < epsilon, any_allowed, best)


def _gaussian(
    spec: PolicySpec, outputs: Floats, log_std: Floats | None, noise_scale: float, rng: np.random.Generator | None
) -> Floats:
    number = mean = outputs[:, : spec.action_size]
    if rng is not None:
        log_std = outputs[:, spec.action_size :] if spec.state_dependent_std else log_std
        assert log_std is not None
        deviation = noise_scale * np.exp(np.clip(log_std.astype(np.float64), _LEAST_LOG_STD, _MOST_LOG_STD))
        number = (mean + deviation * rng.standard_normal(mean.shape)).astype(np.float32)
    return _in_units(spec, np.tanh(number) if spec.distribution == "squashed_gaussian" else np.clip(number, -1, 1))


def _deterministic(spec: PolicySpec, mean: Floats, noise: float, rng: np.random.Generator | None) -> Floats:
    if rng is not None:
        mean = (mean + noise * rng.standard_normal(mean.shape)).astype(np.float32)
    return _in_units(spec, np.clip(mean, -1, 1))


def _in_units(spec: PolicySpec, taken: Floats) -> Floats:
    """From [-1, 1] to the environment's bounds."""
    low, high = spec.low_high()
    return np.clip(low + (taken + 1) / 2 * (high - low), low, high).astype(np.float32)
