"""The actors of one agent group."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from troupe.policy.distribution import choose
from troupe.policy.network import Floats, Network
from troupe.policy.spec import PolicySpec


class Acted(NamedTuple):
    """What came of one step; leading axes are those of the observations."""

    actions: NDArray[Any]  # int64 […] or […, D], or float32 […, N] in the environment's units
    state: Floats  # […, H]: to be given at the next step; H = 0 of feed-forward networks
    outputs: Floats  # […, M]: logits, values of actions, or means


@dataclasses.dataclass(frozen=True)
class GroupPolicy:
    """Thread-safe: nothing in it changes."""

    spec: PolicySpec
    network: Network
    agents: tuple[str, ...]  # names, in the order of their indices
    observation: tuple[Mapping[str, Any], ...]  # name, unit, divided_by, meaning of each number; none: not told
    actions: tuple[Mapping[str, Any], ...]  # name and meaning of each action; none: not told
    scalars: Mapping[str, float]  # "epsilon", "noise_scale", "action_noise": what explores
    log_std: Floats | None = None  # [sets, N]

    @property
    def state_size(self) -> int:
        return self.spec.stack.state_size

    def initial_state(self, *leading: int) -> Floats:
        """Of agents whose episode begins: zeros [*leading, H]."""
        return np.zeros((*leading, self.state_size), np.float32)

    def act(
        self,
        observations: ArrayLike,
        masks: ArrayLike | None = None,
        state: ArrayLike | None = None,
        *,
        agents: ArrayLike | None = None,
        heard: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
    ) -> Acted:
        """`observations` […, A, O] of all agents in order; with `agents` (indices that fit the leading axes, or one for
        all) […, O]. `masks` […, N]: allowed actions, None: all. `state` […, H], None: episodes begin. `heard` […, F]:
        of agents that hear others and are given by `agents`. The most probable actions, or with `rng` drawn ones, as in
        training. ValueError naming what has the wrong shape or is not finite, or the row whose mask allows nothing."""
        spec = self.spec
        observed = np.asarray(observations, np.float32)
        leading = observed.shape[:-1]
        alone = agents is not None
        if agents is None:
            if len(leading) < 1 or leading[-1] != spec.num_agents:
                raise ValueError(
                    f"observations: expected [..., {spec.num_agents}, {spec.observation_size}], or `agents`; "
                    f"came {list(observed.shape)}"
                )
            agents = np.arange(spec.num_agents)
        indices = np.broadcast_to(np.asarray(agents, np.int64), leading).reshape(-1)
        if indices.size and not 0 <= indices.min() <= indices.max() < spec.num_agents:
            raise ValueError(f"agents: expected indices from 0 to {spec.num_agents - 1}")
        rows = _rows("observations", observed, leading, spec.observation_size)
        if not np.isfinite(rows).all():
            raise ValueError("observations: expected finite numbers")
        before = self.initial_state(len(rows))
        if state is not None:
            before = _rows("state", np.asarray(state, np.float32), leading, self.state_size)
        allowed = None if masks is None else self._allowed(masks, leading)
        hears = self._heard(heard, before, leading, alone)
        outputs, after = self.network.outputs(rows, hears, indices, allowed, before)
        log_std = None if self.log_std is None else self.log_std[np.array(spec.set_of_agent)[indices]]
        actions = choose(spec, outputs, allowed, log_std, self.scalars, rng)
        return Acted(
            actions.reshape(*leading, *actions.shape[1:]),
            after.reshape(*leading, self.state_size),
            outputs.reshape(*leading, outputs.shape[1]),
        )

    def hear(self, state: ArrayLike) -> Floats:
        """What every agent hears, […, A, F], of all agents' states of the step before, […, A, H]."""
        spec, size = self.spec, self.spec.stack.message_size
        said = np.asarray(state, np.float32)[..., self.state_size - size :]
        heard = np.zeros((*said.shape[:-1], spec.heard_size), np.float32)
        for agent, others in enumerate(spec.neighbours):
            if spec.stack.messages_side_by_side:
                for i, other in enumerate(others):
                    heard[..., agent, i * size : (i + 1) * size] = said[..., other, :]
            elif others:
                heard[..., agent, :] = said[..., list(others), :].mean(axis=-2)
        return heard

    def _heard(self, heard: ArrayLike | None, before: Floats, leading: tuple[int, ...], alone: bool) -> Floats:
        """Rows [R, F] of what was given, or follows from the states [R, H] of all agents."""
        size = self.spec.heard_size
        if heard is not None:
            return _rows("heard", np.asarray(heard, np.float32), leading, size)
        if not size or not before.any():
            return np.zeros((len(before), size), np.float32)
        if alone:
            raise ValueError("heard: these agents hear others; give all agents, or what `hear` says of their states")
        return self.hear(before.reshape(*leading, self.state_size)).reshape(len(before), size)

    def _allowed(self, masks: ArrayLike, leading: tuple[int, ...]) -> NDArray[np.bool_]:
        if self.spec.action_kind == "continuous":
            raise ValueError("masks: continuous actions have none")
        allowed = _rows("masks", np.asarray(masks).astype(bool), leading, self.spec.action_size)
        first = np.cumsum((0, *self.spec.action_sizes[:-1])) if self.spec.action_sizes else [0]
        nothing = ~np.logical_or.reduceat(allowed, first, axis=1).all(axis=1)
        if nothing.any():
            raise ValueError(f"masks: row {int(np.argmax(nothing))} allows no action")
        return allowed


def _rows(name: str, array: NDArray[Any], leading: tuple[int, ...], size: int) -> NDArray[Any]:
    if array.shape != (*leading, size):
        raise ValueError(f"{name}: expected {[*leading, size]}, came {list(array.shape)}")
    return array.reshape(int(np.prod(leading, dtype=np.int64)), size)
