"""Batches that are kept, drawn from and gathered as the learner documents it (learner/replay): uniform joint steps of
a keyed stream, n-step returns (Sutton and Barto, "Reinforcement Learning", section 7.1) over pieces put together."""

from dataclasses import dataclass

import numpy as np

from philox import words


@dataclass
class State:
    observations: list  # of every group [steps, agents, size]
    alive: list  # [steps, agents]
    allowed: list  # [steps, agents, actions], or empty
    extras: np.ndarray

    def masks(self, g):
        return self.allowed[g].reshape(-1, self.allowed[g].shape[-1])

    def joint(self, scene):
        seen = [o.reshape(len(o), -1) for o in self.observations] if scene.observations_in_state else []
        return np.concatenate([*seen, self.extras], -1).astype(np.float64)


@dataclass
class Drawn:
    places: list  # (batch, step, column)
    now: State
    after: State  # what estimates follow from
    recorded: list  # of every group, actions
    rewards: list  # of every group [steps, agents], R
    team_rewards: np.ndarray
    discounts: np.ndarray

    def actions(self, scene):
        """All that was done, [steps, numbers]: clipped to [-1, 1], or one-hot; zeros of the dead."""
        every = []
        for g, group in enumerate(scene.groups):
            steps = len(self.places)
            if group.continuous:
                numbers = np.clip(self.recorded[g].astype(np.float64), -1, 1)
            else:
                chosen = self.recorded[g].reshape(steps, group.agents, -1)
                numbers = np.concatenate([np.eye(n)[chosen[..., i]] for i, n in enumerate(group.sizes)], -1)
            every.append((numbers * self.now.alive[g][..., None]).reshape(steps, -1))
        return np.concatenate(every, -1)


class Replay:
    def __init__(self, scene):
        self.scene, self.batches = scene, []

    def add(self, batch):
        self.batches.append(batch)

    def env_steps(self):
        return len(self.batches) * self.scene.steps * self.scene.columns

    def draw(self, key, settings, team_reward):
        stream, places = words(key), []
        for _ in range(settings["minibatch_size"]):
            bounds = len(self.batches), self.scene.steps, self.scene.columns
            places.append(tuple((next(stream) * bound) >> 32 for bound in bounds))
        found = [self._returns(place, settings["n_step"], settings["discount"], team_reward) for place in places]
        at = [(b, (t, c), False) for b, t, c in places]
        groups = range(len(self.scene.groups))
        return Drawn(places, self._state(at), self._state([f[3] for f in found]),
                     [np.array([self.batches[b][self._name(g, self.scene.groups[g].field)][t, c] for b, t, c in places])
                      for g in groups],
                     [np.array([f[0][g] for f in found]) for g in groups],
                     np.array([f[1] for f in found]), np.array([f[2] for f in found]))

    def _name(self, g, field):
        return f"{self.scene.groups[g].name}/{field}"

    def _state(self, where):
        """Of (batch, row, whether of the final states) each."""
        def gather(name, final_name):
            return np.array([self.batches[b][final_name if final else name][row] for b, row, final in where])

        groups = range(len(self.scene.groups))
        names = [(f, f"final_{f}") for f in ("observations", "alive", "action_masks")]
        observations, alive = ([gather(*(self._name(g, n) for n in pair)) for g in groups] for pair in names[:2])
        allowed = [np.zeros(0) if self.scene.groups[g].continuous else gather(*(self._name(g, n) for n in names[2]))
                   for g in groups]
        return State(observations, alive, allowed, gather("state_extras", "final_state_extras"))

    def _returns(self, place, n, discount, team_reward):
        """Each agent's R by group, the team's, γ^k or 0, and where estimates follow."""
        (b, t, c), weight = place, 1.0
        own, team = [np.zeros(group.agents) for group in self.scene.groups], 0.0
        for k in range(1, n + 1):
            batch = self.batches[b]
            paid = [batch[self._name(g, "rewards")][t, c].astype(np.float64) for g in range(len(own))]
            lives = [batch[self._name(g, "alive")][t, c] > 0 for g in range(len(own))]
            all_paid, all_live = np.concatenate(paid), np.concatenate(lives)
            team += weight * {"SUM": all_paid.sum(), "MEAN_ALL": all_paid.mean(),
                              "MEAN_LIVING": all_paid[all_live].sum() / max(1, all_live.sum())}[team_reward]
            own = [r + weight * p for r, p in zip(own, paid)]
            weight *= discount
            after = b, (t + 1, c), False
            if batch["terminated"][t, c]:
                return own, team, 0.0, after
            if batch["truncated"][t, c]:
                final = [tuple(p) for p in batch["truncated_at"]].index((t, c))
                return own, team, weight, (b, final, True)
            following = self._following(b, t, c)
            if k == n or following is None:
                return own, team, weight, after
            b, t, c = following
        raise AssertionError("a loop that ends by its last return")

    def _following(self, b, t, c):
        if t + 1 < self.scene.steps:
            return b, t + 1, c
        next_piece = self.batches[b]["streams"][c] + [0, 0, 0, 1]
        for later in range(b + 1, len(self.batches)):
            for column, stream in enumerate(self.batches[later]["streams"]):
                if (stream == next_piece).all():
                    return later, 0, column
        return None
