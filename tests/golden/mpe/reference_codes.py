"""The two published codes of the particle environments behind one interface, for record.py.

mpe2: PyPI's mpe2 1.1.1. original: onpolicy/envs/mpe of github.com/marlbenchmark/on-policy, commit de66d7a, in a folder
that the environment variable ORIGINAL_MPE names (the one with onpolicy/ in it); of its imports gym is taken from
gymnasium, and seaborn, which it only colours with, is left out.

An action is, per agent, {"move": 0 to 4 or (right, up) in [-1, 1], "word": number or list of numbers in [0, 1]}.
"""
import importlib
import os
import sys
import types

import numpy as np

MOVES = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]
SCENARIOS = {"simple_spread": "simple_spread_v3", "simple_tag": "simple_tag_v3",
             "simple_adversary": "simple_adversary_v3", "simple_speaker_listener": "simple_speaker_listener_v4",
             "simple_reference": "simple_reference_v3"}


def goals(world, scenario):
    """The landmarks' numbers, of each agent that knows one."""
    knows = {"simple_adversary": ["goal_a"], "simple_speaker_listener": ["goal_b"], "simple_reference": ["goal_b"] * 2}
    return [[landmark is getattr(world.agents[i], name) for landmark in world.landmarks].index(True)
            for i, name in enumerate(knows.get(scenario, []))]


def set_goals(world, scenario, numbers):
    for i, number in enumerate(numbers):
        landmark = world.landmarks[number]
        if scenario == "simple_adversary":
            for agent in world.agents:
                agent.goal_a = landmark
        else:
            world.agents[i].goal_b = landmark


class Code:
    """scenario; world: what the code itself simulates."""

    def vocabulary(self, agent):
        return 0 if agent.silent else self.world.dim_c

    def crowd(self, factor):
        """Moves everything that moves towards the middle, so that it touches."""
        for agent in self.world.agents:
            agent.state.p_pos = np.array(agent.state.p_pos) * factor

    def random_action(self, rng, continuous):
        """Of numbers that a float holds exactly."""
        actions = []
        for agent in self.world.agents:
            action, words = {}, self.vocabulary(agent)
            if agent.movable:
                action["move"] = tuple(rng.integers(-64, 65, 2) / 64) if continuous else int(rng.integers(5))
            if words:
                action["word"] = list(rng.integers(0, 65, words) / 64) if continuous else int(rng.integers(words))
            actions.append(action)
        return actions


class Mpe2(Code):
    def __init__(self, scenario, continuous=False, **settings):
        self.scenario, self.continuous = scenario, continuous
        self.env = importlib.import_module("mpe2." + SCENARIOS[scenario]).parallel_env(
            continuous_actions=continuous, **settings)
        self.world = self.env.aec_env.unwrapped.world

    def reset(self, seed):
        self.env.reset(seed=seed)

    def observations(self):
        raw = self.env.aec_env.unwrapped
        return [raw.scenario.observation(agent, self.world) for agent in self.world.agents]

    def step(self, actions):
        """Each agent's reward."""
        numbers = {}
        for agent, action in zip(self.world.agents, actions):
            move, word = action.get("move"), action.get("word")
            if self.continuous:
                right, up = move if move is not None else (0, 0)
                pushes = [0, max(-right, 0), max(right, 0), max(-up, 0), max(up, 0)] if move is not None else []
                numbers[agent.name] = np.array(pushes + list(word or []), dtype=np.float32)
            else:
                numbers[agent.name] = (move or 0) + (word or 0) * (5 if agent.movable else 1)
        _, rewards, _, truncations, _ = self.env.step(numbers)
        self.over = all(truncations.values())
        return [rewards[agent.name] for agent in self.world.agents]


def _import_original():
    folder = os.environ["ORIGINAL_MPE"]
    import gymnasium
    sys.modules.update({"gym": gymnasium, "gym.spaces": gymnasium.spaces, "gym.envs": gymnasium.envs,
                        "gym.envs.registration": gymnasium.envs.registration,
                        "seaborn": types.ModuleType("seaborn")})
    # Not the packages' own __init__, which import what is not needed here.
    for package in ("onpolicy", "onpolicy.envs", "onpolicy.envs.mpe"):
        module = types.ModuleType(package)
        module.__path__ = [os.path.join(folder, *package.split("."))]
        sys.modules[package] = module
    return importlib.import_module("onpolicy.envs.mpe.environment").MultiAgentEnv


class Original(Code):
    def __init__(self, scenario, num_agents, num_landmarks, num_good_agents=0, num_adversaries=0):
        self.scenario = scenario
        multi_agent_env = _import_original()
        code = importlib.import_module("onpolicy.envs.mpe.scenarios." + scenario).Scenario()
        self.world = code.make_world(types.SimpleNamespace(
            episode_length=25, num_agents=num_agents, num_landmarks=num_landmarks, num_good_agents=num_good_agents,
            num_adversaries=num_adversaries))
        self.env = multi_agent_env(self.world, code.reset_world, code.reward, code.observation, code.info)

    def reset(self, seed):
        np.random.seed(seed)
        self.env.reset()

    def observations(self):
        return [self.env._get_obs(agent) for agent in self.world.agents]

    def rewards(self):
        own = [float(self.env._get_reward(agent)) for agent in self.world.agents]
        return [sum(own)] * len(own) if self.env.shared_reward else own

    def rewards_in(self, world):
        """What this code would pay where the other one is now."""
        for mine, other in ((self.world.agents, world.agents), (self.world.landmarks, world.landmarks)):
            for a, b in zip(mine, other, strict=True):
                a.state.p_pos, a.state.p_vel = np.array(b.state.p_pos), np.array(b.state.p_vel)
        set_goals(self.world, self.scenario, goals(world, self.scenario))
        return self.rewards()

    def step(self, actions):
        """Each agent's reward. Moves are discrete."""
        numbers = []
        for agent, action in zip(self.world.agents, actions):
            one_hots = []
            if agent.movable:
                # This code's first move is to the right, and its third upwards.
                one_hots.append(np.eye(5)[(0, 2, 1, 4, 3)[action["move"]]])
            if self.vocabulary(agent):
                one_hots.append(np.eye(self.vocabulary(agent))[action["word"]])
            numbers.append(np.concatenate(one_hots))
        _, rewards, done, _ = self.env.step(numbers)
        self.over = all(done)
        return [float(np.sum(reward)) for reward in rewards]
