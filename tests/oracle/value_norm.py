"""Normalisation of value targets by debiased moving averages of their first two moments, β = 0.99999 and a variance of
at least 1e-2, as MAPPO's official ValueNorm has them (arXiv:2103.01955, section 5.1)."""

import numpy as np

BETA, LEAST_VARIANCE = 0.99999, 1e-2


class ValueNorm:
    def __init__(self, enabled):
        self.enabled = enabled
        self.state = np.zeros(3)  # of the target, of its square, of 1

    def update(self, targets):
        if self.enabled and targets.size:
            self.state = BETA * self.state + (1 - BETA) * np.array([targets.mean(), (targets**2).mean(), 1.0])

    def mean_and_deviation(self):
        if not self.enabled or self.state[2] == 0:
            return 0.0, 1.0
        mean, square = self.state[:2] / self.state[2]
        return mean, np.sqrt(max(square - mean**2, LEAST_VARIANCE))
