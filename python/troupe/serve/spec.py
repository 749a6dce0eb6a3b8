"""What an environment offers: the hello of proto/environment_service.proto."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

PROTOCOL_VERSION = 1

DISCRETE = "DISCRETE"
CONTINUOUS = "CONTINUOUS"
MULTI_DISCRETE = "MULTI_DISCRETE"


@dataclasses.dataclass(frozen=True)
class Observed:
    """One number of an observation: a quantity over `divided_by`."""

    name: str
    divided_by: float = 1.0


@dataclasses.dataclass(frozen=True)
class Group:
    """Agents with equal spaces. `action_size`: actions; dimensions of CONTINUOUS ones; of MULTI_DISCRETE ones the
    choices of all dimensions, `action_sizes`, together. `action_low` and `action_high`: bounds of CONTINUOUS
    dimensions."""

    name: str
    agents: tuple[str, ...]
    observation_size: int
    action_kind: str
    action_size: int
    action_sizes: tuple[int, ...] = ()
    action_low: tuple[float, ...] = ()
    action_high: tuple[float, ...] = ()
    observed: tuple[Observed, ...] = ()
    team: str = ""

    @property
    def choices(self) -> int:
        """Indices, or numbers of CONTINUOUS groups, that an action consists of."""
        if self.action_kind == DISCRETE:
            return 1
        return self.action_size if self.action_kind == CONTINUOUS else len(self.action_sizes)


@dataclasses.dataclass(frozen=True)
class Spec:
    """`statistics`: names of what every finished episode reports, then for each agent (in the groups' order) its
    `agent_statistics`. The critic's global state is all observations, where `state_includes_observations`, and
    `state_extras_size` numbers more."""

    groups: tuple[Group, ...]
    statistics: tuple[str, ...] = ()
    agent_statistics: tuple[str, ...] = ()
    state_includes_observations: bool = True
    state_extras_size: int = 0

    @property
    def agents(self) -> tuple[str, ...]:
        return tuple(agent for group in self.groups for agent in group.agents)

    @property
    def num_statistics(self) -> int:
        return len(self.statistics) + len(self.agents) * len(self.agent_statistics)

    def hello(self) -> str:
        spec: dict[str, Any] = dataclasses.asdict(self)
        return "hello " + json.dumps({"protocol_version": PROTOCOL_VERSION, "spec": spec})
