"""Actors: which network and parameter set an agent has, and the distribution over its actions."""

from dataclasses import dataclass

import numpy as np

from network import Network
from settings import policy_of
from talk import TalkingNetwork

LOG_STDS = -20, 2  # its bounds
GAUSSIANS = "GAUSSIAN", "SQUASHED_GAUSSIAN"
JOINT_ALGORITHMS = '"maddpg"', '"matd3"'


@dataclass
class Policy:
    network: Network
    sets: np.ndarray  # [agents]
    agent_id: bool
    distribution: str = "CATEGORICAL"
    by_state: bool = False  # Gaussians: the network puts out log σ after the means

    def random_parameters(self, random):
        """The network's, and log_std [sets, actions] where it is a parameter."""
        parameters = self.network.random_parameters(random)
        if self.distribution in GAUSSIANS and not self.by_state:
            log_std = -0.6 + 0.2 * random.standard_normal((self.network.sets, self.network.outputs))
            parameters["log_std"] = log_std.astype(np.float32).astype(np.float64)
        return parameters


def make_policy(group, settings, name=None):
    """`name`: of the group whose settings it has, if it is not the group's own."""
    own = policy_of(settings, name or group.name)
    sets = {
        "SHARED": [0] * group.agents,
        "PER_AGENT": list(range(group.agents)),
        "PARTITIONED": own["partition"],
    }[own["sharing"]]
    of_numbers = "DETERMINISTIC" if settings["algorithm"]["name"] in JOINT_ALGORITHMS else "GAUSSIAN"
    asked = own["distribution"] if name in (None, group.name) else None  # a manager's options are categorical
    distribution = asked or (of_numbers if group.continuous else "CATEGORICAL")
    by_state = distribution in GAUSSIANS and own["state_dependent_std"]
    sizes = own["hidden_sizes"], group.actions * (2 if by_state else 1)
    switches = own["activation"], own["input_layer_norm"], own["hidden_layer_norm"]
    more = {"sets": max(sets) + 1, "cell": own["recurrent_cell"], "recurrent_size": own["recurrent_size"]}
    if own["message_size"]:
        network = TalkingNetwork(group.observation, group.agents, own["agent_id_input"], *sizes, *switches, **more,
                                 message_size=own["message_size"], side_by_side=own["concatenate_messages"])
    else:
        network = Network(group.observation + (group.agents if own["agent_id_input"] else 0), *sizes, *switches, **more)
    return Policy(network, np.array(sets), own["agent_id_input"], distribution, by_state)


def inputs_of(policy, observations, alive=None):
    """Input rows and their parameter sets of observations [..., agents, size], row by row in that order. Of those that
    talk who lives, [..., agents], speaks."""
    agents = observations.shape[-2]
    x = observations.reshape(-1, agents, observations.shape[-1]).astype(np.float64)
    if policy.agent_id:
        x = np.concatenate([x, np.broadcast_to(np.eye(agents), (len(x), agents, agents))], -1)
    if isinstance(policy.network, TalkingNetwork):
        x = np.concatenate([x, alive.reshape(-1, agents, 1) > 0], -1)
    return x.reshape(-1, x.shape[-1]), np.tile(policy.sets, len(x))


def by_index(values, sizes):
    """[rows, choices of all indices side by side] as a list of [rows, choices] of each index."""
    return np.split(values, np.cumsum(sizes)[:-1], -1)


def log_probabilities(logits, masks, sizes):
    """log π of every choice of every index [rows, choices]; −∞ where the mask is 0, as if the choice were not there."""
    allowed = by_index(np.where(masks > 0, logits, -np.inf), sizes)
    shifted = [a - a.max(-1, keepdims=True) for a in allowed]
    return np.concatenate([s - np.log(np.exp(s).sum(-1, keepdims=True)) for s in shifted], -1)


def taken(actions, sizes):
    """Whether each choice was the one that was taken, [rows, choices], of actions [rows, indices]."""
    return np.concatenate([actions[:, i : i + 1] == np.arange(size) for i, size in enumerate(sizes)], -1)


def deviations(policy, parameters, outputs, sets):
    """Means and log σ [rows, actions] of a Gaussian policy, from the network's outputs for rows of these parameter
    sets. log σ is held within LOG_STDS wherever it is used."""
    if policy.by_state:
        mean, log_std = np.split(outputs, 2, -1)
    else:
        mean, log_std = outputs, parameters["log_std"][sets]
    return mean, log_std


def log_densities(policy, u, mean, log_std, noise_scale=1.0):
    """log π, or with deviations times noise_scale, of the actions that the samples u [rows, actions] stand for: of u
    itself, or of tanh(u), whose density is that of u divided by d tanh(u) / du = 1 / cosh²(u) (arXiv:1801.01290,
    appendix C)."""
    log_std = np.clip(log_std, *LOG_STDS) + np.log(noise_scale)
    density = -((u - mean) ** 2) / (2 * np.exp(2 * log_std)) - log_std - np.log(2 * np.pi) / 2
    if policy.distribution == "SQUASHED_GAUSSIAN":
        density = density + 2 * np.log(np.cosh(u))
    return density.sum(-1)
