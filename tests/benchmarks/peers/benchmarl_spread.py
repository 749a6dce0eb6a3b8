#!/usr/bin/env python3
"""BenchMARL on simple_spread, to be timed beside tests/benchmarks/peers/spread_ALGORITHM.textproto.

    tests/benchmarks/peers/benchmarl_spread.py --algorithm=mappo|maddpg|qmix [--seconds=20] [--threads=2]
        [--frames=6000] [--copies=60] [--epochs=45] [--minibatch=400]

The simulator is VMAS, which steps all copies of the task as tensors in this process. Networks are BenchMARL's, two
hidden layers of 256; so are frames, epochs and minibatches unless others are said. Copies are 60 rather than its ten,
for it is faster so. MADDPG and QMIX take 1,000 gradient steps of 128 frames for every 6,000 frames, whatever --epochs
says. Evaluation, loggers and files are off.

Prints one JSON object as its last line: env_steps_per_second over all iterations but the first two, a step being all
three agents acting once, and cpu_us_per_step, the processor time of one.
"""

import argparse
import json
import tempfile
import time

import torch
from benchmarl.algorithms import MaddpgConfig, MappoConfig, QmixConfig
from benchmarl.environments import VmasTask
from benchmarl.experiment import Callback, Experiment, ExperimentConfig
from benchmarl.models.mlp import MlpConfig

ALGORITHMS = {"mappo": MappoConfig, "maddpg": MaddpgConfig, "qmix": QmixConfig}
WARM_UP = 2  # iterations


class Over(Exception):
    """Enough was measured."""


class Clock(Callback):
    """Measures from the end of the warm-up's training on."""

    def __init__(self, seconds, frames):
        super().__init__()
        self.seconds, self.frames = seconds, frames
        self.iterations = 0
        self.measured = None

    def on_train_end(self, training_td, group):
        now, used = time.perf_counter(), time.process_time()
        self.iterations += 1
        if self.iterations == WARM_UP:
            self.begin, self.used = now, used
        elif self.iterations > WARM_UP and now - self.begin >= self.seconds:
            steps = (self.iterations - WARM_UP) * self.frames
            self.measured = {"env_steps_per_second": steps / (now - self.begin), "env_steps": steps,
                             "cpu_us_per_step": 1e6 * (used - self.used) / steps}
            raise Over


def configuration(arguments, folder):
    config = ExperimentConfig.get_from_yaml()
    config.max_n_iters, config.max_n_frames = 1_000_000, None
    config.evaluation = config.render = config.create_json = False
    config.loggers = []
    config.save_folder = folder
    config.on_policy_collected_frames_per_batch = config.off_policy_collected_frames_per_batch = arguments.frames
    config.on_policy_n_envs_per_worker = config.off_policy_n_envs_per_worker = arguments.copies
    config.on_policy_n_minibatch_iters = arguments.epochs
    config.on_policy_minibatch_size = arguments.minibatch
    config.off_policy_n_optimizer_steps = arguments.frames // 6
    return config


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--algorithm", choices=sorted(ALGORITHMS), required=True)
    parser.add_argument("--seconds", type=float, default=20, help="training time after the warm-up")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--frames", type=int, default=6000, help="of an iteration")
    parser.add_argument("--copies", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=45, help="of MAPPO")
    parser.add_argument("--minibatch", type=int, default=400, help="frames, of MAPPO")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    clock = Clock(arguments.seconds, arguments.frames)
    with tempfile.TemporaryDirectory() as folder:
        experiment = Experiment(
            task=VmasTask.SIMPLE_SPREAD.get_from_yaml(),
            algorithm_config=ALGORITHMS[arguments.algorithm].get_from_yaml(),
            model_config=MlpConfig.get_from_yaml(), critic_model_config=MlpConfig.get_from_yaml(),
            seed=0, config=configuration(arguments, folder), callbacks=[clock])
        try:
            experiment.run()
        except Over:
            pass
    print(json.dumps(clock.measured))


if __name__ == "__main__":
    main()
