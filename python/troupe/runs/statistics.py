"""Aggregates over runs and tasks with intervals, as arXiv:2108.13264 proposes them (and rliable computes them, which
needs arch and so compilers): the interquartile mean, and its percentile interval by a bootstrap that draws runs within
tasks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Interval(NamedTuple):
    value: float
    low: float
    high: float


def interquartile_mean(scores: ArrayLike) -> float:
    """Of all numbers together, without the lowest and highest ⌊n/4⌋ of n."""
    ordered = np.sort(np.asarray(scores, float), axis=None)
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def interquartile_interval(
    scores: ArrayLike, confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Of `scores` [runs, tasks]. The same for the same scores and seed. ValueError for another shape or none."""
    matrix = np.asarray(scores, float)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ValueError(f"scores: expected [runs, tasks], came {list(matrix.shape)}")
    runs, tasks = matrix.shape
    drawn = np.random.default_rng(seed).integers(runs, size=(resamples, runs, tasks))
    samples = np.sort(np.take_along_axis(matrix[None], drawn, axis=1).reshape(resamples, -1), axis=1)
    cut = runs * tasks // 4
    means = samples[:, cut : runs * tasks - cut].mean(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(interquartile_mean(matrix), float(low), float(high))
