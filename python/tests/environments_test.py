#!/usr/bin/env python3
"""environments_test.py BIN_FOLDER LIBRARY: Troupe's environments as PettingZoo's and as arrays. Their episodes are
those that `actor_worker act --network` plays, seen by the same actors in NumPy."""

import gc
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True
BIN = pathlib.Path(sys.argv.pop(1)).resolve()
os.environ["TROUPE_ENVIRONMENTS_LIBRARY"] = str(pathlib.Path(sys.argv.pop(1)).resolve())

try:
    import numpy as np
    from pettingzoo.test import parallel_api_test
except ImportError as error:
    print(f"skipped: {error}; deploy/setup.sh --tests")
    sys.exit(77)

import troupe  # noqa: E402
from troupe import environments  # noqa: E402

# Each kind of action, groups of several kinds, agents that die.
PLAYED = {
    "traffic_grid": {},
    "simple_spread": {"num_agents": 4},
    "simple_tag": {"continuous_actions": True},
    "simple_reference": {"actions": "MULTI_DISCRETE"},
    "pendulum": {},
    "smax": {"map": "3m"},
    "payments": {},
}
DISTRIBUTIONS = {"discrete": "categorical", "multi_discrete": "multi_categorical", "continuous": "deterministic"}


def write_actors(path, environment, settings, copies):
    """An actor file of one random dense network for each group."""
    draw = np.random.default_rng(5)
    written = "".join(
        f' settings {{ key: "{key}" value: "{str(value).lower() if isinstance(value, bool) else value}" }}'
        for key, value in settings.items()
    )
    metadata = {
        "format": "troupe-actors/1",
        "policy_version": "1",
        "env_steps": "0",
        "experiment": f'name: "played" environment {{ name: "{environment}"{written} }} total_env_steps: 1024',
    }
    tensors = {}
    for group in copies.groups:
        about, agents = group.about, len(group.agents)
        sizes = {"observation_size": about["observation_size"], "action_size": about["action_size"]}
        policy = {
            "group": group.name,
            "num_agents": agents,
            **sizes,
            "agent_id_input": False,
            "action_kind": group.action_kind,
            "set_of_agent": [0] * agents,
            "distribution": DISTRIBUTIONS[group.action_kind],
            "stack": {
                "num_sets": 1,
                "input_size": sizes["observation_size"],
                "hidden_sizes": [16],
                "output_size": sizes["action_size"],
                "activation": "tanh",
                "input_layer_norm": False,
                "hidden_layer_norm": False,
                "orthogonal_init": True,
                "output_gain": 1.0,
            },
        }
        if group.action_kind == "multi_discrete":
            policy["action_sizes"] = group.action_sizes
        if group.action_kind == "continuous":
            policy["action_bounds"] = about["action_bounds"]
        metadata[f"policy.{group.name}"] = json.dumps(policy)
        spaces = {"agents": group.agents, "observation": about["observation"], "actions": about["actions"]}
        metadata[f"spaces.{group.name}"] = json.dumps(spaces)
        shapes = {"layers.0.weight": (1, sizes["observation_size"], 16), "layers.0.bias": (1, 16)}
        shapes |= {"output.weight": (1, 16, sizes["action_size"]), "output.bias": (1, sizes["action_size"])}
        for name, shape in shapes.items():
            tensors[f"{group.name}/{name}"] = draw.normal(size=shape).astype("<f4")
    header, body = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        offsets = [len(body), len(body) + tensor.nbytes]
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": offsets}
        body += tensor.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)


