"""Copies of an environment as NumPy arrays, which the library writes and reads in place."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from troupe.environments.library import CopyArrays, GroupArrays, last_error, load


def _text(value: object) -> bytes:
    return (str(value).lower() if isinstance(value, bool) else str(value)).encode()


class _Handle:
    """Ends the environment once nothing refers to it, its arrays included."""

    def __init__(self, name: str, copies: int, settings: Mapping[str, object]) -> None:
        self.library = load()
        words = [word for key, value in settings.items() for word in (key.encode(), _text(value))]
        texts = (ctypes.c_char_p * len(words))(*words)
        self.pointer = self.library.troupe_environment_create(name.encode(), texts, len(settings), copies)
        if not self.pointer:
            raise last_error()

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            self.library.troupe_environment_destroy(self.pointer)


def _array(handle: _Handle, address: int | None, kind: Any, shape: Sequence[int], *, ours: bool = False) -> Any:
    """A view of the library's memory, to be written by us or not at all; None where there is none."""
    if address is None:
        return None
    size = int(np.prod(shape))
    if size == 0:
        return np.zeros(shape, kind)
    memory = (np.ctypeslib.as_ctypes_type(kind) * size).from_address(address)
    memory.handle = handle
    view = np.frombuffer(memory, kind).reshape(shape)
    view.flags.writeable = ours
    return view


class Group:
    """Agents with equal spaces, of E copies. A = agents, O = observed numbers, N = actions, D = indices of one."""

    def __init__(self, handle: _Handle, index: int, copies: int, about: Mapping[str, Any]) -> None:
        self.about = about  # the group's part of the spec
        self.name: str = about["name"]
        self.agents: list[str] = about["agents"]
        self.action_kind: str = about["action_kind"]  # discrete, multi_discrete or continuous
        self.action_sizes: list[int] = about["action_sizes"] or [about["action_size"]]
        given = GroupArrays()
        if handle.library.troupe_environment_group_arrays(handle.pointer, index, ctypes.byref(given)) != 0:
            raise last_error()
        rows = (copies, len(self.agents))
        of_actions = (*rows, about["action_size"])
        self.observations: NDArray[np.float32] = _array(
            handle, given.observations, np.float32, (*rows, about["observation_size"])
        )  # [E, A, O]
        # [E, A, N], 1 = allowed; None of continuous actions.
        self.action_masks: NDArray[np.uint8] | None = _array(handle, given.action_masks, np.uint8, of_actions)
        self.alive: NDArray[np.uint8] = _array(handle, given.alive, np.uint8, rows)  # [E, A]
        self.rewards: NDArray[np.float32] = _array(handle, given.rewards, np.float32, rows)  # [E, A], of the last step
        # What the next step takes: [E, A, D] indices, [E, A, N] numbers within their bounds of continuous actions.
        self.actions: NDArray[Any] = (
            _array(handle, given.numbers, np.float32, of_actions, ours=True)
            if self.action_kind == "continuous"
            else _array(handle, given.indices, np.int32, (*rows, len(self.action_sizes)), ours=True)
        )


class Copies:
    """E copies, stepped together. All arrays keep their place and change with every call; they outlive this object.

    copies = troupe.make_copies("simple_spread", 64)
    copies.reset(seed)
    while True:
        for group in copies.groups: group.actions[:] = …
        copies.step()
        for copy in numpy.flatnonzero(copies.terminated | copies.truncated):
            …                                     # its last observations and statistics are still there
            copies.reset_copy(copy, next_seed)

    One thread at a time. Errors are ValueErrors with the environment's words."""

    def __init__(self, name: str, copies: int, settings: Mapping[str, object]) -> None:
        self._handle = _Handle(name, copies, settings)
        library, pointer = self._handle.library, self._handle.pointer
        self.spec: dict[str, Any] = json.loads(library.troupe_environment_spec(pointer).decode())
        self.name: str = self.spec["name"]
        self.groups = [Group(self._handle, g, copies, about) for g, about in enumerate(self.spec["groups"])]
        given = CopyArrays()
        library.troupe_environment_copy_arrays(pointer, ctypes.byref(given))
        self.statistics_names: list[str] = self.spec["statistics"]
        self.state: NDArray[np.float32] = _array(
            self._handle, given.state, np.float32, (copies, self.spec["state_size"])
        )  # [E, S], what a central critic sees
        self.terminated: NDArray[np.bool_] = _array(self._handle, given.terminated, np.bool_, (copies,))  # [E]
        self.truncated: NDArray[np.bool_] = _array(self._handle, given.truncated, np.bool_, (copies,))  # [E]
        self.statistics: NDArray[np.float64] = _array(
            self._handle, given.statistics, np.float64, (copies, len(self.statistics_names))
        )  # [E, …], of the last episode that was over

    def __len__(self) -> int:
        return len(self.terminated)

    def reset(self, seed: int) -> None:
        """Begins an episode in every copy: of copy c with seed + c."""
        for copy in range(len(self)):
            self.reset_copy(copy, seed + copy)

    def reset_copy(self, copy: int, seed: int) -> None:
        """The episode that `actor_worker evaluate` plays with that seed, of which 64 bits count."""
        self._check(self._handle.library.troupe_environment_reset(self._handle.pointer, int(copy), seed & (2**64 - 1)))

    def step(self, which: NDArray[np.bool_] | None = None) -> None:
        """Every copy, or those of `which` [E]."""
        chosen = None
        if which is not None:
            flags = np.ascontiguousarray(which, np.bool_)
            if flags.shape != (len(self),):
                raise ValueError(f"which: expected [{len(self)}], came {list(flags.shape)}")
            chosen = flags.ctypes.data
        self._check(self._handle.library.troupe_environment_step(self._handle.pointer, chosen))

    def render(self, copy: int = 0) -> str:
        """A few lines about the copy's state."""
        text = self._handle.library.troupe_environment_render(self._handle.pointer, int(copy))
        if text is None:
            raise last_error()
        return text.decode()

    @staticmethod
    def _check(result: int) -> None:
        if result != 0:
            raise last_error()
