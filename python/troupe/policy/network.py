"""Actor networks in NumPy, float32: the formulas of common/specs/policy_spec.h, batched over rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from troupe.policy.spec import PolicySpec

Floats = NDArray[np.float32]
_EPSILON = np.float32(1e-5)


class Network(Protocol):
    """Outputs from observations. What they mean is the distribution's matter (troupe.policy.distribution)."""

    def outputs(
        self,
        observations: Floats,
        heard: Floats,
        agents: NDArray[np.int64],
        masks: NDArray[np.bool_] | None,
        state: Floats,
    ) -> tuple[Floats, Floats]:
        """Of rows `observations` [R, O] and `heard` [R, F], each of the agent of that index, `agents` [R]; `masks`
        [R, N]; `state` [R, H] of before. Outputs [R, M] and the state [R, H] of after."""


class DenseNetwork:
    """Of parameters as an actor file has them."""

    def __init__(self, spec: PolicySpec, weights: Mapping[str, Floats]):
        self._spec = spec
        self._set_of_agent = np.array(spec.set_of_agent)
        self._sets = [{name: tensor[s] for name, tensor in weights.items()} for s in range(spec.stack.num_sets)]

    def outputs(
        self,
        observations: Floats,
        heard: Floats,
        agents: NDArray[np.int64],
        masks: NDArray[np.bool_] | None,
        state: Floats,
    ) -> tuple[Floats, Floats]:
        x = np.concatenate([observations, heard], axis=1)
        if self._spec.agent_id_input:
            x = np.concatenate([x, np.eye(self._spec.num_agents, dtype=np.float32)[agents]], axis=1)
        if len(self._sets) == 1:
            return self._forward(self._sets[0], x, state)
        outputs = np.empty((len(x), self._spec.stack.output_size), np.float32)
        after = np.empty_like(state)
        of_row = self._set_of_agent[agents]
        for s in np.unique(of_row):
            rows = of_row == s
            outputs[rows], after[rows] = self._forward(self._sets[s], x[rows], state[rows])
        return outputs, after

    def _forward(self, weights: Mapping[str, Floats], x: Floats, state: Floats) -> tuple[Floats, Floats]:
        stack = self._spec.stack

        def dense(prefix: str, x: Floats) -> Floats:
            return x @ weights[prefix + "weight"] + weights[prefix + "bias"]

        def norm(name: str, x: Floats) -> Floats:
            centred = x - x.mean(-1, keepdims=True)
            variance = np.square(centred).mean(-1, keepdims=True)
            normal: Floats = centred / np.sqrt(variance + _EPSILON)
            return normal * weights[name + ".gain"] + weights[name + ".bias"]

        if stack.input_layer_norm:
            x = norm("input_norm", x)
        for i in range(len(stack.hidden_sizes)):
            x = dense(f"layers.{i}.", x)
            x = np.maximum(x, 0) if stack.activation == "relu" else np.tanh(x)
            if stack.hidden_layer_norm:
                x = norm(f"norms.{i}", x)
        state = state[:, : stack.cell_state_size]
        if stack.cell:
            remembered = state[:, : stack.recurrent_size]
            step = _gru if stack.cell == "gru" else _lstm
            x, state = step(dense("cell.input_", x), dense("cell.state_", remembered), state)
            if stack.hidden_layer_norm:
                x = norm("cell_norm", x)
        if stack.message_size:
            state = np.concatenate([state, np.tanh(dense("message.", x))], axis=1)
        return dense("output.", x), state


def _logistic(x: Floats) -> Floats:
    half: Floats = np.tanh(np.float32(0.5) * x) + 1  # overflows nowhere
    return np.float32(0.5) * half


def _gru(given: Floats, own: Floats, state: Floats) -> tuple[Floats, Floats]:
    """`given` and `own` [R, 3 H]: what the layers and the memory say to the gates r, z, n."""
    (given_r, given_z, given_n), (own_r, own_z, own_n) = np.split(given, 3, axis=1), np.split(own, 3, axis=1)
    z = _logistic(given_z + own_z)
    after = (1 - z) * np.tanh(given_n + _logistic(given_r + own_r) * own_n) + z * state
    return after, after


def _lstm(given: Floats, own: Floats, state: Floats) -> tuple[Floats, Floats]:
    """The same [R, 4 H] of the gates i, f, g, o."""
    i, f, g, o = np.split(given + own, 4, axis=1)
    cell = _logistic(f) * state[:, state.shape[1] // 2 :] + _logistic(i) * np.tanh(g)
    output = _logistic(o) * np.tanh(cell)
    return output, np.concatenate([output, cell], axis=1)
