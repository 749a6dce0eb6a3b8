"""Episodes as Parquet, a row for every agent at every step; needs pyarrow.

episode, seed, step, group, agent, alive, observation, action_mask, action, reward, terminated, truncated, state_extras

The rows of the last state (step = the episode's length) have neither action nor reward. `action` is a number where all
agents' actions are discrete, else a list. `terminated` and `truncated` say how the episode ended, on its last step."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from troupe.episodes.episode import Episode, GroupEpisode
from troupe.episodes.folder import EpisodeFolder


def write_parquet(folders: Iterable[EpisodeFolder], path: str | os.PathLike[str]) -> tuple[int, int]:
    """How many episodes and steps. The folders must be of one environment."""
    import pyarrow
    from pyarrow import parquet

    episodes = steps = 0
    writer = None
    try:
        for folder in folders:
            schema = _schema(pyarrow, folder)
            if writer is None:
                writer = parquet.ParquetWriter(path, schema, compression="zstd")
            for episode in folder:
                for name, group in episode.groups.items():
                    columns = _columns(pyarrow, schema, episodes, episode, name, group)
                    writer.write_table(pyarrow.table(columns, schema=schema))
                episodes, steps = episodes + 1, steps + len(episode)
    finally:
        if writer is not None:
            writer.close()
    return episodes, steps


def _schema(pyarrow: Any, folder: EpisodeFolder) -> Any:
    kinds = {group["action_kind"] for group in folder.spec["groups"]}
    numbers = pyarrow.list_(pyarrow.float32())
    action = numbers
    if "continuous" not in kinds:
        action = pyarrow.int32() if kinds == {"discrete"} else pyarrow.list_(pyarrow.int32())
    told = [name for name in ("spec", "experiment", "player") if name in folder.metadata]
    about: dict[str, str] = {name: folder.metadata[name] for name in told}
    return pyarrow.schema(
        [
            ("episode", pyarrow.int64()),
            ("seed", pyarrow.uint64()),
            ("step", pyarrow.int32()),
            ("group", pyarrow.string()),
            ("agent", pyarrow.string()),
            ("alive", pyarrow.bool_()),
            ("observation", numbers),
            ("action_mask", pyarrow.list_(pyarrow.bool_())),
            ("action", action),
            ("reward", pyarrow.float32()),
            ("terminated", pyarrow.bool_()),
            ("truncated", pyarrow.bool_()),
            ("state_extras", numbers),
        ],
        metadata={"format": "troupe-episodes/1"} | about,
    )


def _columns(
    pyarrow: Any, schema: Any, number: int, episode: Episode, name: str, group: GroupEpisode
) -> dict[str, Any]:
    agents, length = len(group.agents), len(episode)
    rows = (length + 1) * agents
    last = np.arange(rows) >= length * agents
    ends = (np.arange(rows) >= (length - 1) * agents) & ~last

    def lists(values: NDArray[Any], kind: Any) -> Any:
        """Of [rows, width]."""
        offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
        return pyarrow.ListArray.from_arrays(offsets, pyarrow.array(values.reshape(-1), kind.value_type))

    def or_none(array: Any) -> Any:
        """Nothing in the rows of the last state."""
        return pyarrow.concat_arrays([array, pyarrow.nulls(agents, array.type)])

    kind = schema.field("action").type
    actions = group.actions.reshape(length * agents, -1)
    done = lists(actions, kind) if pyarrow.types.is_list(kind) else pyarrow.array(actions[:, 0], kind)
    masks = pyarrow.nulls(rows, schema.field("action_mask").type)
    if group.action_masks is not None:
        masks = lists(group.action_masks.reshape(rows, -1), masks.type)
    observed = schema.field("observation").type
    return {
        "episode": np.full(rows, number),
        "seed": np.full(rows, episode.seed, np.uint64),
        "step": np.repeat(np.arange(length + 1, dtype=np.int32), agents),
        "group": [name] * rows,
        "agent": group.agents * (length + 1),
        "alive": group.alive.reshape(-1),
        "observation": lists(group.observations.reshape(rows, -1), observed),
        "action_mask": masks,
        "action": or_none(done),
        "reward": or_none(pyarrow.array(group.rewards.reshape(-1))),
        "terminated": ends & episode.terminated,
        "truncated": ends & (not episode.terminated),
        "state_extras": lists(np.repeat(episode.state_extras, agents, axis=0), observed),
    }
