"""Recurrent cells in float64, forward and backward by hand, a step at a time and along many: the gated recurrent unit
(arXiv:1406.1078, with the reset gate where cuDNN has it, on what the state contributes to the candidate) and the long
short-term memory with a forget gate (doi:10.1162/089976600300015015).

A step takes what the input contributes to the gates, gi [rows, gates · H], what the state contributes, gh alike, and
the state [rows, state size], whose first H numbers are the cell's output m."""

import numpy as np


class Gru:
    """State m; gates r, z, n."""

    gates = 3

    @staticmethod
    def state_size(size):
        return size

    @staticmethod
    def step(gi, gh, state):
        """The next state, and what backward needs."""
        (i_r, i_z, i_n), (h_r, h_z, h_n) = np.split(gi, 3, -1), np.split(gh, 3, -1)
        r, z = _logistic(i_r + h_r), _logistic(i_z + h_z)
        n = np.tanh(i_n + r * h_n)
        return (1 - z) * n + z * state, (r, z, n, h_n, state)

    @staticmethod
    def backward(d_next, tape):
        """Gradients with respect to gi, gh, and the state other than through gh."""
        r, z, n, h_n, state = tape
        d_n = d_next * (1 - z) * (1 - n**2)
        d_r = d_n * h_n * r * (1 - r)
        d_z = d_next * (state - n) * z * (1 - z)
        return np.concatenate([d_r, d_z, d_n], -1), np.concatenate([d_r, d_z, d_n * r], -1), d_next * z


class Lstm:
    """State m, c; gates i, f, g, o."""

    gates = 4

    @staticmethod
    def state_size(size):
        return 2 * size

    @staticmethod
    def step(gi, gh, state):
        """The next state, and what backward needs."""
        i, f, g, o = np.split(gi + gh, 4, -1)
        i, f, g, o = _logistic(i), _logistic(f), np.tanh(g), _logistic(o)
        c = np.split(state, 2, -1)[1]
        c_next = f * c + i * g
        return np.concatenate([o * np.tanh(c_next), c_next], -1), (i, f, g, o, c, np.tanh(c_next))

    @staticmethod
    def backward(d_next, tape):
        """Gradients with respect to gi, gh, and the state other than through gh."""
        i, f, g, o, c, squashed = tape
        d_m, d_c = np.split(d_next, 2, -1)
        d_c = d_c + d_m * o * (1 - squashed**2)
        d_gates = [d_c * g * i * (1 - i), d_c * c * f * (1 - f), d_c * i * (1 - g**2), d_m * squashed * o * (1 - o)]
        d_gates = np.concatenate(d_gates, -1)
        return d_gates, d_gates, np.concatenate([np.zeros_like(d_m), d_c * f], -1)


CELLS = {"FEED_FORWARD": None, "GRU": Gru, "LSTM": Lstm}


def _logistic(x):
    return 1 / (1 + np.exp(-x))


class Memory:
    """Whence each row of a recurrent network's inputs has its state: from row `before`, or where that is -1 from
    `given` [rows, state size], into which no gradient goes."""

    def __init__(self, before, given):
        self.before, self.given = np.asarray(before), given

    def of(self, rows):
        """The memory of some of the rows, which are all that any of them follows."""
        place = np.full(len(self.before) + 1, -1)
        place[rows] = np.arange(len(rows))
        return Memory(place[self.before[rows]], self.given[rows])

    def waves(self):
        """Rows in parts, each of which follows rows of the part before it."""
        wave = np.flatnonzero(self.before < 0)
        while wave.size:
            yield wave
            wave = np.flatnonzero(np.isin(self.before, wave))


def run(cell, p, gi, memory):
    """What is remembered after each row [rows, state size], and what backward needs."""
    states, tapes = np.zeros((len(gi), memory.given.shape[1])), []
    size = p["cell.state_weight"].shape[0]
    for rows in memory.waves():
        before = memory.before[rows]
        state = np.where((before < 0)[:, None], memory.given[rows], states[before])
        gh = state[:, :size] @ p["cell.state_weight"] + p["cell.state_bias"]
        states[rows], tape = cell.step(gi[rows], gh, state)
        tapes.append((rows, before, state[:, :size], tape))
    return states, tapes


def run_backward(cell, p, tapes, d_outputs, d_after=0):
    """Gradients with respect to gi, of the state's weight and bias, and with respect to the states [rows, state size]
    given, of a loss whose gradient with respect to the cell's outputs is d_outputs [rows, H], and with respect
    to the states after the rows, otherwise, d_after."""
    count, size = d_outputs.shape
    d_gi = np.zeros((count, cell.gates * size))
    d_states = np.zeros((count, cell.state_size(size))) + d_after
    d_given = np.zeros_like(d_states)
    d_states[:, :size] += d_outputs
    weight, bias = np.zeros_like(p["cell.state_weight"]), np.zeros_like(p["cell.state_bias"])
    for rows, before, m, tape in reversed(tapes):
        d_gi[rows], d_gh, d_state = cell.backward(d_states[rows], tape)
        d_state[:, :size] += d_gh @ p["cell.state_weight"].T
        follows = before >= 0
        d_states[before[follows]] += d_state[follows]
        d_given[rows[~follows]] = d_state[~follows]
        weight, bias = weight + m.T @ d_gh, bias + d_gh.sum(0)
    return d_gi, weight, bias, d_given