class PettingZooTest(unittest.TestCase):
    def test_every_environment_passes_pettingzoos_own_test(self):
        names = environments.names()
        self.assertGreaterEqual(len(names), 15)
        for name in names:
            for masks in ("observation", "info"):
                if masks == "info" and name != "simple_spread":
                    continue  # actions are then drawn without a mask
                with self.subTest(name, masks=masks), warnings.catch_warnings():
                    warnings.simplefilter("error")
                    parallel_api_test(troupe.make(name, action_masks=masks), num_cycles=150)
        for name, settings in PLAYED.items():
            with self.subTest(name, **settings), warnings.catch_warnings():
                warnings.simplefilter("error")
                parallel_api_test(troupe.make(name, **settings), num_cycles=150)

    def test_what_is_observed_lies_in_its_space(self):
        for name, settings in PLAYED.items():
            env = troupe.make(name, **settings)
            observations, _ = env.reset(seed=2)
            for _ in range(8):
                for agent, seen in observations.items():
                    self.assertIn(seen, env.observation_space(agent), (name, agent))
                actions = {}
                for agent in env.agents:
                    mask = observations[agent]["action_mask"] if isinstance(observations[agent], dict) else None
                    actions[agent] = env.action_space(agent).sample(mask)
                observations, *_ = env.step(actions)

    def test_the_worker_plays_the_same_episode(self):
        for name, settings in PLAYED.items():
            with self.subTest(name, **settings), tempfile.TemporaryDirectory() as folder:
                self.follow(pathlib.Path(folder) / "actors.safetensors", name, settings)

    def follow(self, path, name, settings, seed=11, steps=150):
        env = troupe.make(name, **settings)
        write_actors(path, name, settings, env.copies)
        done = subprocess.run(
            [BIN / "actor_worker", "act", f"--actors={path}", "--network", "--greedy", f"--seed={seed}", "--every=1",
             f"--steps={steps}"],
            capture_output=True, text=True, timeout=120,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [line.split() for line in done.stdout.splitlines() if line.startswith("step")]
        self.assertGreater(len(lines), 8)
        policy = troupe.load_policy(path)
        observations, _ = env.reset(seed=seed)
        returns = {group.name: 0.0 for group in env.copies.groups}
        over, infos = False, {}
        for words in lines:
            told = dict(word.split("=") for word in words if "=" in word)
            rewards = [float(words[i + 1]) for i, word in enumerate(words) if word == "reward"]
            alive = list(env.agents)
            seen = {agent: of["observation"] if isinstance(of, dict) else of for agent, of in observations.items()}
            masks = {
                agent: np.concatenate(of["action_mask"]) if isinstance(of["action_mask"], tuple) else of["action_mask"]
                for agent, of in observations.items()
                if isinstance(of, dict)
            }
            actions, _ = policy.act({agent: seen[agent] for agent in alive}, {a: masks[a] for a in alive if a in masks})
            for agent in alive:
                worker = np.array([float(number) for number in told[agent].split(",")])
                np.testing.assert_allclose(np.atleast_1d(actions[agent]), worker, rtol=1e-4, atol=1e-4)
                # Continuous ones go on from the very number that the worker gave, in nine digits.
                actions[agent] = np.array(worker, np.float32) if "." in told[agent] else worker.astype(np.int32)
            observations, _, terminations, truncations, infos = env.step(actions)
            for group, reward in zip(env.copies.groups, rewards, strict=True):
                self.assertAlmostEqual(float(group.rewards[0].mean(dtype=np.float64)), reward, delta=6e-5)
                returns[group.name] += float(group.rewards[0].mean(dtype=np.float64))
            over = all(terminations[agent] or truncations[agent] for agent in alive)
        if not over:
            return
        ended = dict(re.findall(r"^  (?:return of )?(\S+)\s+(\S+)$", done.stdout, re.M))
        statistics = infos[alive[0]]["statistics"]
        self.assertTrue(set(statistics) <= set(ended) or "/" in "".join(statistics), (statistics, ended))
        for key, value in (statistics | returns).items():
            if key in ended:
                np.testing.assert_allclose(value, float(ended[key]), rtol=2e-5, atol=1e-6, err_msg=key)

    def test_masks_may_come_as_infos(self):
        env = troupe.make("smax", action_masks="info", map="3m")
        observations, infos = env.reset(seed=1)
        agent = env.agents[0]
        self.assertEqual(observations[agent].shape, env.observation_space(agent).shape)
        forbidden = int(np.flatnonzero(infos[agent]["action_mask"] == 0)[0])
        actions = {agent: int(np.argmax(infos[agent]["action_mask"])) for agent in env.agents}
        with self.assertRaisesRegex(ValueError, f"action of {agent} in copy 0: {forbidden}, which the mask"):
            env.step(actions | {agent: forbidden})
        env.step(actions)  # nothing was stepped, so that it goes on

    def test_says_what_is_wrong(self):
        for words, make in (
            ("did you mean \"simple_spread\"", lambda: troupe.make("simple_sprad")),
            ("did you mean \"num_agents\"", lambda: troupe.make("simple_spread", num_agent=4)),
            ("sumo runs in processes of its own", lambda: troupe.make("sumo")),
            ("action_masks: \"infos\", expected", lambda: troupe.make("simple_spread", action_masks="infos")),
            ("render_mode: \"human\", expected", lambda: troupe.make("simple_spread", render_mode="human")),
            ("copies: 0, expected", lambda: troupe.make_copies("simple_spread", 0)),
            ("no environment is called", lambda: environments.describe("simple_sprad")),
        ):
            with self.subTest(words), self.assertRaisesRegex(ValueError, words):
                make()
        env = troupe.make("simple_spread")
        env.reset(seed=1)
        actions = {agent: 0 for agent in env.agents}
        first = env.agents[0]
        with self.assertRaisesRegex(ValueError, f"action of {first}: nothing came"):
            env.step({agent: 0 for agent in env.agents[1:]})
        with self.assertRaisesRegex(ValueError, f"action of {first}: expected int32 \\[1\\], came float64"):
            env.step(actions | {first: 0.5})
        with self.assertRaisesRegex(ValueError, f"action of {first} in copy 0: 5, expected an index in"):
            env.step(actions | {first: 5})

    def test_a_seed_repeats_the_episode_and_those_that_follow(self):
        def states(env, *seeds):
            return [env.reset(seed=seed) and env.state() for seed in seeds]

        first, second = (states(troupe.make("simple_spread"), 3, None, None) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        self.assertFalse(np.array_equal(first[1], first[2]))

    def test_renders_as_text(self):
        env = troupe.make("grid_world", render_mode="ansi")
        env.reset(seed=1)
        self.assertGreater(len(env.render().splitlines()), 2)
        self.assertIn("size", environments.describe("grid_world"))


class CopiesTest(unittest.TestCase):
    def test_copies_play_what_one_alone_plays(self):
        together, alone = troupe.make_copies("simple_spread", 5), troupe.make_copies("simple_spread", 1)
        together.reset(20)
        alone.reset(22)
        draw = np.random.default_rng(1)
        for _ in range(25):
            actions = draw.integers(5, size=together.groups[0].actions.shape)
            together.groups[0].actions[:] = actions
            alone.groups[0].actions[:] = actions[2:3]
            together.step()
            alone.step()
            np.testing.assert_array_equal(together.state[2], alone.state[0])
            np.testing.assert_array_equal(together.groups[0].rewards[2], alone.groups[0].rewards[0])
        self.assertTrue(together.truncated.all() and alone.truncated.all())
        with self.assertRaisesRegex(ValueError, "copy 0: no episode goes on; reset it"):
            together.step()
        together.reset_copy(3, 9)
        self.assertEqual(together.truncated.tolist(), [True, True, True, False, True])
        together.step(np.arange(5) == 3)
        with self.assertRaisesRegex(ValueError, r"which: expected \[5\], came \[2\]"):
            together.step(np.ones(2, bool))

    def test_arrays_outlive_their_environment_and_only_actions_are_written(self):
        copies = troupe.make_copies("pendulum", 4)
        copies.reset(1)
        group, state = copies.groups[0], copies.state
        kept = state.copy()
        with self.assertRaisesRegex(ValueError, "read-only"):
            group.observations[0] = 0
        group.actions[:] = 0.5
        del copies, group
        gc.collect()
        np.testing.assert_array_equal(state, kept)


if __name__ == "__main__":
    unittest.main()
