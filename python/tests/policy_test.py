#!/usr/bin/env python3
"""policy_test.py [BIN_FOLDER]: actor files and ONNX files act in NumPy as they do in the worker (onnx_cases, and
`actor_worker act`), for every network with every distribution and every way of sharing."""

import json
import math
import pathlib
import subprocess
import sys
import tempfile
import unittest

BIN = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

try:
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}; deploy/setup.sh --tests")
    sys.exit(77)

import troupe  # noqa: E402
from troupe.policy import GroupPolicy, PolicySpec, StackSpec  # noqa: E402
from troupe.policy.network import DenseNetwork  # noqa: E402

TOLERANCE = 1e-5
OF_ONNX = 3e-5  # layer norms of nearly equal numbers, which ONNX Runtime sums in another order than the worker
FEW = (
    "dense_categorical_shared",
    "dense_norms_multi_categorical_named",
    "gru_norms_gaussian_by_state_sets",
    "lstm_squashed_gaussian_named",
    "gru_deterministic_sets",
    "gru_bare_epsilon_greedy_sets",
    "lstm_norms_categorical_sets",
)


def tiny(distribution="categorical", **fields):
    """One agent whose outputs are its observation."""
    kind = {"categorical": "discrete", "epsilon_greedy": "discrete", "multi_categorical": "multi_discrete"}
    size = len(fields.get("action_bounds", ())) or sum(fields.get("action_sizes", ())) or 3
    fields.setdefault("action_bounds", ())
    spec = PolicySpec(
        group="ones",
        num_agents=1,
        observation_size=size,
        agent_id_input=False,
        set_of_agent=(0,),
        action_size=size,
        action_kind=kind.get(distribution, "continuous"),
        distribution=distribution,
        stack=StackSpec(1, size, (), size, "relu", False, False),
        **fields,
    )
    weights = {"output.weight": np.eye(size, dtype=np.float32)[None], "output.bias": np.zeros((1, size), np.float32)}
    return spec, DenseNetwork(spec, weights)


def acting(distribution="categorical", scalars=None, log_std=None, **fields):
    return GroupPolicy(*tiny(distribution, **fields), ("one",), (), (), scalars or {}, log_std)


class DrawnActionsTest(unittest.TestCase):
    """Frequencies against probabilities worked out by hand."""

    def setUp(self):
        self.rng = np.random.default_rng(1)

    def frequencies(self, policy, outputs, masks=None, draws=40000):
        rows = np.tile(np.array(outputs, np.float32), (draws, 1))
        allowed = None if masks is None else np.tile(masks, (draws, 1))
        return policy.act(rows, allowed, agents=0, rng=self.rng).actions

    def test_categorical_draws_by_softmax_of_what_is_allowed(self):
        actions = self.frequencies(acting(), [0, math.log(3), 9], [1, 1, 0])
        np.testing.assert_allclose(np.bincount(actions, minlength=3) / len(actions), [0.25, 0.75, 0], atol=0.01)

    def test_multi_categorical_draws_each_dimension_by_itself(self):
        policy = acting("multi_categorical", action_sizes=(2, 3))
        actions = self.frequencies(policy, [math.log(4), 0, 0, 5, 0], [1, 1, 1, 0, 1])
        joint = np.zeros((2, 3))
        np.add.at(joint, (actions[:, 0], actions[:, 1]), 1 / len(actions))
        np.testing.assert_allclose(joint, [[0.4, 0, 0.4], [0.1, 0, 0.1]], atol=0.01)

    def test_epsilon_greedy_draws_any_allowed_action_sometimes(self):
        actions = self.frequencies(acting("epsilon_greedy", {"epsilon": 0.4}), [9, 1, 0], [0, 1, 1])
        np.testing.assert_allclose(np.bincount(actions, minlength=3) / len(actions), [0, 0.8, 0.2], atol=0.01)

    def test_a_gaussian_is_clipped_in_the_environments_units(self):
        # Means -1 … 1 of deviation 0.5 · 2: half the mass of the last one lies beyond its bound.
        policy = acting(
            "gaussian",
            {"noise_scale": 2.0},
            np.full((1, 2), math.log(0.5), np.float32),
            action_bounds=((0, 10), (-4, 4)),
        )
        actions = self.frequencies(policy, [0, 1])
        self.assertAlmostEqual(float(np.mean(actions[:, 1] == 4)), 0.5, delta=0.01)
        self.assertAlmostEqual(float(np.mean(actions[:, 0] == 0)), 0.1587, delta=0.01)  # Φ(-1)
        self.assertAlmostEqual(float(np.median(actions[:, 0])), 5, delta=0.1)

    def test_deterministic_actions_have_noise_around_tanh(self):
        policy = acting("deterministic", {"action_noise": 0.1}, action_bounds=((-2, 2),))
        self.assertAlmostEqual(float(policy.act([[0.5]]).actions[0, 0]), 2 * math.tanh(0.5), places=6)
        actions = self.frequencies(policy, [0.5])
        self.assertAlmostEqual(float(np.mean(actions)), 2 * math.tanh(0.5), delta=0.005)
        self.assertAlmostEqual(float(np.std(actions)), 0.2, delta=0.005)

    def test_a_squashed_gaussian_ends_in_tanh(self):
        policy = acting("squashed_gaussian", {}, np.zeros((1, 1), np.float32), action_bounds=((-2, 2),))
        actions = self.frequencies(policy, [0.5])
        self.assertAlmostEqual(float(np.median(actions)), 2 * math.tanh(0.5), delta=0.03)
        self.assertLess(float(np.abs(actions).max()), 2.0001)


