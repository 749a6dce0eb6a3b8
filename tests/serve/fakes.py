"""Small environments of Gymnasium and PettingZoo that do one thing each."""

import os
import time

import gymnasium
import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv


class Countdown(gymnasium.Env):
    """Observes steps left of `length`; the action is the reward. Ends by terminating, or by truncation if `cut`."""

    observation_space = spaces.Box(0, np.inf, (1,), np.float32)

    def __init__(self, length=3, cut=False, action_space=None, observe=None, observation_space=None):
        self.length, self.cut = length, cut
        self.action_space = action_space or spaces.Discrete(2)
        self.observation_space = observation_space or self.observation_space
        self.observe = observe or (lambda left: np.array([left], np.float32))
        self.actions = []

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.seed = seed
        self.left = self.length
        return self.observe(self.left), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.actions.append(action)
        self.left -= 1
        over = self.left == 0
        reward = float(np.sum(action)) if not isinstance(action, tuple) else 0.0
        return self.observe(self.left), reward, over and not self.cut, over and self.cut, {"luck": 7 + self.left}


class Pair(gymnasium.Env):
    """Two agents of one Gymnasium environment; each is paid its action, tenfold the second. Ends after two steps."""

    n_agents = 2
    observation_space = spaces.Tuple([spaces.Box(0, 9, (1,)), spaces.Box(0, 9, (1,))])
    action_space = spaces.Tuple([spaces.Discrete(3), spaces.Discrete(3)])

    def _see(self):
        return np.full((2, 1), self.steps, np.float32), {"action_mask": [[1, 1, 0], [0, 1, 1]], "pairs": 1}

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._see()

    def step(self, action):
        assert self.action_space.contains(action), action
        self.steps += 1
        seen, info = self._see()
        return seen, [action[0], 10 * action[1]], False, self.steps == 2, info


class Party(ParallelEnv):
    """Guests who see how long the party lasts, and leave by `leaves`: {step: {name: "terminated" or "truncated"}};
    those in `late` come at the second step. Reward: 1, and 10 at the step at which one leaves. The host sees two
    numbers."""

    metadata = {"name": "party", "is_parallelizable": True}

    def __init__(self, leaves, guests=("guest_0", "guest_1"), host=True, late=(), masks=None):
        self.possible_agents = [*guests, *(["host"] if host else [])]
        self.leaves, self.late, self.masks = leaves, late, masks or {}
        self.state_space = spaces.Box(0, 100, (1, 2))

    def observation_space(self, agent):
        return spaces.Box(0, 100, (2 if agent == "host" else 1,))

    def action_space(self, agent):
        return spaces.Discrete(4 if agent == "host" else 3)

    def state(self):
        return np.array([[self.steps, len(self.agents)]])

    def _see(self, names):
        seen = {name: np.full(2 if name == "host" else 1, self.steps + 1, np.float32) for name in names}
        return seen, {name: {"action_mask": self.masks[name]} if name in self.masks else {} for name in names}

    def reset(self, seed=None, options=None):
        self.agents = [name for name in self.possible_agents if name not in self.late]
        self.steps = 0
        return self._see(self.agents)

    def step(self, actions):
        assert set(actions) == set(self.agents), (actions, self.agents)
        self.steps += 1
        here = list(self.agents)
        why = self.leaves.get(self.steps, {})
        observations, infos = self._see(here)
        rewards = {name: 10.0 if name in why else 1.0 for name in here}
        self.agents = [name for name in here if name not in why]
        if self.steps == 1:
            self.agents += self.late
            for part, more in zip((observations, infos), self._see(self.late)):
                part.update(more)
        return (
            observations,
            rewards,
            {name: why.get(name) == "terminated" for name in here},
            {name: why.get(name) == "truncated" for name in here},
            infos,
        )


class Auction(AECEnv):
    """Two bidders in turn; three bids each. The mask forbids what the other bid last. The one whose bid is above the
    other's last earns 1, the other loses 1."""

    metadata = {"name": "auction", "is_parallelizable": False}

    def __init__(self, cut=False):
        super().__init__()
        self.possible_agents = ["ann", "bob"]
        self.cut = cut

    def observation_space(self, agent):
        return spaces.Dict({"observation": spaces.Box(0, 9, (1,)), "action_mask": spaces.Box(0, 1, (4,), np.int8)})

    def action_space(self, agent):
        return spaces.Discrete(4)

    def reset(self, seed=None, options=None):
        self.agents = list(self.possible_agents)
        self.rewards = {name: 0 for name in self.agents}
        self._cumulative_rewards = {name: 0 for name in self.agents}
        self.terminations = {name: False for name in self.agents}
        self.truncations = {name: False for name in self.agents}
        self.infos = {name: {} for name in self.agents}
        self.agent_selection = "ann"
        self.bids, self.last = 0, {}

    def _other(self, agent):
        return "bob" if agent == "ann" else "ann"

    def observe(self, agent):
        mask = np.ones(4, np.int8)
        if (said := self.last.get(self._other(agent))) is not None:
            mask[said] = 0
        return {"observation": np.array([self.bids], np.float32), "action_mask": mask}

    def step(self, action):
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            return self._was_dead_step(action)
        other = self._other(agent)
        self.last[agent] = action
        self.bids += 1
        won = other in self.last and action > self.last[other]
        self.rewards = {agent: 1 if won else 0, other: -1 if won else 0}
        self.agent_selection = other
        if self.bids == 6:
            which = self.truncations if self.cut else self.terminations
            which.update({name: True for name in self.agents})


def faulty(fault, when=3):
    """A Countdown that goes wrong at step `when` of its first episode."""

    class Faulty(Countdown):
        def step(self, action):
            if self.left == self.length - when:
                happen()
            return super().step(action)

    def happen():
        if fault == "raise":
            raise ZeroDivisionError("the cake is a lie")
        if fault == "hang":
            print("hanging")
            sleep_for_ever()
        if fault == "die":
            os._exit(3)
        if fault == "leak":
            hoard = []
            while True:
                hoard.append(np.ones(1 << 20))
        if fault == "nan":
            environment.observe = lambda left: np.array([np.nan], np.float32)
        if fault == "shape":
            environment.observe = lambda left: np.zeros((2, 3), np.float32)
        if fault == "exit":
            raise SystemExit("enough")

    def sleep_for_ever():
        while True:
            time.sleep(1)

    if fault == "construct":
        raise KeyError("no such cake")
    environment = Faulty(length=10)
    return environment
