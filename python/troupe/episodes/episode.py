"""An episode as arrays. T = steps, A = agents of a group, O = observation size, N = actions, D = indices of one."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class GroupEpisode:
    """What is seen has a row more than what is done: the last state's."""

    about: dict[str, Any]  # the group in the environment's spec: "agents", "observation", "action_kind", …
    observations: NDArray[np.float32]  # [T + 1, A, O]
    alive: NDArray[np.bool_]  # [T + 1, A]: who acts
    action_masks: NDArray[np.bool_] | None  # [T + 1, A, N], True: allowed; None of continuous actions
    actions: NDArray[Any]  # [T, A] of discrete actions, [T, A, D] of multi-discrete, [T, A, N] of continuous ones
    rewards: NDArray[np.float32]  # [T, A]

    @property
    def agents(self) -> list[str]:
        return list(self.about["agents"])


@dataclasses.dataclass(frozen=True)
class Episode:
    seed: int  # of the environment's reset: `actor_worker evaluate --first_seed` plays it again
    terminated: bool  # else truncated: its last state had a value
    statistics: dict[str, float]
    groups: dict[str, GroupEpisode]
    state_extras: NDArray[np.float32]  # [T + 1, S]: what the critic sees beside all observations, or instead of them

    def __len__(self) -> int:
        return len(self.state_extras) - 1

    def returns(self) -> dict[str, float]:
        """Each agent's undiscounted return, summed in double precision."""
        return {
            agent: float(group.rewards[:, index].sum(dtype=np.float64))
            for group in self.groups.values()
            for index, agent in enumerate(group.agents)
        }
