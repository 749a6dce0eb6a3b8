"""Gymnasium's spaces as rows of numbers: what is observed, and what actions look like."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from troupe.serve.memory import Array
from troupe.serve.spec import CONTINUOUS, DISCRETE, MULTI_DISCRETE, Observed

# Beyond this, numbers have no names of their own.
_MOST_NAMES = 1000


@dataclasses.dataclass
class Observing:
    """`write(value, row)` writes a value of the space as `size` numbers, and raises ValueError where it is none."""

    size: int
    names: list[str]
    divided_by: float
    write: Callable[[Any, Array], None]

    def observed(self) -> tuple[Observed, ...]:
        if self.size > _MOST_NAMES:
            return ()
        return tuple(Observed(name.strip("."), self.divided_by) for name in self.names)


@dataclasses.dataclass(frozen=True)
class Acting:
    """`kind` and sizes as in troupe.serve.spec.Group; `decode` makes the space's action of a row of indices or
    numbers."""

    kind: str
    size: int
    sizes: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    decode: Callable[[list[Any]], Any] = dataclasses.field(compare=False)


def _numbered(count: int) -> list[str]:
    return [f"[{i}]" for i in range(count)] if count <= _MOST_NAMES else []


def _observing_box(space: spaces.Box) -> Observing:
    shape, size = space.shape, math.prod(space.shape)
    bytes_of_picture = space.dtype == np.uint8
    scale = 255.0 if bytes_of_picture else 1.0
    flat = len(shape) == 1

    def write(value: Any, row: Array) -> None:
        if not isinstance(value, np.ndarray):
            value = np.asarray(value, dtype=np.float64)
        if value.shape != shape:
            raise ValueError(f"the observation has the shape {value.shape}, the space says {shape}")
        row[:] = value if flat else value.reshape(-1)
        if bytes_of_picture:
            row /= scale

    return Observing(size, _numbered(size), scale, write)


def _observing_one_of(n: int, start: int) -> Observing:
    def write(value: Any, row: Array) -> None:
        index = int(value) - start
        if not 0 <= index < n:
            raise ValueError(f"the observation is {value}, the space has {start} … {start + n - 1}")
        row[:] = 0
        row[index] = 1

    return Observing(n, [f"is_{start + i}" for i in range(n)] if n <= _MOST_NAMES else [], 1.0, write)


def _observing_parts(parts: list[tuple[Any, str, Observing]]) -> Observing:
    """Parts of a value side by side: (key, prefix of names, how it is observed)."""
    sizes = [part.size for _, _, part in parts]
    begins = np.cumsum([0, *sizes]).tolist()
    total = begins[-1]
    named = total <= _MOST_NAMES and all(part.divided_by == 1.0 for _, _, part in parts)

    def write(value: Any, row: Array) -> None:
        if len(value) != len(parts):
            raise ValueError(f"the observation has {len(value)} parts, the space {len(parts)}")
        for (key, _, part), begin in zip(parts, begins):
            part.write(value[key], row[begin : begin + part.size])

    names = [f"{prefix}{name}" for _, prefix, part in parts for name in part.names] if named else []
    return Observing(total, names, 1.0, write)


def observing(space: spaces.Space[Any]) -> Observing:
    if isinstance(space, spaces.Box):
        return _observing_box(space)
    if isinstance(space, spaces.Discrete):
        return _observing_one_of(int(space.n), int(space.start))
    if isinstance(space, spaces.MultiBinary):
        return _observing_box(spaces.Box(0, 1, space.shape, np.int8))
    if isinstance(space, spaces.MultiDiscrete):
        sizes, starts = space.nvec.reshape(-1).tolist(), space.start.reshape(-1).tolist()
        parts = [_observing_one_of(n, start) for n, start in zip(sizes, starts)]
        return _observing_parts([(i, f"[{i}].", part) for i, part in enumerate(parts)])
    if isinstance(space, spaces.Dict):
        return _observing_parts([(key, f"{key}.", observing(part)) for key, part in space.spaces.items()])
    if isinstance(space, spaces.Tuple):
        return _observing_parts([(i, f"[{i}].", observing(part)) for i, part in enumerate(space.spaces)])
    raise TypeError(
        f"observations of {space} cannot be served: Box, Discrete, MultiDiscrete, MultiBinary, Dict and Tuple can"
    )


def _acting_choices(sizes: list[int], starts: list[int], shape: tuple[int, ...], dtype: Any) -> Acting:
    offset = np.asarray(starts, dtype=dtype)

    def decode(row: list[Any]) -> Any:
        return (np.asarray(row, dtype=dtype) + offset).reshape(shape)

    return Acting(MULTI_DISCRETE, sum(sizes), tuple(sizes), (), (), decode)


def _acting_box(space: spaces.Box) -> Acting:
    shape, dtype = space.shape, space.dtype
    low, high = space.low.reshape(-1), space.high.reshape(-1)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise TypeError(f"actions of {space} have no finite bounds: wrap the environment so that they have")

    def decode(row: list[Any]) -> Any:
        return np.clip(np.asarray(row, dtype=dtype), low, high).reshape(shape)

    bounds = tuple(low.astype(float).tolist()), tuple(high.astype(float).tolist())
    return Acting(CONTINUOUS, len(low), (), *bounds, decode)


def acting(space: spaces.Space[Any]) -> Acting:
    if isinstance(space, spaces.Discrete):
        start = int(space.start)
        return Acting(DISCRETE, int(space.n), (), (), (), lambda row: start + row[0])
    if isinstance(space, spaces.MultiDiscrete):
        sizes, starts = space.nvec.reshape(-1).tolist(), space.start.reshape(-1).tolist()
        return _acting_choices(sizes, starts, space.shape, space.dtype)
    if isinstance(space, spaces.MultiBinary):
        count = math.prod(space.shape)
        return _acting_choices([2] * count, [0] * count, space.shape, space.dtype)
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        return _acting_box(space)
    raise TypeError(f"actions of {space} cannot be served: Discrete, MultiDiscrete, MultiBinary and Box of floats can")
