"""The folder that `actor_worker record` writes; its tensors are told in actor_worker/offline/episode_rows.h."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from troupe.episodes.episode import Episode, GroupEpisode
from troupe.policy.safetensors import read_safetensors

_FORMAT = "troupe-episodes/1"
_Tensors = dict[str, NDArray[Any]]


class EpisodeFolder:
    """Episodes in their order, read a file at a time."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """ValueError where there is none, or a file of another kind."""
        self.path = Path(path)
        self.files = sorted(self.path.glob("episodes-*.safetensors"))
        if not self.files:
            raise ValueError(f"{path}: no episodes-*.safetensors in it; `actor_worker record --out` writes them")
        self.metadata = _read(self.files[0])[1]  # "experiment", "player", "actions", …
        self.spec: dict[str, Any] = json.loads(self.metadata["spec"])

    @property
    def agents(self) -> list[str]:
        return [agent for group in self.spec["groups"] for agent in group["agents"]]

    def __iter__(self) -> Iterator[Episode]:
        for file in self.files:
            yield from self.episodes_of(file)

    def episodes_of(self, file: Path) -> Iterator[Episode]:
        """ValueError naming the file and the tensor that does not fit."""
        tensors, metadata = _read(file)
        if metadata["spec"] != self.metadata["spec"]:
            raise ValueError(f"{file}: its environment is another than that of {self.files[0].name}")
        take = functools.partial(_take, file, tensors)
        lengths = take("lengths", (-1,))
        count, done = len(lengths), int(lengths.sum())
        seen = done + count
        seeds, terminated = take("seeds", (count,)).view(np.uint64), take("terminated", (count,))
        statistics, extras = np.zeros((count, 0)), np.zeros((seen, 0), np.float32)
        if self.spec["statistics"]:
            statistics = take("statistics", (count, len(self.spec["statistics"])))
        if "state_extras" in tensors:
            extras = take("state_extras", (seen, -1))
        whole = {group["name"]: _group(group, take, seen, done) for group in self.spec["groups"]}
        first = 0
        for i, length in enumerate(int(length) for length in lengths):
            # So many episodes before have a row more of what is seen.
            sight, deeds = slice(first + i, first + i + length + 1), slice(first, first + length)
            yield Episode(
                seed=int(seeds[i]),
                terminated=bool(terminated[i]),
                statistics=dict(zip(self.spec["statistics"], map(float, statistics[i]), strict=True)),
                groups={name: _part(group, sight, deeds) for name, group in whole.items()},
                state_extras=extras[sight],
            )
            first += length


def load_episodes(path: str | os.PathLike[str]) -> EpisodeFolder:
    """Of a folder that `actor_worker record` wrote."""
    return EpisodeFolder(path)


def _read(file: Path) -> tuple[_Tensors, dict[str, str]]:
    tensors, metadata = read_safetensors(file)
    if metadata.get("format") != _FORMAT or "spec" not in metadata:
        raise ValueError(f'{file}: its format is "{metadata.get("format", "")}", expected "{_FORMAT}"')
    return tensors, metadata


def _take(file: Path, tensors: _Tensors, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    if name not in tensors:
        raise ValueError(f'{file}: no tensor "{name}"')
    found = tensors[name].shape
    if len(found) != len(shape) or any(want not in (-1, is_) for want, is_ in zip(shape, found, strict=True)):
        raise ValueError(f'{file}: tensor "{name}" is {list(found)}, expected {list(shape)}')
    return tensors[name]


def _group(about: dict[str, Any], take: Any, seen: int, done: int) -> GroupEpisode:
    name, agents, size = about["name"], len(about["agents"]), about["action_size"]
    kind = about["action_kind"]
    masks = None if kind == "continuous" else take(f"action_masks/{name}", (seen, agents, size)) != 0
    actions = take(f"actions/{name}", (done, agents, -1))
    return GroupEpisode(
        about=about,
        observations=take(f"observations/{name}", (seen, agents, about["observation_size"])),
        alive=take(f"alive/{name}", (seen, agents)) != 0,
        action_masks=masks,
        actions=actions[:, :, 0] if kind == "discrete" else actions,
        rewards=take(f"rewards/{name}", (done, agents)),
    )


def _part(group: GroupEpisode, sight: slice, deeds: slice) -> GroupEpisode:
    return GroupEpisode(
        about=group.about,
        observations=group.observations[sight],
        alive=group.alive[sight],
        action_masks=None if group.action_masks is None else group.action_masks[sight],
        actions=group.actions[deeds],
        rewards=group.rewards[deeds],
    )
