"""All actors of a file, by agents' names, as PettingZoo names them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from troupe.policy.group import GroupPolicy
from troupe.policy.network import Floats


@dataclasses.dataclass(frozen=True)
class Policy:
    """Thread-safe: what agents remember is the caller's."""

    groups: Mapping[str, GroupPolicy]
    metadata: Mapping[str, str]  # all that the file says, "experiment" among it
    policy_version: int
    env_steps: int  # trained on

    @functools.cached_property
    def agents(self) -> dict[str, tuple[str, int]]:
        """Group and index in it of every agent, by name."""
        return {name: (group, i) for group, of in self.groups.items() for i, name in enumerate(of.agents)}

    def act(
        self,
        observations: Mapping[str, ArrayLike],
        masks: Mapping[str, ArrayLike] | None = None,
        state: Mapping[str, ArrayLike] | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Floats]]:
        """Actions and states of those agents that observe: `observations` {agent: [O]}. `masks` {agent: [N]}: agents
        without one may do anything. `state`: what the step before returned; agents without one begin,
        and have said nothing. The most probable
        actions, or with `rng` drawn ones. KeyError for an agent that the file has not; ValueError as of GroupPolicy."""
        masks, state = masks or {}, state or {}
        known = self.agents
        for name in observations:
            if name not in known:
                raise KeyError(f'no agent "{name}"; there are {", ".join(list(known)[:20])}')
        actions: dict[str, NDArray[Any]] = {}
        after: dict[str, Floats] = {}
        for group, of in self.groups.items():
            names = [name for name in observations if known[name][0] == group]
            if not names:
                continue
            allowed = None
            if of.spec.action_kind != "continuous" and any(name in masks for name in names):
                allowed = np.stack([np.asarray(masks.get(name, np.ones(of.spec.action_size, bool))) for name in names])
            heard = None
            if of.spec.heard_size:
                before = [np.asarray(state.get(name, of.initial_state()), np.float32) for name in of.agents]
                heard = of.hear(np.stack(before))[[known[name][1] for name in names]]
            acted = of.act(
                np.stack([np.asarray(observations[name], np.float32) for name in names]),
                allowed,
                np.stack([np.asarray(state.get(name, of.initial_state()), np.float32) for name in names]),
                agents=[known[name][1] for name in names],
                heard=heard,
                rng=rng,
            )
            actions |= dict(zip(names, acted.actions))
            after |= dict(zip(names, acted.state))
        return {name: actions[name] for name in observations}, {name: after[name] for name in observations}
