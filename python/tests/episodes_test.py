#!/usr/bin/env python3
"""episodes_test.py BIN_FOLDER LIBRARY: what `actor_worker record` writes is what was played: the environments, given
its actions, show its observations and pay its rewards, and returns are those of `actor_worker evaluate`; HDF5, Minari
and Parquet hold the same."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True
BIN = pathlib.Path(sys.argv.pop(1)).resolve()
os.environ["TROUPE_ENVIRONMENTS_LIBRARY"] = str(pathlib.Path(sys.argv.pop(1)).resolve())

try:
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}; deploy/setup.sh --tests")
    sys.exit(77)

import troupe  # noqa: E402
from troupe.episodes.command import main as episodes_command  # noqa: E402

# Each kind of action; several groups; agents that die; a critic's state with extras; one agent.
PLAYED = {
    "simple_tag": {},
    "simple_reference": {"actions": "MULTI_DISCRETE"},
    "pendulum": {},
    "smax": {"map": "3m"},
    "payments": {},
    "traffic_grid": {"decision_interval_seconds": "30"},
}
SEED, EPISODES = 4_000_000, 3


def run(*words):
    done = subprocess.run([BIN / "actor_worker", *map(str, words)], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


class RecordTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="troupe-episodes-")
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.played = {}
        for name, settings in PLAYED.items():
            where = [f"--environment={name}", *(f"--set=environment.settings.{k}={v}" for k, v in settings.items())]
            run("record", *where, "--controller=random", f"--episodes={EPISODES}", f"--out={cls.folder / name}")
            cls.played[name] = (where, list(troupe.load_episodes(cls.folder / name)))

    def test_returns_are_those_of_an_evaluation_of_the_same_seeds(self):
        for name, (where, episodes) in self.played.items():
            report = self.folder / f"{name}.json"
            run("evaluate", *where, "--baselines=random", f"--episodes={EPISODES}", f"--first_seed={SEED}",
                f"--json={report}")
            told_of = json.loads(report.read_text())
            evaluated = told_of["players"][0]["episodes"]
            self.assertEqual(len(episodes), EPISODES)
            for episode, told in zip(episodes, evaluated, strict=True):
                self.assertEqual((episode.seed, len(episode)), (told["seed"], told["length"]), name)
                returns = episode.returns()
                figures = told["figures"]
                for index, group in enumerate(episode.groups.values()):
                    mean = sum(returns[agent] for agent in group.agents) / len(group.agents)
                    self.assertAlmostEqual(mean, figures[told_of["figures"][index]], 4, name)
                for statistic in episode.statistics.keys() & figures.keys():
                    self.assertEqual(episode.statistics[statistic], figures[statistic], (name, statistic))

    def test_the_environment_given_its_actions_shows_its_observations(self):
        for name, (_, episodes) in self.played.items():
            copies = troupe.make_copies(name, 1, **PLAYED[name])
            for episode in episodes:
                copies.reset(episode.seed)
                for step in range(len(episode) + 1):
                    for group in copies.groups:
                        recorded = episode.groups[group.name]
                        where = f"{name}, {group.name}, step {step}"
                        np.testing.assert_array_equal(group.observations[0], recorded.observations[step], where)
                        np.testing.assert_array_equal(group.alive[0] != 0, recorded.alive[step], where)
                        if recorded.action_masks is not None:
                            masks = group.action_masks[0] != 0
                            np.testing.assert_array_equal(masks, recorded.action_masks[step], where)
                        if step > 0:
                            np.testing.assert_array_equal(group.rewards[0], recorded.rewards[step - 1], where)
                        if step < len(episode):
                            group.actions[0] = recorded.actions[step].reshape(group.actions[0].shape)
                    if step > 0:
                        over = bool(copies.terminated[0] or copies.truncated[0])
                        self.assertEqual(over, step == len(episode), name)
                    if step < len(episode):
                        copies.step()
                self.assertEqual(bool(copies.terminated[0]), episode.terminated, name)

    def test_somebody_dies_and_no_masked_action_is_recorded(self):
        self.assertFalse(all(episode.groups["allies"].alive.all() for episode in self.played["smax"][1]))
        for name, (_, episodes) in self.played.items():
            for group in (group for episode in episodes for group in episode.groups.values()):
                if group.about["action_kind"] == "discrete":
                    allowed = np.take_along_axis(group.action_masks[:-1], group.actions[:, :, None], 2)
                    self.assertTrue(allowed.all(), name)

    def test_a_folder_that_is_none_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no episodes-"):
            troupe.load_episodes(self.folder)
        self.assertEqual(episodes_command([str(self.folder), "--out", str(self.folder / "none.h5")]), 2)
        two = [str(self.folder / name) for name in ("pendulum", "payments")]
        self.assertEqual(episodes_command([*two, "--out", str(self.folder / "none.h5")]), 2)

    def convert(self, name, ending):
        path = self.folder / f"{name}{ending}"
        # Twice the same folder: episodes one after the other.
        self.assertEqual(episodes_command([str(self.folder / name)] * 2 + ["--out", str(path)]), 0)
        return path, self.played[name][1] * 2

    def test_hdf5_holds_it(self):
        try:
            import h5py
        except ImportError as error:
            self.skipTest(str(error))
        for name in PLAYED:
            path, episodes = self.convert(name, ".h5")
            with h5py.File(path) as file:
                agents = json.loads(file.attrs["agents"])
                self.assertEqual(len(file), len(episodes))
                for number, episode in enumerate(episodes):
                    group = file[f"episode_{number}"]
                    self.assertEqual((group.attrs["seed"], group.attrs["total_steps"]), (episode.seed, len(episode)))
                    rewards = group["rewards"][()].reshape(len(episode), len(agents))
                    summed = rewards.sum(axis=0, dtype=np.float64)
                    np.testing.assert_allclose(summed, [episode.returns()[agent] for agent in agents], rtol=1e-12)
                    self.assertEqual(bool(group["terminations"][-1]), episode.terminated)
                    self.assertEqual(bool(group["truncations"][-1]), not episode.terminated)
                    self.assertFalse((group["terminations"][:-1] | group["truncations"][:-1]).any())
                    for of in episode.groups.values():
                        for index, agent in enumerate(of.agents):
                            below = "" if len(agents) == 1 else f"/{agent}"
                            np.testing.assert_array_equal(group[f"observations{below}"], of.observations[:, index])
                            np.testing.assert_array_equal(group[f"actions{below}"], of.actions[:, index])

    def test_minari_reads_it(self):
        try:
            import minari
        except ImportError as error:
            self.skipTest(str(error))
        for name in PLAYED:
            path, episodes = self.convert(name, "-dataset")
            dataset = minari.MinariDataset(path / "data")
            self.assertEqual((len(dataset), dataset.total_steps), (len(episodes), sum(map(len, episodes))))
            for read, episode in zip(dataset, episodes, strict=True):
                agents = [agent for group in episode.groups.values() for agent in group.agents]
                summed = np.sum(read.rewards.reshape(len(episode), -1), axis=0, dtype=np.float64)
                np.testing.assert_allclose(summed, [episode.returns()[agent] for agent in agents], rtol=1e-12)
                for step in range(len(episode)):
                    action = read.actions[step] if len(agents) == 1 else {a: read.actions[a][step] for a in agents}
                    self.assertIn(action, dataset.action_space, name)
            with self.assertRaises(FileExistsError):
                from troupe.episodes.hdf5 import write_minari

                write_minari([troupe.load_episodes(self.folder / name)], path)

    def test_parquet_holds_it(self):
        try:
            from pyarrow import parquet
        except ImportError as error:
            self.skipTest(str(error))
        for name in PLAYED:
            path, episodes = self.convert(name, ".parquet")
            rows = parquet.read_table(path).to_pylist()
            agents = sum(len(group.agents) for group in episodes[0].groups.values())
            self.assertEqual(len(rows), sum((len(episode) + 1) * agents for episode in episodes))
            returns, ended = {}, {}
            for row in rows:
                key = (row["episode"], row["agent"])
                last = row["step"] == len(episodes[row["episode"]])
                self.assertEqual(row["action"] is None, last)
                self.assertEqual(row["reward"] is None, last)
                returns[key] = returns.get(key, 0.0) + (row["reward"] or 0.0)
                if row["terminated"] or row["truncated"]:
                    self.assertNotIn(key, ended)
                    ended[key] = (row["step"], row["terminated"])
                episode = episodes[row["episode"]]
                group = episode.groups[row["group"]]
                seen = group.observations[row["step"], group.agents.index(row["agent"])]
                self.assertEqual(row["observation"], seen.tolist())
                if not last:
                    done = group.actions[row["step"], group.agents.index(row["agent"])]
                    self.assertEqual(row["action"], done.tolist())
            for (number, agent), value in returns.items():
                self.assertAlmostEqual(value, episodes[number].returns()[agent], 9)
                self.assertEqual(ended[number, agent], (len(episodes[number]) - 1, episodes[number].terminated))


if __name__ == "__main__":
    unittest.main()
