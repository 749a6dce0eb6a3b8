"""Adam (arXiv:1412.6980, algorithm 1) over one network's parameters, after clipping the gradient's norm
(arXiv:1211.5063, algorithm 1, with the 1e-6 that PyTorch's clip_grad_norm_ adds); weight decay is part of the gradient.
Every parameter's leading axis is its set; sets are optimised each by itself."""

import numpy as np

BETA_1, BETA_2 = 0.9, 0.999


class Adam:
    def __init__(self, parameters, epsilon, weight_decay, max_norm):
        self.epsilon, self.weight_decay, self.max_norm = epsilon, weight_decay, max_norm
        self.steps = np.zeros(len(next(iter(parameters.values()))))
        self.first = {name: np.zeros_like(p) for name, p in parameters.items()}
        self.second = {name: np.zeros_like(p) for name, p in parameters.items()}

    def step(self, parameters, gradients, learning_rate, s=0):
        """Changes set s of `parameters`; returns the norm of that set's gradient before clipping."""
        norm = np.sqrt(sum((g[s] ** 2).sum() for g in gradients.values()))
        shrink = 1.0 if self.max_norm == 0 else min(1.0, self.max_norm / (norm + 1e-6))
        self.steps[s] += 1
        t = self.steps[s]
        for name, p in parameters.items():
            g = gradients[name][s] * shrink + self.weight_decay * p[s]
            m, v = self.first[name], self.second[name]
            m[s] = BETA_1 * m[s] + (1 - BETA_1) * g
            v[s] = BETA_2 * v[s] + (1 - BETA_2) * g**2
            p[s] -= learning_rate * (m[s] / (1 - BETA_1**t)) / (np.sqrt(v[s] / (1 - BETA_2**t)) + self.epsilon)
        return norm
