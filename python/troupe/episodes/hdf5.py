"""Episodes as HDF5, laid out as Minari's datasets are; needs h5py.

episode_I/                attributes id, seed, total_steps, statistics/NAME
  observations/AGENT      [T + 1, O]
  actions/AGENT           [T] of discrete actions, [T, D] of multi-discrete ones, [T, N] of continuous ones
  rewards                 [T, agents], in the order of the file's attribute "agents"
  terminations, truncations   [T]: the last one says how the episode ended
  infos/alive             [T + 1, agents]
  infos/action_mask/AGENT [T + 1, N]
  infos/state_extras      [T + 1, S], where there are any

An environment of one agent has no level AGENT, and rewards are [T]: as Minari's own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from troupe.episodes.episode import Episode
from troupe.episodes.folder import EpisodeFolder

_MINARI = "0.5.0"  # whose layout this is


def write_hdf5(folders: Iterable[EpisodeFolder], path: str | os.PathLike[str]) -> tuple[int, int]:
    """How many episodes and steps. The folders must be of one environment."""
    import h5py

    episodes = steps = 0
    with h5py.File(path, "w", track_order=True) as file:
        for folder in folders:
            for name, text in _about(folder).items():
                file.attrs[name] = text
            for episode in folder:
                _write(file.create_group(f"episode_{episodes}"), episodes, episode)
                episodes, steps = episodes + 1, steps + len(episode)
    return episodes, steps


def write_minari(folders: list[EpisodeFolder], path: str | os.PathLike[str]) -> tuple[int, int]:
    """A dataset's folder: minari.MinariDataset(PATH/data). It must not be there yet."""
    data = Path(path) / "data"
    data.mkdir(parents=True)
    episodes, steps = write_hdf5(folders, data / "main_data.hdf5")
    first = folders[0]
    observed = {agent: _observed(group) for group in first.spec["groups"] for agent in group["agents"]}
    done = {agent: _done(group) for group in first.spec["groups"] for agent in group["agents"]}
    metadata = {
        "total_episodes": episodes,
        "total_steps": steps,
        "data_format": "hdf5",
        "jpeg_encoding": False,
        "observation_space": json.dumps(_of_agents(observed)),
        "action_space": json.dumps(_of_agents(done)),
        "dataset_id": f"troupe/{first.spec['name']}/{Path(path).resolve().name}-v0",
        "algorithm_name": ", ".join(dict.fromkeys(folder.metadata.get("player", "") for folder in folders)),
        "minari_version": _MINARI,
    }
    (data / "metadata.json").write_text(json.dumps(metadata))
    return episodes, steps


def _about(folder: EpisodeFolder) -> dict[str, str]:
    about = {"format": "troupe-episodes/1", "agents": json.dumps(folder.agents)}
    return about | {name: text for name, text in folder.metadata.items() if name in ("spec", "experiment", "player")}


def _write(group: Any, number: int, episode: Episode) -> None:
    group.attrs["id"], group.attrs["total_steps"] = number, len(episode)
    group.attrs["seed"] = np.uint64(episode.seed)
    for name, value in episode.statistics.items():
        group.attrs[f"statistics/{name}"] = value
    agents = [(name, of, index) for of in episode.groups.values() for index, name in enumerate(of.agents)]
    alone = len(agents) == 1
    rewards = np.concatenate([of.rewards for of in episode.groups.values()], axis=1)
    group["rewards"] = rewards[:, 0] if alone else rewards
    ends = np.zeros(len(episode), np.bool_)
    ends[-1:] = True
    group["terminations"], group["truncations"] = ends & episode.terminated, ends & (not episode.terminated)
    group["infos/alive"] = np.concatenate([of.alive for of in episode.groups.values()], axis=1)
    if episode.state_extras.shape[1]:
        group["infos/state_extras"] = episode.state_extras
    for name, of, index in agents:
        below = "" if alone else f"/{name}"
        group[f"observations{below}"] = of.observations[:, index]
        actions = of.actions[:, index]
        group[f"actions{below}"] = actions.astype(np.int64) if actions.dtype == np.int32 else actions
        if of.action_masks is not None:
            group[f"infos/action_mask{below}"] = of.action_masks[:, index]


# Spaces as Minari writes them.
def _observed(group: dict[str, Any]) -> dict[str, Any]:
    size = group["observation_size"]
    return _box([-np.inf] * size, [np.inf] * size)


def _done(group: dict[str, Any]) -> dict[str, Any]:
    if group["action_kind"] == "discrete":
        return {"type": "Discrete", "dtype": "int64", "start": 0, "n": group["action_size"]}
    if group["action_kind"] == "multi_discrete":
        sizes = group["action_sizes"]
        return {"type": "MultiDiscrete", "dtype": "int64", "nvec": sizes, "start": [0] * len(sizes)}
    return _box([low for low, _ in group["action_bounds"]], [high for _, high in group["action_bounds"]])


def _box(low: list[float], high: list[float]) -> dict[str, Any]:
    return {"type": "Box", "dtype": "float32", "shape": [len(low)], "low": low, "high": high}


def _of_agents(spaces: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return next(iter(spaces.values())) if len(spaces) == 1 else {"type": "Dict", "subspaces": spaces}
