#!/usr/bin/env python3
"""Sample Factory's PPO of the size of deploy/experiments/traffic_grid_reference.textproto, to be timed beside it.

    tests/benchmarks/peers/sample_factory_ppo.py [--seconds=20] [--threads=2]

Nine agents in 64 copies on as many rollout workers as threads, 225 steps per update, four epochs in eight minibatches
of 1,800 joint steps (eight as of 14,400 by 2,048, but equal ones), collected while the learner trains. Sample Factory
shares one policy over the agents (17-128-64-4) with a critic on the agent's own observation (17-128-64-1), and masks no
actions: less work than the experiment's, which has nine policies and a critic on the team's state. Its learner has one
thread.

It has no simulator: observations and rewards are looked up in tables drawn at the start, and episodes do not end.

Prints one JSON object as its last line: env_steps_per_second over all updates but the first three, a step being all
nine agents acting once.
"""

import argparse
import json
import tempfile
import time

import gymnasium
import numpy
from sample_factory.algo.runners.runner import AlgoObserver
from sample_factory.algo.utils.misc import ExperimentStatus
from sample_factory.cfg.arguments import parse_full_cfg, parse_sf_args
from sample_factory.envs.env_utils import register_env
from sample_factory.train import make_runner

AGENTS, OBSERVED, ACTIONS, ROWS = 9, 17, 4, 512
MINIBATCHES = 8
WARM_UP = 3  # updates: rollouts are collected ahead of training


class TableEnvironment(gymnasium.Env):
    """Looks everything up: a row of observations in turn, the team's reward from each agent's action."""

    num_agents, is_multiagent, render_mode = AGENTS, True, None

    def __init__(self):
        random = numpy.random.default_rng(1)
        self.observation_space = gymnasium.spaces.Box(-10, 10, (OBSERVED,), numpy.float32)
        self.action_space = gymnasium.spaces.Discrete(ACTIONS)
        self.observations = [list(row) for row in random.standard_normal((ROWS, AGENTS, OBSERVED), numpy.float32)]
        self.rewards = (-random.random((ROWS, ACTIONS))).tolist()
        self.row = 0

    def reset(self, **_):
        return self.observations[self.row], [{} for _ in range(AGENTS)]

    def step(self, actions):
        rewards = self.rewards[self.row]
        reward = sum(rewards[action] for action in actions) / AGENTS
        self.row = (self.row + 1) % ROWS
        return (self.observations[self.row], [reward] * AGENTS, [False] * AGENTS, [False] * AGENTS,
                [{} for _ in range(AGENTS)])


def make_environment(name, settings=None, instance=None, render_mode=None):
    return TableEnvironment()


class Clock(AlgoObserver):
    """Counts what is trained from the end of the warm-up on, and ends the run."""

    def __init__(self, seconds, steps_per_update):
        self.seconds, self.steps_per_update = seconds, steps_per_update
        self.updates = 0
        self.begin = self.steps = self.rate = None

    def on_training_step(self, runner, training_iteration_since_resume):
        now = time.perf_counter()
        self.updates += 1
        if self.updates == WARM_UP:
            self.begin = now
        elif self.updates > WARM_UP and self.rate is None and now - self.begin >= self.seconds:
            self.steps = (self.updates - WARM_UP) * self.steps_per_update
            self.rate = self.steps / (now - self.begin)
            runner.cfg.train_for_seconds = -1  # over


def configuration(arguments, folder):
    samples = arguments.steps * arguments.copies * AGENTS
    settings = {
        "algo": "APPO", "env": "table", "experiment": "table", "train_dir": folder, "device": "cpu", "seed": 1,
        "num_workers": arguments.threads, "num_envs_per_worker": arguments.copies // arguments.threads,
        "rollout": arguments.steps, "batch_size": samples // MINIBATCHES, "num_batches_per_epoch": MINIBATCHES,
        "num_epochs": arguments.epochs, "shuffle_minibatches": True, "use_rnn": False, "nonlinearity": "relu",
        "actor_critic_share_weights": False, "normalize_input": False, "learning_rate": 5e-4, "adam_eps": 1e-5,
        "ppo_clip_ratio": 0.2, "ppo_clip_value": 0.2, "exploration_loss_coeff": 0.01, "max_grad_norm": 0.5,
        "batched_sampling": True, "log_to_file": False,
    }
    command = [f"--{name}={value}" for name, value in settings.items()] + ["--encoder_mlp_layers", "128", "64"]
    parser, _ = parse_sf_args(command)
    return parse_full_cfg(parser, command)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="training time after the warm-up")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--copies", type=int, default=64)
    parser.add_argument("--steps", type=int, default=225, help="of each copy per update")
    parser.add_argument("--epochs", type=int, default=4)
    arguments = parser.parse_args()
    register_env("table", make_environment)
    clock = Clock(arguments.seconds, arguments.steps * arguments.copies)
    with tempfile.TemporaryDirectory() as folder:
        _, runner = make_runner(configuration(arguments, folder))
        runner.register_observer(clock)
        if runner.init() == ExperimentStatus.SUCCESS:
            runner.run()
    if clock.rate is None:
        raise SystemExit(f"Sample Factory did not train for {arguments.seconds} s after its warm-up")
    print(json.dumps({"env_steps_per_second": clock.rate, "env_steps": clock.steps}))


if __name__ == "__main__":
    main()
