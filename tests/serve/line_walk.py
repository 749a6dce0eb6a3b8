"""The environment of docs/clients/line_walk.cc as a troupe.Copy, for NumPy alone."""

from troupe import Copy
from troupe.serve.copy import GOES_ON, TERMINATED, TRUNCATED
from troupe.serve.spec import DISCRETE, Group, Observed, Spec

_MASK = (1 << 64) - 1


def _draws(state):
    """SplitMix64."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        yield z ^ (z >> 31)


class LineWalk(Copy):
    spec = Spec(
        (Group("walkers", ("ann", "bob"), 2, DISCRETE, 3, observed=(Observed("place", 10), Observed("goal", 10))),),
        statistics=("arrived",),
    )

    def bind(self, rows):
        self._rows = rows
        self._walkers = rows.groups[0]
        self._walkers.alive[:] = 1

    def reset(self, seed):
        draws = _draws(seed)
        self._places, self._goals = [0, 0], [0, 0]
        for a in range(2):
            self._places[a], self._goals[a] = next(draws) % 10, next(draws) % 10
        self._step = 0
        self._observe()

    def step(self, actions):
        arrived = 0
        for a, (move,) in enumerate(actions[0]):
            self._places[a] += move - 1
            away = abs(self._places[a] - self._goals[a])
            self._walkers.rewards[a] = -0.1 * away
            arrived += away == 0
        self._step += 1
        self._rows.statistics[0] = arrived / 2
        self._observe()
        if arrived == 2:
            return TERMINATED
        return TRUNCATED if self._step == 20 else GOES_ON

    def _observe(self):
        for a, place in enumerate(self._places):
            self._walkers.observations[a] = place / 10, self._goals[a] / 10
            self._walkers.masks[a] = place > 0, 1, place < 9
