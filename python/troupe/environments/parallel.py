"""One copy as a PettingZoo parallel environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from troupe.environments.copies import Copies, Group


class TroupeParallelEnv(ParallelEnv):
    """Who is not alive leaves `agents` as terminated; what it is still paid as a member of its team stands in
    `copies` alone. The last step's infos have the episode's statistics. `copies` is the environment as arrays.

    reset(seed): the episode that `actor_worker evaluate` plays with that seed; without one, seeds are drawn from a
    generator that the last one given has begun."""

    metadata = {"render_modes": ["ansi"], "is_parallelizable": True, "render_fps": 1}

    def __init__(self, copies: Copies, action_masks: str = "observation", render_mode: str | None = None) -> None:
        if action_masks not in ("observation", "info"):
            raise ValueError(f'action_masks: "{action_masks}", expected "observation" or "info"')
        if render_mode not in (None, "ansi"):
            raise ValueError(f'render_mode: "{render_mode}", expected "ansi" or None')
        self.metadata = {**type(self).metadata, "name": copies.name}
        self.copies, self.render_mode = copies, render_mode
        self._masks_observed = action_masks == "observation"
        self._seats: dict[str, tuple[Group, int]] = {
            agent: (group, index) for group in copies.groups for index, agent in enumerate(group.agents)
        }
        if len(self._seats) != sum(len(group.agents) for group in copies.groups):
            raise ValueError(f"{copies.name}: two groups have agents of the same name")
        self.possible_agents = list(self._seats)
        self.agents: list[str] = []
        self._generator = np.random.default_rng()
        # One object each, however often asked for.
        self.observation_spaces = {agent: self._observation_space(group) for agent, (group, _) in self._seats.items()}
        self.action_spaces = {agent: self._action_space(group) for agent, (group, _) in self._seats.items()}

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return self.action_spaces[agent]

    def _observation_space(self, group: Group) -> spaces.Space[Any]:
        numbers = spaces.Box(-np.inf, np.inf, (group.observations.shape[2],), np.float32)
        if group.action_masks is None or not self._masks_observed:
            return numbers
        masks = [spaces.Box(0, 1, (size,), np.int8) for size in group.action_sizes]
        mask = spaces.Tuple(masks) if group.action_kind == "multi_discrete" else masks[0]
        return spaces.Dict({"observation": numbers, "action_mask": mask})

    @staticmethod
    def _action_space(group: Group) -> spaces.Space[Any]:
        if group.action_kind == "discrete":
            return spaces.Discrete(group.action_sizes[0])
        if group.action_kind == "multi_discrete":
            return spaces.MultiDiscrete(group.action_sizes)
        low, high = np.array(group.about["action_bounds"], np.float32).T
        return spaces.Box(low, high, dtype=np.float32)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        if seed is None:
            seed = int(self._generator.integers(2**63))
        else:
            self._generator = np.random.default_rng(seed)
        self.copies.reset_copy(0, seed)
        self.agents = [agent for agent in self.possible_agents if self._alive(agent)]
        return self._seen(self.agents), self._infos(self.agents)

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """ValueError naming the agent whose action is missing or not allowed; nothing is stepped then."""
        for agent in self.agents:
            if agent not in actions:
                raise ValueError(f"action of {agent}: nothing came")
            group, index = self._seats[agent]
            action = np.asarray(actions[agent]).reshape(-1)
            wanted = group.actions[0, index]
            if action.shape != wanted.shape or not np.can_cast(action.dtype, wanted.dtype, "same_kind"):
                raise ValueError(
                    f"action of {agent}: expected {wanted.dtype} [{len(wanted)}], "
                    f"came {action.dtype} {list(action.shape)}"
                )
            wanted[:] = action
        self.copies.step()
        acted = self.agents
        terminated, truncated = bool(self.copies.terminated[0]), bool(self.copies.truncated[0])
        terminations = {agent: terminated or (not truncated and not self._alive(agent)) for agent in acted}
        truncations = {agent: truncated for agent in acted}
        rewards = {agent: float(group.rewards[0, index]) for agent in acted for group, index in [self._seats[agent]]}
        infos = self._infos(acted)
        if terminated or truncated:
            values = dict(zip(self.copies.statistics_names, self.copies.statistics[0].tolist(), strict=True))
            for info in infos.values():
                info["statistics"] = values
            self.agents = []
        else:
            self.agents = [agent for agent in acted if not terminations[agent]]
        return self._seen(acted), rewards, terminations, truncations, infos

    def state(self) -> np.ndarray:
        return self.copies.state[0].copy()

    def render(self) -> str | None:
        return self.copies.render() if self.render_mode == "ansi" else None

    def close(self) -> None:
        self.agents = []

    def _alive(self, agent: str) -> bool:
        group, index = self._seats[agent]
        return bool(group.alive[0, index])

    def _mask(self, group: Group, index: int) -> Any:
        assert group.action_masks is not None
        mask = group.action_masks[0, index].astype(np.int8)
        if group.action_kind != "multi_discrete":
            return mask
        return tuple(np.split(mask, np.cumsum(group.action_sizes)[:-1]))

    def _seen(self, agents: list[str]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for agent in agents:
            group, index = self._seats[agent]
            seen[agent] = group.observations[0, index].copy()
            if self._masks_observed and group.action_masks is not None:
                seen[agent] = {"observation": seen[agent], "action_mask": self._mask(group, index)}
        return seen

    def _infos(self, agents: list[str]) -> dict[str, dict[str, Any]]:
        infos: dict[str, dict[str, Any]] = {agent: {} for agent in agents}
        for agent in agents:
            group, index = self._seats[agent]
            if not self._masks_observed and group.action_masks is not None:
                infos[agent]["action_mask"] = self._mask(group, index)
        return infos
