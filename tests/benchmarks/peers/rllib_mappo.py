#!/usr/bin/env python3
"""RLlib's PPO of the size of deploy/experiments/traffic_grid_reference.textproto, to be timed beside it.

    tests/benchmarks/peers/rllib_mappo.py [--seconds=20] [--threads=2]

Nine agents with a policy each (17-128-64-4), 64 copies in as many environment runners as threads, 225 steps per update,
four epochs in minibatches of 2,048. Each policy has a critic of its own on its agent's observation (17-128-64-1),
because RLlib learns one policy after the other and would evaluate a critic of the team's state nine times for each
step. That and the missing action masks make its work less than the experiment's.

It has no simulator: observations and rewards are looked up in tables drawn at the start, and episodes do not end.

Prints one JSON object as its last line: env_steps_per_second over all updates but the first, a step being all nine
agents acting once.
"""

import argparse
import json
import os
import tempfile
import time

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import gymnasium
import numpy
import ray
import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.rllib.env.multi_agent_env import MultiAgentEnv

OBSERVED, ACTIONS, ROWS = 17, 4, 512
AGENTS = [f"agent{i}" for i in range(9)]


class TableEnvironment(MultiAgentEnv):
    """Looks everything up: a row of observations in turn, the team's reward from each agent's action."""

    def __init__(self, config=None):
        super().__init__()
        random = numpy.random.default_rng(1)
        self.agents = self.possible_agents = AGENTS
        box = gymnasium.spaces.Box(-10, 10, (OBSERVED,), numpy.float32)
        self.observation_spaces = {agent: box for agent in AGENTS}
        self.action_spaces = {agent: gymnasium.spaces.Discrete(ACTIONS) for agent in AGENTS}
        drawn = random.standard_normal((ROWS, len(AGENTS), OBSERVED), numpy.float32)
        self.observations = [dict(zip(AGENTS, row)) for row in drawn]
        self.rewards = (-random.random((ROWS, ACTIONS))).tolist()
        self.row = 0

    def reset(self, *, seed=None, options=None):
        return self.observations[self.row], {}

    def step(self, actions):
        rewards = self.rewards[self.row]
        reward = sum(rewards[action] for action in actions.values()) / len(AGENTS)
        self.row = (self.row + 1) % ROWS
        return self.observations[self.row], dict.fromkeys(AGENTS, reward), {"__all__": False}, {"__all__": False}, {}


def configuration(arguments):
    return (
        PPOConfig()
        .environment(TableEnvironment, disable_env_checking=True)
        .env_runners(num_env_runners=arguments.threads, num_envs_per_env_runner=arguments.copies // arguments.threads,
                     rollout_fragment_length=arguments.steps)
        .learners(num_learners=0)
        .multi_agent(policies=set(AGENTS), policy_mapping_fn=lambda agent, episode, **_: agent)
        .rl_module(model_config=DefaultModelConfig(fcnet_hiddens=[128, 64], fcnet_activation="relu",
                                                   vf_share_layers=False))
        .training(train_batch_size_per_learner=arguments.steps * arguments.copies, num_epochs=arguments.epochs,
                  minibatch_size=arguments.minibatch, lr=5e-4, gamma=0.99, lambda_=0.95, clip_param=0.2,
                  use_kl_loss=False, vf_loss_coeff=0.5, entropy_coeff=0.01, grad_clip=0.5, grad_clip_by="norm")
    )


def train(arguments):
    """Seconds and updates after the warm-up."""
    algorithm = configuration(arguments).build_algo()
    torch.set_num_threads(arguments.threads)
    algorithm.train()  # warms up
    begin = time.perf_counter()
    passed, updates = 0.0, 0
    while passed < arguments.seconds:
        algorithm.train()
        updates += 1
        passed = time.perf_counter() - begin
    return passed, updates


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="training time after the first update")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--copies", type=int, default=64)
    parser.add_argument("--steps", type=int, default=225, help="of each copy per update")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--minibatch", type=int, default=2048, help="steps of each agent")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        ray.init(num_cpus=arguments.threads, include_dashboard=False, log_to_driver=False, logging_level="error",
                 _temp_dir=folder)
        try:
            passed, updates = train(arguments)
        finally:
            ray.shutdown()
    steps = updates * arguments.steps * arguments.copies
    print(json.dumps({"env_steps_per_second": steps / passed, "env_steps": steps}))


if __name__ == "__main__":
    main()
