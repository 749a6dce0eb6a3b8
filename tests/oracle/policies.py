"""Actors: which network and parameter set an agent has, and the distribution over its actions."""

from dataclasses import dataclass

import numpy as np

from network import Network
from settings import policy_of


@dataclass
class Policy:
    network: Network
    sets: np.ndarray  # [agents]
    agent_id: bool


def make_policy(group, settings):
    own = policy_of(settings, group.name)
    sets = {
        "SHARED": [0] * group.agents,
        "PER_AGENT": list(range(group.agents)),
        "PARTITIONED": own["partition"],
    }[own["sharing"]]
    network = Network(
        group.observation + (group.agents if own["agent_id_input"] else 0),
        own["hidden_sizes"],
        group.actions,
        own["activation"],
        own["input_layer_norm"],
        own["hidden_layer_norm"],
        sets=max(sets) + 1,
    )
    return Policy(network, np.array(sets), own["agent_id_input"])


def inputs_of(policy, observations):
    """Input rows and their parameter sets of observations [..., agents, size], row by row in that order."""
    agents = observations.shape[-2]
    x = observations.reshape(-1, agents, observations.shape[-1]).astype(np.float64)
    if policy.agent_id:
        x = np.concatenate([x, np.broadcast_to(np.eye(agents), (len(x), agents, agents))], -1)
    return x.reshape(-1, x.shape[-1]), np.tile(policy.sets, len(x))


def log_probabilities(logits, masks):
    """log π of every action [rows, actions]; −∞ where the mask is 0, as if the action were not there."""
    allowed = np.where(masks > 0, logits, -np.inf)
    shifted = allowed - allowed.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
