"""Critics: how many a team has, what they look at, and whose value each output is (proto/experiment.proto, CriticInput
and ValueHeads)."""

from dataclasses import dataclass

import numpy as np

from network import Network


@dataclass(frozen=True)
class Team:
    groups: tuple  # numbers of those it consists of


@dataclass
class Critic:
    name: str
    network: Network
    heads: list  # (group, agent) of each value of a joint step; a Team for its only one
    group: int = -1  # whose agents, where every agent has an input row of its own
    sees_state: bool = True
    agent_id: bool = False

    def inputs(self, scene, observations, extras):
        """[..., rows, size] of one array [..., agents, size] per group and extras [..., size]."""
        lead = extras.shape[:-1]
        flat = [o.reshape(*lead, o.shape[-2] * o.shape[-1]) for o in observations]
        seen = flat if scene.observations_in_state else []
        state = np.concatenate([*seen, extras], -1)
        if self.group < 0:
            return state[..., None, :]
        own = observations[self.group]
        agents = own.shape[-2]
        parts = [np.repeat(state[..., None, :], agents, -2)] if self.sees_state else []
        parts.append(own)
        if self.agent_id:
            parts.append(np.broadcast_to(np.eye(agents), (*lead, agents, agents)))
        return np.concatenate(parts, -1)

    def values(self, parameters, inputs, memory):
        """Network outputs [..., heads] of inputs [..., rows, size], whose states `memory` says, and what the network's
        backward needs."""
        x = inputs.reshape(-1, inputs.shape[-1]).astype(np.float64)
        y, tapes = self.network.forward(parameters, x, memory=memory)
        return y.reshape(*inputs.shape[:-2], inputs.shape[-2] * self.network.outputs), tapes


def make_critics(scene, settings):
    own = settings["critic"]

    def network(inputs, outputs):
        norms = own["input_layer_norm"], own["hidden_layer_norm"]
        cell = {"cell": own["recurrent_cell"], "recurrent_size": own["recurrent_size"]}
        return Network(inputs, own["hidden_sizes"], outputs, own["activation"], *norms, **cell)

    if own["input"] == "GLOBAL_STATE":
        if own["heads"] == "TEAM":
            names = list(dict.fromkeys(group.team for group in scene.groups))
            teams = {name: Team(tuple(g for g, group in enumerate(scene.groups) if group.team == name))
                     for name in names}
            called = {name: f"team_{name}" if len(names) > 1 and name else "team" for name in names}
            return [Critic(called[name], network(scene.state_size(), 1), [team]) for name, team in teams.items()]
        heads = [(g, a) for g, group in enumerate(scene.groups) for a in range(group.agents)]
        return [Critic("agents", network(scene.state_size(), len(heads)), heads)]
    critics = []
    sees_state = own["input"] == "AGENT_SPECIFIC_STATE"
    agent_id = sees_state or own["agent_id_input"]
    for g, group in enumerate(scene.groups):
        size = group.observation + (scene.state_size() if sees_state else 0) + (group.agents if agent_id else 0)
        heads = [(g, a) for a in range(group.agents)]
        critics.append(Critic(group.name, network(size, 1), heads, g, sees_state, agent_id))
    return critics
