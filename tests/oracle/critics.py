"""Critics: how many a team has, what they look at, and whose value each output is (proto/experiment.proto, CriticInput
and ValueHeads)."""

from dataclasses import dataclass

import numpy as np

from attention import AttentionNetwork
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
    attends: bool = False
    masks_dead: bool = False
    of_managers: bool = False  # whose values are of choices of options

    def inputs(self, scene, observations, extras, alive):
        """[..., rows, size] of one array [..., agents, size] and one [..., agents], who lives, per group, and extras
        [..., size]. Critics that ask for neither are given None for the latter."""
        lead = extras.shape[:-1]
        if self.masks_dead:
            observations = [np.where(a[..., None] > 0, o, 0) for o, a in zip(observations, alive)]
        if self.attends:
            tokens = [self._with_ids(o).reshape(*lead, -1) for o in observations]
            return np.concatenate([*tokens, extras, *alive], -1)[..., None, :]
        flat = [o.reshape(*lead, o.shape[-2] * o.shape[-1]) for o in observations]
        seen = flat if scene.observations_in_state else []
        state = np.concatenate([*seen, extras], -1)
        if self.group < 0:
            return state[..., None, :]
        own = observations[self.group]
        agents = own.shape[-2]
        parts = [np.repeat(state[..., None, :], agents, -2)] if self.sees_state else []
        parts.append(self._with_ids(own))
        return np.concatenate(parts, -1)

    def _with_ids(self, observations):
        """[..., agents, size] and each one's one-hot, if the critic asks for it."""
        if not self.agent_id:
            return observations
        lead, agents = observations.shape[:-2], observations.shape[-2]
        return np.concatenate([observations, np.broadcast_to(np.eye(agents), (*lead, agents, agents))], -1)

    def values(self, parameters, inputs, memory):
        """Network outputs [..., heads] of inputs [..., rows, size], whose states `memory` says, and what the network's
        backward needs."""
        x = inputs.reshape(-1, inputs.shape[-1]).astype(np.float64)
        y, tapes = self.network.forward(parameters, x, memory=memory)
        return y.reshape(*inputs.shape[:-2], inputs.shape[-2] * self.network.outputs), tapes


def make_critics(scene, settings):
    own = settings["critic"]
    masks = own["death_masking"]

    def network(inputs, outputs):
        norms = own["input_layer_norm"], own["hidden_layer_norm"]
        cell = {"cell": own["recurrent_cell"], "recurrent_size": own["recurrent_size"]}
        return Network(inputs, own["hidden_sizes"], outputs, own["activation"], *norms, **cell)

    def of_state(name, heads):
        if own["attention_heads"] == 0:
            return Critic(name, network(scene.state_size(), len(heads)), heads, masks_dead=masks)
        # A token of every agent and one of the extras.
        kinds = [(g.agents, g.observation + (g.agents if own["agent_id_input"] else 0), True) for g in scene.groups]
        kinds += [(1, scene.extras, False)] if scene.extras else []
        network_of_tokens = AttentionNetwork(kinds, own, own["heads"] == "EACH_AGENT")
        return Critic(name, network_of_tokens, heads, agent_id=own["agent_id_input"], attends=True, masks_dead=masks)

    if own["input"] == "GLOBAL_STATE":
        if own["heads"] == "TEAM":
            names = list(dict.fromkeys(group.team for group in scene.groups))
            teams = {name: Team(tuple(g for g, group in enumerate(scene.groups) if group.team == name))
                     for name in names}
            called = {name: f"team_{name}" if len(names) > 1 and name else "team" for name in names}
            return [of_state(called[name], [team]) for name, team in teams.items()]
        heads = [(g, a) for g, group in enumerate(scene.groups) for a in range(group.agents)]
        return [of_state("agents", heads)]
    critics = []
    sees_state = own["input"] == "AGENT_SPECIFIC_STATE"
    agent_id = sees_state or own["agent_id_input"]
    for g, group in enumerate(scene.groups):
        size = group.observation + (scene.state_size() if sees_state else 0) + (group.agents if agent_id else 0)
        heads = [(g, a) for a in range(group.agents)]
        critics.append(Critic(group.name, network(size, 1), heads, g, sees_state, agent_id, masks_dead=masks))
    return critics
