#!/usr/bin/env python3
"""packages_test.py BIN_FOLDER: what `learner sweep` writes is read by marl_eval (PyPI id-marl-eval) and rliable, and
says the same there. The runs are made up and finished, so nothing is trained.

Exit status 77 (skipped) without the packages.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy
    from marl_eval.utils.data_processing_utils import create_matrices_for_rliable, data_process_pipeline
    from marl_eval.utils.diagnose_data_errors import DiagnoseData
    from rliable import metrics
except ImportError as error:
    print(f"skipped: {error}; deploy/setup.sh --tests")
    sys.exit(77)

BIN = pathlib.Path(sys.argv.pop(1)).resolve()
SEEDS = (1, 2, 3, 4, 5)
ROWS = ("ppo.clip=0.1", "ppo.clip=0.3")
TASKS = {"small": 3, "large": 5}  # experiments and their grids

EXPERIMENT = """
name: 'NAME' seed: SEED total_env_steps: 1024
environment { name: 'grid_world' settings { key: 'size' value: 'SIZE' } }
collection { num_shards: 4 copies_per_shard: 4 rollout_length: 16 }
ppo { minibatch_size: 128 clip: CLIP }
evaluation { interval_env_steps: 256 episodes: 2 }
"""


def returns_of(task, row, seed):
    """The returns of a run's four evaluations."""
    last = 7.0 + SEEDS.index(seed) ** 2 / 3 + 2 * ROWS.index(row) + 10 * list(TASKS).index(task)
    return [0.0, 1.0, last - 0.5, last + 0.5]


def score_of(task, row, seed):
    """Of the last two."""
    return sum(returns_of(task, row, seed)[-2:]) / 2


def write_run(folder, task, row, seed):
    (folder / "actors").mkdir(parents=True)
    (folder / "actors" / "final.safetensors").touch()
    (folder / "experiment.textproto").write_text(experiment(task, row.split("=")[1], seed))
    lines = []
    for i, value in enumerate(returns_of(task, row, seed), 1):
        steps = {"update": i, "env_steps": 256 * i}
        lines.append({**steps, "wall_seconds": 0.5 * i, "episodes": {"count": 0}})
        figures = {"episode_return": value, "episode_length": 9, "statistics": {"success": value / 50}}
        episodes = {"count": 2, **figures}
        lines.append({"evaluation": episodes, **steps, "best": False})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def experiment(task, clip, seed):
    text = EXPERIMENT
    for name, value in (("NAME", task), ("SIZE", TASKS[task]), ("CLIP", clip), ("SEED", seed)):
        text = text.replace(name, str(value))
    return text


class PackagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        here = pathlib.Path(folder.name)
        for task in TASKS:
            (here / f"{task}.textproto").write_text(experiment(task, 0.2, 1))
            for row in ROWS:
                for seed in SEEDS:
                    write_run(here / "sweep" / task / row / f"seed{seed}", task, row, seed)
        command = [BIN / "learner", "sweep", *(here / f"{task}.textproto" for task in TASKS), "--seeds=1-5",
                   "--vary", "ppo.clip=0.1,0.3", "--last_evaluations=2", f"--run_dir={here / 'sweep'}"]
        cls.output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
        cls.results = json.loads((here / "sweep" / "results.json").read_text())
        cls.scores = json.loads((here / "sweep" / "scores.json").read_text())

    def matrix(self, row):
        """[runs, tasks], by hand."""
        return numpy.array([[score_of(task, row, seed) for task in TASKS] for seed in SEEDS])

    def test_rliable_finds_the_interquartile_mean_of_the_table(self):
        for row, matrix in self.scores["scores"].items():
            numpy.testing.assert_allclose(matrix, self.matrix(row))
        for i, task in enumerate(self.scores["tasks"]):
            for row in ROWS:
                expected = metrics.aggregate_iqm(numpy.array(self.scores["scores"][row])[:, i : i + 1])
                table = self.output[self.output.index(f"{task} (environment") :]
                line = re.search(rf"^  {re.escape(row)} .*$", table, re.MULTILINE)[0]
                self.assertIn(f"  {expected:.4g}  ", line)

    def test_marl_eval_finds_nothing_wrong_and_the_same_scores(self):
        problems = DiagnoseData(json.loads(json.dumps(self.results))).check_data()
        self.assertTrue(all(valid for checks in problems.values() for valid in flags(checks)), problems)
        processed = data_process_pipeline(self.results, [])
        self.assertIn("extra", processed, "marl_eval could not process it")
        matrices, curves = create_matrices_for_rliable(processed, "grid_world", [])
        for row in ROWS:
            numpy.testing.assert_allclose(matrices["mean_episode_return"][row], self.matrix(row))
            numpy.testing.assert_allclose(matrices["mean_success"][row], self.matrix(row) / 50)
            self.assertEqual(curves["mean_episode_return"][row].shape, (len(SEEDS), len(TASKS), 4))
            numpy.testing.assert_allclose(curves["mean_episode_return"][row][0, :, 1], 1)
        self.assertEqual(curves["extra"]["evaluation_interval"], 256)
        self.assertEqual(curves["extra"]["number_of_runs"], len(SEEDS))


def flags(checks):
    """Every truth value below, whatever the shape."""
    if isinstance(checks, dict):
        return [flag for value in checks.values() for flag in flags(value)]
    return [checks] if isinstance(checks, bool) else []


if __name__ == "__main__":
    unittest.main()
