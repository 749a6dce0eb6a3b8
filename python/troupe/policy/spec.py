"""The actor network of one agent group as data, as actor files tell it (common/specs/policy_spec.h)."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GATES = {"": 0, "gru": 3, "lstm": 4}
_DISTRIBUTIONS = {
    "discrete": ("categorical", "epsilon_greedy"),
    "multi_discrete": ("multi_categorical",),
    "continuous": ("gaussian", "squashed_gaussian", "deterministic"),
}


@dataclasses.dataclass(frozen=True)
class StackSpec:
    """Dense layers, with a recurrent cell before the output or without."""

    num_sets: int  # independent parameter sets
    input_size: int
    hidden_sizes: tuple[int, ...]
    output_size: int
    activation: str  # "relu", "tanh"
    input_layer_norm: bool
    hidden_layer_norm: bool
    cell: str = ""  # "", "gru", "lstm"
    recurrent_size: int = 0
    message_size: int = 0  # K, numbers that an agent tells its neighbours; 0: nothing
    messages_side_by_side: bool = False  # what is heard; otherwise their mean

    @property
    def cell_state_size(self) -> int:
        """A GRU's output; an LSTM's output, then its cell."""
        return self.recurrent_size * (2 if self.cell == "lstm" else 1) if self.cell else 0

    @property
    def state_size(self) -> int:
        """H, numbers kept from one step to the next: the cell's, then what the agent said."""
        return self.cell_state_size + self.message_size

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of every parameter without its leading axis of sets, in the file's order."""
        shapes: dict[str, tuple[int, ...]] = {}

        def norm(name: str, size: int) -> None:
            shapes[f"{name}.gain"] = shapes[f"{name}.bias"] = (size,)

        size = self.input_size
        if self.input_layer_norm:
            norm("input_norm", size)
        for i, width in enumerate(self.hidden_sizes):
            shapes[f"layers.{i}.weight"], shapes[f"layers.{i}.bias"] = (size, width), (width,)
            if self.hidden_layer_norm:
                norm(f"norms.{i}", width)
            size = width
        if self.cell:
            gates = _GATES[self.cell] * self.recurrent_size
            shapes |= {"cell.input_weight": (size, gates), "cell.input_bias": (gates,)}
            shapes |= {"cell.state_weight": (self.recurrent_size, gates), "cell.state_bias": (gates,)}
            size = self.recurrent_size
            if self.hidden_layer_norm:
                norm("cell_norm", size)
        shapes |= {"output.weight": (size, self.output_size), "output.bias": (self.output_size,)}
        if self.message_size:
            shapes |= {"message.weight": (size, self.message_size), "message.bias": (self.message_size,)}
        return shapes


@dataclasses.dataclass(frozen=True)
class PolicySpec:
    group: str
    num_agents: int
    observation_size: int  # O
    agent_id_input: bool  # the agent's one-hot index is appended to its observation
    action_kind: str  # "discrete", "multi_discrete", "continuous"
    action_size: int  # N: actions, choices of all dimensions, or dimensions
    set_of_agent: tuple[int, ...]  # which parameters each agent has
    stack: StackSpec
    distribution: str
    state_dependent_std: bool = False
    action_sizes: tuple[int, ...] = ()  # choices of each multi-discrete dimension
    action_bounds: tuple[tuple[float, float], ...] = ()  # of each continuous dimension; none: [-1, 1]
    neighbours: tuple[tuple[int, ...], ...] = ()  # whom each agent hears; none: there are no messages

    @property
    def has_log_std(self) -> bool:
        return self.distribution in ("gaussian", "squashed_gaussian") and not self.state_dependent_std

    @property
    def heard_size(self) -> int:
        """F, numbers that an agent hears."""
        most = max((len(others) for others in self.neighbours), default=0)
        return self.stack.message_size * (most if self.stack.messages_side_by_side else 1)

    def low_high(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Bounds of continuous actions, [N] each."""
        bounds = np.array(self.action_bounds or [(-1, 1)] * self.action_size, np.float32)
        return bounds[:, 0], bounds[:, 1]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of all that is learnt, with the leading axis of sets, in the file's order."""
        shapes = {name: (self.stack.num_sets, *shape) for name, shape in self.stack.shapes().items()}
        if self.has_log_std:
            shapes["log_std"] = (self.stack.num_sets, self.action_size)
        return shapes

    @staticmethod
    def parse(text: str) -> PolicySpec:
        """ValueError naming the field that is missing, unknown or does not fit the others."""
        try:
            fields: dict[str, Any] = json.loads(text)
            stack = dict(fields.pop("stack"))
            for trained_only in ("orthogonal_init", "output_gain"):
                stack.pop(trained_only, None)
            fields.pop("initial_log_std", None)
            for part, known in (("", fields), ("stack.", stack)):
                of = StackSpec if part else PolicySpec
                unknown = sorted(known.keys() - {field.name for field in dataclasses.fields(of)})
                if unknown:
                    raise ValueError(f"{part}{unknown[0]}: this version knows nothing of it")
            stack["hidden_sizes"] = tuple(stack["hidden_sizes"])
            fields.setdefault("distribution", _DISTRIBUTIONS[fields["action_kind"]][0])
            for name in ("set_of_agent", "action_sizes"):
                fields[name] = tuple(fields.get(name, ()))
            fields["neighbours"] = tuple(tuple(others) for others in fields.get("neighbours", ()))
            fields["action_bounds"] = tuple((low, high) for low, high in fields.get("action_bounds", ()))
            spec = PolicySpec(stack=StackSpec(**stack), **fields)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"policy spec: {error}") from error
        spec._check()
        return spec

    def _check(self) -> None:
        stack = self.stack
        inputs = self.observation_size + self.heard_size + (self.num_agents if self.agent_id_input else 0)
        outputs = self.action_size * (2 if self.state_dependent_std else 1)
        checks = {
            "stack.input_size": (stack.input_size, inputs),
            "stack.output_size": (stack.output_size, outputs),
            "set_of_agent": (len(self.set_of_agent), self.num_agents),
            "neighbours": (len(self.neighbours), self.num_agents if stack.message_size else 0),
            "action_sizes": (sum(self.action_sizes), self.action_size if self.action_kind == "multi_discrete" else 0),
        }
        for name, (came, expected) in checks.items():
            if came != expected:
                raise ValueError(f"policy spec: {name}: expected {expected}, came {came}")
        if any(not 0 <= other < self.num_agents for others in self.neighbours for other in others):
            raise ValueError(f"policy spec: neighbours: expected agents below {self.num_agents}")
        if any(not 0 <= s < stack.num_sets for s in self.set_of_agent):
            raise ValueError(f"policy spec: set_of_agent: expected entries below {stack.num_sets}")
        if self.distribution not in _DISTRIBUTIONS[self.action_kind]:
            raise ValueError(f'policy spec: distribution: "{self.distribution}" is none of {self.action_kind} actions')
        if stack.cell not in _GATES or stack.activation not in ("relu", "tanh"):
            raise ValueError(f'policy spec: "{stack.cell or stack.activation}" is neither a known cell nor activation')
        if self.action_bounds and len(self.action_bounds) != self.action_size:
            raise ValueError(f"policy spec: action_bounds: expected {self.action_size}, came {len(self.action_bounds)}")