class RefusalsTest(unittest.TestCase):
    def refused(self, words, *arguments, policy=None, **named):
        with self.assertRaisesRegex(ValueError, words):
            (policy or acting()).act(*arguments, **named)

    def test_says_what_does_not_fit(self):
        self.refused(r"observations: expected \[\.\.\., 1, 3\]", np.zeros((4, 3)))
        self.refused(r"observations: expected \[1, 3\], came \[1, 2\]", np.zeros((1, 2)))
        self.refused(r"observations: expected finite", [[0, math.nan, 0]])
        self.refused(r"masks: row 1 allows no action", np.zeros((2, 1, 3)), [[[1, 1, 1]], [[0, 0, 0]]])
        self.refused(r"agents: expected indices from 0 to 0", np.zeros(3), agents=1)
        self.refused(r"state: expected \[1, 0\]", np.zeros((1, 3)), None, np.zeros((1, 4)))
        multi = acting("multi_categorical", action_sizes=(2, 1))
        self.refused(r"masks: row 0 allows no action", np.zeros((1, 3)), [[1, 1, 0]], policy=multi)

    def test_refuses_damaged_files_by_name(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "actors.safetensors"
            header = {
                "__metadata__": {"format": "troupe-actors/1"},
                "x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            }
            for damage, words in (
                (b"", "0 bytes are no safetensors file"),
                ((1 << 40).to_bytes(8, "little") + b"{}", "a header of 1099511627776 bytes"),
                ((2).to_bytes(8, "little") + b"[[", "the header is not JSON"),
                (len(json.dumps(header)).to_bytes(8, "little") + json.dumps(header).encode() + b"1234", "do not hold"),
            ):
                path.write_bytes(damage)
                with self.assertRaisesRegex(ValueError, f"actors.safetensors.*{words}"):
                    troupe.load_policy(path)
            header["__metadata__"]["format"] = "troupe-actors/2"
            text = json.dumps(header).encode()
            path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(8))
            with self.assertRaisesRegex(ValueError, 'actors.safetensors: .*another version.*"troupe-actors/2"'):
                troupe.load_policy(path)


@unittest.skipUnless(BIN, "no programs")
class ParityTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        subprocess.run([BIN / "onnx_cases", cls.folder], check=True, timeout=60)
        cls.cases = json.loads((cls.folder / "cases.json").read_text())
        cls.policy = troupe.load_policy(cls.folder / "actors.safetensors")

    def follow(self, policy, case, tolerance=TOLERANCE):
        """The case's episode: all rows of a step at once, as [copies, agents, …]."""
        spec = case["policy"]
        agents, size = spec["num_agents"], spec["observation_size"]
        copies = len(case["steps"][0]["observations"]) // (agents * size)
        state = None
        for step in case["steps"]:

            def part(name, kind=np.float32):
                return np.array(step[name], kind).reshape(copies, agents, -1) if step[name] else None

            acted = policy.act(part("observations"), part("masks", bool), state)
            state = acted.state
            close = {"rtol": tolerance, "atol": tolerance}
            np.testing.assert_allclose(acted.actions.reshape(copies, agents, -1), part("actions"), **close)
            if policy.state_size:
                np.testing.assert_allclose(state, part("state"), **close)
            yield acted.outputs, part("outputs"), part("masks", bool)

    def test_actor_files_act_as_in_the_worker(self):
        self.assertEqual(set(self.policy.groups), set(self.cases))
        self.assertGreaterEqual(len(self.cases), 189)
        for group, case in self.cases.items():
            with self.subTest(group):
                for outputs, expected, _ in self.follow(self.policy.groups[group], case):
                    np.testing.assert_allclose(outputs, expected, rtol=TOLERANCE, atol=TOLERANCE)

    def test_onnx_files_act_as_in_the_worker(self):
        try:
            import onnxruntime
        except ImportError as error:
            self.skipTest(str(error))
        onnxruntime.set_default_logger_severity(4)
        folder = self.folder / "onnx"
        subprocess.run(
            [
                BIN / "learner",
                "export",
                f"--checkpoint={self.folder / 'actors.safetensors'}",
                "--format=onnx",
                f"--output={folder}",
            ],
            check=True,
            timeout=120,
            stdout=subprocess.DEVNULL,
        )
        exported = troupe.load_policy(folder)
        self.assertEqual(set(exported.groups), set(self.cases))
        self.assertEqual((exported.policy_version, exported.env_steps), (7, 0))
        for group, case in self.cases.items():
            with self.subTest(group):
                own = self.policy.groups[group]
                for outputs, expected, masks in self.follow(exported.groups[group], case, OF_ONNX):
                    kept = np.ones(expected.shape, bool) if masks is None else masks
                    mean = outputs[..., : expected.shape[-1]]
                    if own.spec.distribution == "deterministic":
                        continue  # its file gives the action alone
                    if own.spec.state_dependent_std:  # deviations come within their bounds
                        mean, expected, kept = (part[..., : own.spec.action_size] for part in (mean, expected, kept))
                    np.testing.assert_allclose(mean[kept], expected[kept], rtol=OF_ONNX, atol=OF_ONNX)

    def test_agents_hear_each_other_by_name_as_in_the_worker(self):
        for group in ("talk_categorical_shared", "lstm_talk_apart_gaussian_sets"):
            case, of, state = self.cases[group], self.policy.groups[group], {}
            shape = (-1, of.spec.num_agents)
            for step in case["steps"]:
                rows = {
                    name: np.array(step[name], np.float32) for name in ("observations", "masks", "actions", "state")
                }
                observed = rows["observations"].reshape(*shape, of.spec.observation_size)[0]
                masks = {}
                if step["masks"]:
                    masks = dict(zip(of.agents, rows["masks"].reshape(*shape, of.spec.action_size)[0].astype(bool)))
                actions, state = self.policy.act(dict(zip(of.agents, observed)), masks, state)
                kept = rows["state"].reshape(*shape, of.state_size)[0]
                np.testing.assert_allclose(np.stack(list(state.values())), kept, rtol=TOLERANCE, atol=TOLERANCE)
                taken = rows["actions"].reshape(len(rows["observations"]) // of.spec.observation_size, -1)
                found = np.stack([np.atleast_1d(actions[name]) for name in of.agents])
                np.testing.assert_allclose(found, taken[: of.spec.num_agents], rtol=TOLERANCE, atol=TOLERANCE)
            with self.assertRaisesRegex(ValueError, "heard: these agents hear others"):
                of.act(observed[0], None, state[of.agents[0]], agents=0)

    def test_agents_alone_act_as_actor_worker_act_has_them(self):
        for group in FEW:
            case, of = self.cases[group], self.policy.groups[group]
            spec = case["policy"]
            agents, size = spec["num_agents"], spec["observation_size"]
            for agent in range(agents):
                with self.subTest(group, agent=agent):
                    name = f"{group}/{agent}"
                    lines, expected, state = ["begin"], [], {}
                    for step in case["steps"]:
                        observed = np.array(step["observations"], np.float32).reshape(-1, agents, size)[0, agent]
                        masks = {}
                        line = " ".join(repr(float(number)) for number in observed)
                        if step["masks"]:
                            masks = {
                                name: np.array(step["masks"], bool).reshape(-1, agents, spec["action_size"])[0, agent]
                            }
                            line += " | " + " ".join(str(int(allowed)) for allowed in masks[name])
                        actions, state = self.policy.act({name: observed}, masks, state)
                        lines.append(line)
                        expected.append(np.atleast_1d(actions[name]))
                    done = subprocess.run(
                        [
                            BIN / "actor_worker",
                            "act",
                            f"--actors={self.folder / 'actors.safetensors'}",
                            f"--agent={name}",
                            "--greedy",
                        ],
                        input="\n".join(lines) + "\n",
                        capture_output=True,
                        text=True,
                        timeout=60,
                    )
                    self.assertEqual(done.returncode, 0, done.stderr)
                    acted = [[float(n) for n in line.split(",")] for line in done.stdout.splitlines()]
                    np.testing.assert_allclose(acted, expected, rtol=TOLERANCE, atol=TOLERANCE)
                    self.assertEqual(of.agents[agent], name)


if __name__ == "__main__":
    unittest.main()
