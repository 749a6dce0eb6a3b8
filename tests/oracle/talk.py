"""Actors that tell each other something, in float64, forward and backward by hand: a network whose inputs are what is
seen and what was heard, and which says tanh of a second head's outputs, to be heard a step later (arXiv:1605.07736,
arXiv:1605.06676; that gradients go from whoever heard something to whoever said it is the latter's section 5.2).

Rows are joint steps one after another, of each the rows of all its agents in order. A row is what is seen, the agent's
one-hot if any, and 1 if the agent speaks or 0: the dead are silent. Its state is the cell's, then what the row said. An
agent hears all others: the mean of their messages, or side by side."""

import numpy as np

from cells import Memory
from network import Network


class TalkingNetwork(Network):
    def __init__(self, seen, agents, with_ids, hidden, outputs, *others, message_size, side_by_side, **more):
        self.seen, self.agents, self.said, self.side_by_side = seen, agents, message_size, side_by_side
        self.heard = message_size * (agents - 1 if side_by_side else 1)
        inputs = seen + self.heard + (agents if with_ids else 0)
        super().__init__(inputs, hidden, outputs, *others, **more)
        self.kept = self.state_size
        self.state_size += message_size

    def shapes(self):
        shapes = super().shapes()
        sets, width, _ = shapes["output.weight"]
        return {**shapes, "message.weight": (sets, width, self.said), "message.bias": (sets, self.said)}

    def forward(self, parameters, x, row_sets=None, memory=None):
        row_sets = np.zeros(len(x), int) if row_sets is None else row_sets
        y, states, tapes = np.zeros((len(x), self.outputs)), np.zeros((len(x), self.state_size)), []
        speaks = x[:, -1:]
        for rows in memory.waves():
            before = memory.before[rows]
            state = np.where((before < 0)[:, None], memory.given[rows], states[before])
            heard = self._hear(state[:, self.kept :])
            given = np.concatenate([x[rows, : self.seen], heard, x[rows, self.seen : -1]], -1)
            parts = []
            for s in range(self.sets):
                own = np.flatnonzero(row_sets[rows] == s)
                start = Memory(np.full(len(own), -1), state[own, : self.kept])
                both, tape = self._forward_set(self._heads_as_one(parameters, s), given[own], start)
                y[rows[own]], said = both[:, : self.outputs], np.tanh(both[:, self.outputs :])
                if self.cell:
                    states[rows[own], : self.kept] = tape["states"]
                states[rows[own], self.kept :] = said * speaks[rows[own]]
                parts.append((s, own, tape, said))
            tapes.append((rows, before, speaks[rows], parts))
        return y, tapes

    def backward(self, parameters, tapes, dy):
        gradients = {name: np.zeros_like(p) for name, p in parameters.items()}
        d_states = np.zeros((len(dy), self.state_size))
        for rows, before, speaks, parts in reversed(tapes):
            d_before = np.zeros((len(rows), self.state_size))
            d_heard = np.zeros((len(rows), self.heard))
            for s, own, tape, said in parts:
                d_said = d_states[rows[own], self.kept :] * speaks[own] * (1 - said**2)
                both = np.concatenate([dy[rows[own]], d_said], -1)
                d_after = d_states[rows[own], : self.kept]
                of_set, d_given = self._backward_set(self._heads_as_one(parameters, s), tape, both, d_after)
                d_before[own, : self.kept] = tape.pop("d_given", 0)
                d_heard[own] = d_given[:, self.seen : self.seen + self.heard]
                for kind in ("weight", "bias"):
                    head = of_set.pop(f"output.{kind}")
                    gradients[f"output.{kind}"][s] += head[..., : self.outputs]
                    gradients[f"message.{kind}"][s] += head[..., self.outputs :]
                for name, gradient in of_set.items():
                    gradients[name][s] += gradient
            d_before[:, self.kept :] = self._hear_backward(d_heard)
            follows = before >= 0
            d_states[before[follows]] += d_before[follows]
        return gradients

    def _heads_as_one(self, parameters, s):
        p = {name: values[s] for name, values in parameters.items()}
        for kind in ("weight", "bias"):
            p[f"output.{kind}"] = np.concatenate([p[f"output.{kind}"], p.pop(f"message.{kind}")], -1)
        return p

    def _others(self, agent):
        return [other for other in range(self.agents) if other != agent]

    def _hear(self, said):
        teams = said.reshape(-1, self.agents, self.said)
        each = np.stack([teams[:, self._others(a)] for a in range(self.agents)], 1)
        heard = each if self.side_by_side else each.mean(2)
        return heard.reshape(-1, self.heard)

    def _hear_backward(self, d_heard):
        teams = d_heard.reshape(-1, self.agents, self.heard)
        d_said = np.zeros((len(teams), self.agents, self.said))
        for a in range(self.agents):
            for i, other in enumerate(self._others(a)):
                own = slice(i * self.said, (i + 1) * self.said) if self.side_by_side else slice(None)
                d_said[:, other] += teams[:, a, own] / (1 if self.side_by_side else self.agents - 1)
        return d_said.reshape(-1, self.said)
