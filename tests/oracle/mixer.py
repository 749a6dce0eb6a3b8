"""QMIX's mixing network (arXiv:1803.11485, section 4.1), forward and backward by hand. Networks of the global state s
make its weights: W1 = |h1(s)| [n, E], b1 = h2(s) [E], w2 = |h3(s)| [E], b2 = h4(s); a team's value of its agents' q [n]
is elu(q · W1 + b1) · w2 + b2, hence rises with each of them. With state_norm each of
these networks sees LayerNorm(s)."""

import numpy as np

from network import Network


class Mixer:
    def __init__(self, agents, state_size, embedding, hypernetwork_size, state_norm=False):
        hidden = [hypernetwork_size] if hypernetwork_size else []
        self.agents, self.embedding = agents, embedding
        self.makers = {
            "weights_1": Network(state_size, hidden, agents * embedding, input_norm=state_norm),
            "bias_1": Network(state_size, [], embedding, input_norm=state_norm),
            "weights_2": Network(state_size, hidden, embedding, input_norm=state_norm),
            "bias_2": Network(state_size, [embedding], 1, input_norm=state_norm),
        }

    def random_parameters(self, random):
        """"MAKER/NAME" → parameter."""
        return {f"{maker}/{name}": p for maker, network in self.makers.items()
                for name, p in network.random_parameters(random).items()}

    def forward(self, parameters, q, states):
        """Values [rows] of q [rows, n] and states [rows, S], and what backward needs."""
        made, tapes = {}, {}
        for maker, network in self.makers.items():
            made[maker], tapes[maker] = network.forward(_of(parameters, maker), states)
        w1 = made["weights_1"].reshape(-1, self.agents, self.embedding)
        z = np.einsum("ra,rae->re", q, np.abs(w1)) + made["bias_1"]
        hidden = np.where(z > 0, z, np.expm1(np.minimum(z, 0)))
        total = (hidden * np.abs(made["weights_2"])).sum(-1) + made["bias_2"][:, 0]
        return total, (q, w1, z, hidden, made["weights_2"], tapes)

    def backward(self, parameters, tape, d_total):
        """Name → gradient, and the one with respect to q, of a loss whose gradient by the values is d_total [rows]."""
        q, w1, z, hidden, w2, tapes = tape
        d_hidden = d_total[:, None] * np.abs(w2)
        d_z = d_hidden * np.where(z > 0, 1, np.exp(np.minimum(z, 0)))
        d_made = {
            "weights_1": (q[:, :, None] * d_z[:, None] * np.sign(w1)).reshape(len(q), -1),
            "bias_1": d_z,
            "weights_2": d_total[:, None] * hidden * np.sign(w2),
            "bias_2": d_total[:, None],
        }
        gradients = {}
        for maker, network in self.makers.items():
            own = network.backward(_of(parameters, maker), tapes[maker], d_made[maker])
            gradients.update({f"{maker}/{name}": g for name, g in own.items()})
        return gradients, np.einsum("re,rae->ra", d_z, np.abs(w1))

    def closest_kink(self, tape):
        """How near an absolute value or a ReLU came to where its slope jumps."""
        _, w1, _, _, w2, _ = tape
        return min(np.abs(w1).min(), np.abs(w2).min(), *(network.closest_kink for network in self.makers.values()))


def _of(parameters, maker):
    prefix = f"{maker}/"
    return {name[len(prefix):]: p for name, p in parameters.items() if name.startswith(prefix)}
