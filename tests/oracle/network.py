"""Dense networks in float64, forward and backward by hand: what an actor or a critic computes, and the gradient of a
loss with respect to its parameters.

A network has `sets` independent parameter sets; every row says which of them it passes through. With x a row's input:
  h = LayerNorm(x) if input_norm; for each hidden layer h = act(h W + b), then LayerNorm(h) if hidden_norm;
  with a recurrent cell h = cell(h W + b, state), then LayerNorm(h) if hidden_norm; y = h W + b
LayerNorm is (x − mean) / √(variance + 1e-5) · gain + bias over a row, with the biased variance (arXiv:1607.06450); it
comes after the activation, as in MAPPO's official networks (arXiv:2103.01955, appendix)."""

import numpy as np

from cells import CELLS, run, run_backward

NORM_EPSILON = 1e-5


class Network:
    def __init__(self, inputs, hidden, outputs, activation="RELU", input_norm=False, hidden_norm=False, sets=1,
                 cell="FEED_FORWARD", recurrent_size=0):
        self.inputs, self.hidden, self.outputs, self.sets = inputs, list(hidden), outputs, sets
        self.activation, self.input_norm, self.hidden_norm = activation, input_norm, hidden_norm
        self.cell, self.recurrent_size = CELLS[cell], recurrent_size
        self.state_size = self.cell.state_size(recurrent_size) if self.cell else 0
        self.closest_kink = np.inf  # how near a ReLU's input came to 0, of all forward passes

    def shapes(self):
        """Name → shape of every parameter, in the order of PolicySpec."""
        shapes = {}

        def add(name, *size):
            shapes[name] = (self.sets, *size)

        if self.input_norm:
            add("input_norm.gain", self.inputs), add("input_norm.bias", self.inputs)
        width = self.inputs
        for i, size in enumerate(self.hidden):
            add(f"layers.{i}.weight", width, size), add(f"layers.{i}.bias", size)
            if self.hidden_norm:
                add(f"norms.{i}.gain", size), add(f"norms.{i}.bias", size)
            width = size
        if self.cell:
            size, gates = self.recurrent_size, self.cell.gates * self.recurrent_size
            add("cell.input_weight", width, gates), add("cell.input_bias", gates)
            add("cell.state_weight", size, gates), add("cell.state_bias", gates)
            if self.hidden_norm:
                add("cell_norm.gain", size), add("cell_norm.bias", size)
            width = size
        add("output.weight", width, self.outputs), add("output.bias", self.outputs)
        return shapes

    def random_parameters(self, random):
        """Of float32's values: no zeros and ones that a wrong term could hide behind."""
        parameters = {}
        for name, shape in self.shapes().items():
            spread = 1.2 / np.sqrt(shape[1]) if name.endswith("weight") else 0.2
            values = spread * random.standard_normal(shape) + (1.0 if name.endswith("gain") else 0.0)
            parameters[name] = values.astype(np.float32).astype(np.float64)
        return parameters

    def forward(self, parameters, x, row_sets=None, memory=None):
        """Outputs [rows, outputs] of x [rows, inputs], and what backward needs. `memory` says whence the states of a
        recurrent network come; rows follow rows of their own set."""
        row_sets = np.zeros(len(x), int) if row_sets is None else row_sets
        y, tapes = np.zeros((len(x), self.outputs)), []
        for s in range(self.sets):
            rows = np.flatnonzero(row_sets == s)
            own = memory.of(rows) if self.cell else None
            y[rows], tape = self._forward_set({name: p[s] for name, p in parameters.items()}, x[rows], own)
            tapes.append((rows, tape))
        return y, tapes

    def remembered(self, tapes):
        """The state after each row [rows, state size], of what forward gave."""
        states = np.zeros((sum(len(rows) for rows, _ in tapes), self.state_size))
        for rows, tape in tapes:
            if self.cell:
                states[rows] = tape["states"]
        return states

    def backward(self, parameters, tapes, dy):
        """Name → gradient of a loss whose gradient with respect to the outputs is dy [rows, outputs]."""
        gradients = {name: np.zeros_like(p) for name, p in parameters.items()}
        for s, (rows, tape) in enumerate(tapes):
            own, _ = self._backward_set({n: p[s] for n, p in parameters.items()}, tape, dy[rows])
            for name, gradient in own.items():
                gradients[name][s] = gradient
        return gradients

    def input_gradient(self, parameters, tapes, dy):
        """The gradient with respect to the inputs, [rows, inputs]."""
        dx = np.zeros((len(dy), self.inputs))
        for s, (rows, tape) in enumerate(tapes):
            dx[rows] = self._backward_set({n: p[s] for n, p in parameters.items()}, tape, dy[rows])[1]
        return dx

    def _forward_set(self, p, x, memory):
        tape, h = {}, x
        if self.input_norm:
            h, tape["input_norm"] = layer_norm(h, p["input_norm.gain"], p["input_norm.bias"])
        for i in range(len(self.hidden)):
            z = h @ p[f"layers.{i}.weight"] + p[f"layers.{i}.bias"]
            if self.activation == "RELU" and z.size:
                self.closest_kink = min(self.closest_kink, np.abs(z).min())
            tape[f"layers.{i}"] = (h, z)
            h = np.maximum(z, 0) if self.activation == "RELU" else np.tanh(z)
            if self.hidden_norm:
                h, tape[f"norms.{i}"] = layer_norm(h, p[f"norms.{i}.gain"], p[f"norms.{i}.bias"])
        if self.cell:
            gates = h @ p["cell.input_weight"] + p["cell.input_bias"]
            tape["states"], steps = run(self.cell, p, gates, memory)
            tape["cell"] = (h, steps)
            h = tape["states"][:, : self.recurrent_size]
            if self.hidden_norm:
                h, tape["cell_norm"] = layer_norm(h, p["cell_norm.gain"], p["cell_norm.bias"])
        tape["output"] = h
        return h @ p["output.weight"] + p["output.bias"], tape

    def _backward_set(self, p, tape, dy, d_after=0):
        """Gradients by name, and that of the input. `d_after` is that of the cell's states after the rows, by other
        ways; that of the states that were given is left in the tape."""
        g = {"output.weight": tape["output"].T @ dy, "output.bias": dy.sum(0)}
        dh = dy @ p["output.weight"].T
        if self.cell:
            if self.hidden_norm:
                norm = "cell_norm"
                dh, g[f"{norm}.gain"], g[f"{norm}.bias"] = layer_norm_backward(dh, p[f"{norm}.gain"], tape[norm])
            h, steps = tape["cell"]
            dgates, g["cell.state_weight"], g["cell.state_bias"], tape["d_given"] = run_backward(
                self.cell, p, steps, dh, d_after)
            g["cell.input_weight"], g["cell.input_bias"] = h.T @ dgates, dgates.sum(0)
            dh = dgates @ p["cell.input_weight"].T
        for i in reversed(range(len(self.hidden))):
            if self.hidden_norm:
                norm = f"norms.{i}"
                dh, g[f"{norm}.gain"], g[f"{norm}.bias"] = layer_norm_backward(dh, p[f"{norm}.gain"], tape[norm])
            h, z = tape[f"layers.{i}"]
            dz = dh * (z > 0) if self.activation == "RELU" else dh * (1 - np.tanh(z) ** 2)
            g[f"layers.{i}.weight"], g[f"layers.{i}.bias"] = h.T @ dz, dz.sum(0)
            dh = dz @ p[f"layers.{i}.weight"].T
        if self.input_norm:
            dh, g["input_norm.gain"], g["input_norm.bias"] = layer_norm_backward(
                dh, p["input_norm.gain"], tape["input_norm"])
        return g, dh


def layer_norm(x, gain, bias):
    scale = 1 / np.sqrt(x.var(-1, keepdims=True) + NORM_EPSILON)
    normal = (x - x.mean(-1, keepdims=True)) * scale
    return normal * gain + bias, (normal, scale)


def layer_norm_backward(dy, gain, tape):
    normal, scale = tape
    dn = dy * gain
    dx = scale * (dn - dn.mean(-1, keepdims=True) - normal * (dn * normal).mean(-1, keepdims=True))
    return dx, (dy * normal).sum(0), dy.sum(0)
