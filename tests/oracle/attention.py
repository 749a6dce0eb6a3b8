"""Critics that attend over agents, in float64, forward and backward by hand (common/specs/policy_spec.h,
AttentionSpec): blocks of multi-head self-attention (arXiv:1706.03762, arXiv:1810.00825) over tokens, some of which may
be absent."""

import numpy as np

from network import Network, layer_norm, layer_norm_backward


class AttentionNetwork(Network):
    """A row holds the numbers of all tokens, kind by kind, then a flag for each one that may be absent: 1 if it is
    there.

    kinds: (tokens, numbers of one, whether they may be absent), those that may first. `per_token`: an output of each
    token that may be absent; else one of the mean over the tokens that are there."""

    def __init__(self, kinds, own, per_token):
        self.kinds, self.per_token = kinds, per_token
        self.size, self.heads, self.layers = own["token_size"], own["attention_heads"], own["attention_layers"]
        self.flags = sum(tokens for tokens, _, absent in kinds if absent)
        inputs = sum(tokens * size for tokens, size, _ in kinds) + self.flags
        outputs = self.flags if per_token else 1
        super().__init__(inputs, own["hidden_sizes"], outputs, own["activation"], own["input_layer_norm"])
        self.head = Network(self.size, own["hidden_sizes"], 1, own["activation"], False, own["hidden_layer_norm"])

    def shapes(self):
        size, shapes = self.size, {}
        for k, (_, numbers, _) in enumerate(self.kinds):
            if self.input_norm:
                shapes.update({f"embeddings.{k}.norm.{part}": (1, numbers) for part in ("gain", "bias")})
            shapes[f"embeddings.{k}.weight"], shapes[f"embeddings.{k}.bias"] = (1, numbers, size), (1, size)
        for i in range(self.layers):
            for name, width in (("input", 3 * size), ("mix", size), ("norm", 0), ("feed", size), ("feed_norm", 0)):
                name = f"attention.{i}.{name}"
                if width == 0:
                    shapes[f"{name}.gain"], shapes[f"{name}.bias"] = (1, size), (1, size)
                else:
                    shapes[f"{name}_weight"], shapes[f"{name}_bias"] = (1, size, width), (1, width)
        return {**shapes, **self.head.shapes()}

    def _forward_set(self, p, x, memory):
        rows, first, tokens, tape = len(x), 0, [], {}
        for k, (count, numbers, _) in enumerate(self.kinds):
            seen = x[:, first : first + count * numbers].reshape(rows * count, numbers)
            first += count * numbers
            if self.input_norm:
                seen, tape[f"embeddings.{k}.norm"] = layer_norm(
                    seen, p[f"embeddings.{k}.norm.gain"], p[f"embeddings.{k}.norm.bias"])
            tape[f"embeddings.{k}"] = seen
            tokens.append((seen @ p[f"embeddings.{k}.weight"] + p[f"embeddings.{k}.bias"]).reshape(rows, count, -1))
        e = np.concatenate(tokens, 1)
        there = np.concatenate([x[:, first:], np.ones((rows, e.shape[1] - self.flags))], 1)
        for i in range(self.layers):
            e, tape[i] = self._layer(p, f"attention.{i}.", e, there)
        tape["there"], counted = there, np.maximum(there.sum(1), 1)
        mean = (e * there[..., None]).sum(1) / counted[:, None]
        h = e[:, : self.flags].reshape(-1, self.size) if self.per_token else mean
        y, tape["head"] = self.head._forward_set(p, h, None)
        self.closest_kink = min(self.closest_kink, self.head.closest_kink)
        return (y.reshape(rows, self.flags) if self.per_token else y), tape

    def _split(self, z):
        """[rows, tokens, size] → [rows, heads, tokens, size / heads]."""
        return z.reshape(*z.shape[:2], self.heads, -1).transpose(0, 2, 1, 3)

    def _join(self, z):
        return z.transpose(0, 2, 1, 3).reshape(z.shape[0], z.shape[2], self.size)

    def _layer(self, p, name, e, there):
        q, k, v = (self._split(z) for z in np.split(e @ p[name + "input_weight"] + p[name + "input_bias"], 3, -1))
        seen = there[:, None, None, :]
        scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
        scores = scores - np.where(seen > 0, scores, -np.inf).max(-1, keepdims=True, initial=-1e300)
        parts = np.where(seen > 0, np.exp(np.minimum(scores, 0)), 0)
        shares = parts / np.maximum(parts.sum(-1, keepdims=True), 1e-300)
        mixed = self._join(shares @ v)
        flat = (e + mixed @ p[name + "mix_weight"] + p[name + "mix_bias"]).reshape(-1, self.size)
        a, normed = layer_norm(flat, p[name + "norm.gain"], p[name + "norm.bias"])
        f = a @ p[name + "feed_weight"] + p[name + "feed_bias"]
        if self.activation == "RELU":
            self.closest_kink = min(self.closest_kink, np.abs(f).min())
        out, fed = layer_norm(a + (np.maximum(f, 0) if self.activation == "RELU" else np.tanh(f)),
                        p[name + "feed_norm.gain"], p[name + "feed_norm.bias"])
        return out.reshape(e.shape), (e, q, k, v, shares, mixed, normed, a, f, fed)

    def _backward_set(self, p, tape, dy):
        there, count = tape["there"], tape["there"].shape[1]
        g, dh = self.head._backward_set(p, tape["head"], dy.reshape(-1, 1) if self.per_token else dy)
        if self.per_token:
            de = np.zeros((len(dy), count, self.size))
            de[:, : self.flags] = dh.reshape(len(dy), self.flags, self.size)
        else:
            de = dh[:, None] * (there / np.maximum(there.sum(1, keepdims=True), 1))[..., None]
        for i in reversed(range(self.layers)):
            de = self._layer_backward(p, f"attention.{i}.", tape[i], de, g)
        first = 0
        for k, (tokens, _, _) in enumerate(self.kinds):
            own = de[:, first : first + tokens].reshape(-1, self.size)
            first += tokens
            g[f"embeddings.{k}.weight"], g[f"embeddings.{k}.bias"] = tape[f"embeddings.{k}"].T @ own, own.sum(0)
            if self.input_norm:
                name = f"embeddings.{k}.norm"
                _, g[f"{name}.gain"], g[f"{name}.bias"] = layer_norm_backward(
                    own @ p[f"embeddings.{k}.weight"].T, p[f"{name}.gain"], tape[name])
        return g, None

    def _layer_backward(self, p, name, tape, de, g):
        e, q, k, v, shares, mixed, normed, a, f, fed = tape

        def product(at, x, dy):
            x, dy = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
            g[f"{name}{at}_weight"], g[f"{name}{at}_bias"] = x.T @ dy, dy.sum(0)

        flat = de.reshape(-1, self.size)
        da, g[name + "feed_norm.gain"], g[name + "feed_norm.bias"] = layer_norm_backward(
            flat, p[name + "feed_norm.gain"], fed)
        df = da * (f > 0) if self.activation == "RELU" else da * (1 - np.tanh(f) ** 2)
        product("feed", a, df)
        da = da + df @ p[name + "feed_weight"].T
        du, g[name + "norm.gain"], g[name + "norm.bias"] = layer_norm_backward(da, p[name + "norm.gain"], normed)
        du = du.reshape(e.shape)
        product("mix", mixed, du)
        dmixed = self._split(du @ p[name + "mix_weight"].T)
        dshares, dv = dmixed @ v.swapaxes(-1, -2), shares.swapaxes(-1, -2) @ dmixed
        dscores = shares * (dshares - (dshares * shares).sum(-1, keepdims=True)) / np.sqrt(q.shape[-1])
        dq, dk = dscores @ k, dscores.swapaxes(-1, -2) @ q
        dz = np.concatenate([self._join(d) for d in (dq, dk, dv)], -1)
        product("input", e, dz)
        return du + dz @ p[name + "input_weight"].T
