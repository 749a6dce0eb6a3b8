#!/usr/bin/env python3
"""onnx_test.py BIN_FOLDER: what `learner export --format=onnx` writes is valid ONNX, and ONNX Runtime makes of it what
the worker makes of the actors (onnx_cases) and what their formulas say in NumPy, for every network with every
distribution and every way of sharing.

Exit status 77 (skipped) without the packages.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx.reference import ReferenceEvaluator
except ImportError as error:
    print(f"skipped: {error}; deploy/setup.sh --tests")
    sys.exit(77)

BIN = pathlib.Path(sys.argv.pop(1)).resolve()
onnxruntime.set_default_logger_severity(4)  # errors are raised
TOLERANCE = 1e-5
MASKED_LOGIT = -1e10


def read_tensors(path):
    """Of a safetensors file, all float32."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:begin])
    return {name: np.frombuffer(data[begin:][slice(*of["data_offsets"])], np.float32).reshape(of["shape"])
            for name, of in header.items() if name != "__metadata__"}


def layer_norm(x, gain, bias):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * gain + bias


def logistic(x):
    return 1 / (1 + np.exp(-x))


def network(spec, weights, x, state):
    """The formulas of common/specs/policy_spec.h in float64: outputs, the cell's next state and what is said. `weights`
    are one set's."""
    stack = spec["stack"]

    def dense(prefix, x):
        return x @ weights[prefix + "weight"] + weights[prefix + "bias"]

    def norm(name, x):
        return layer_norm(x, weights[name + ".gain"], weights[name + ".bias"])

    if stack["input_layer_norm"]:
        x = norm("input_norm", x)
    for i in range(len(stack["hidden_sizes"])):
        x = dense(f"layers.{i}.", x)
        x = np.maximum(x, 0) if stack["activation"] == "relu" else np.tanh(x)
        if stack["hidden_layer_norm"]:
            x = norm(f"norms.{i}", x)
    if "cell" in stack:
        size = stack["recurrent_size"]
        m, given = state[:, :size], dense("cell.input_", x)
        own = dense("cell.state_", m)
        gate = [(given[:, i : i + size], own[:, i : i + size]) for i in range(0, given.shape[1], size)]
        if stack["cell"] == "gru":
            r, z = (logistic(a + b) for a, b in gate[:2])
            x = state = (1 - z) * np.tanh(gate[2][0] + r * gate[2][1]) + z * m
        else:
            i, f, o = (logistic(a + b) for a, b in (gate[0], gate[1], gate[3]))
            c = f * state[:, size:] + i * np.tanh(sum(gate[2]))
            x = o * np.tanh(c)
            state = np.concatenate([x, c], axis=1)
        if stack["hidden_layer_norm"]:
            x = norm("cell_norm", x)
    message = np.tanh(dense("message.", x)) if "message_size" in stack else None
    return dense("output.", x), state, message


def heard(policy, said):
    """What every agent hears of said [copies, agents, K], by the definition."""
    neighbours, size = policy["neighbours"], said.shape[-1]
    most = max(len(others) for others in neighbours)
    rows = np.zeros((*said.shape[:2], most, size), np.float32)
    for agent, others in enumerate(neighbours):
        for i, other in enumerate(others):
            rows[:, agent, i] = said[:, other]
    if policy["stack"]["messages_side_by_side"]:
        return rows.reshape(*said.shape[:2], most * size)
    return rows.sum(2) / np.maximum(1, [len(others) for others in neighbours])[:, None]


class Actor:
    """A file as a user runs it."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.metadata = self.session.get_modelmeta().custom_metadata_map
        self.inputs = {given.name: given for given in self.session.get_inputs()}
        self.outputs = [given.name for given in self.session.get_outputs()]
        self.agents = json.loads(self.metadata["agent_indices"])
        self.remembers = "state_in" in self.inputs

    def state(self, rows):
        return np.zeros((rows, self.inputs["state_in"].shape[1] if self.remembers else 0), np.float32)

    def act(self, observation, agent, mask, state, heard=None):
        given = {"observation": observation, "agent": agent, "action_mask": mask, "state_in": state, "heard": heard}
        given = {name: value for name, value in given.items() if name in self.inputs}
        return dict(zip(self.outputs, self.session.run(None, given)))


class OnnxTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        subprocess.run([BIN / "onnx_cases", cls.folder], check=True, timeout=60)
        actors = cls.folder / "actors.safetensors"
        subprocess.run([BIN / "learner", "export", f"--checkpoint={actors}", "--format=onnx",
                        f"--output={cls.folder / 'onnx'}"], check=True, timeout=120, stdout=subprocess.DEVNULL)
        cls.cases = json.loads((cls.folder / "cases.json").read_text())
        cls.tensors = read_tensors(actors)
        cls.files = sorted((cls.folder / "onnx").iterdir())

    def close(self, found, expected, what):
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE, err_msg=what)

    def test_a_file_of_each_group_or_parameter_set_is_valid(self):
        expected = []
        for group, case in self.cases.items():
            sets = case["policy"]["stack"]["num_sets"]
            expected += [f"{group}.onnx"] if sets == 1 else [f"{group}.{s}.onnx" for s in range(sets)]
        self.assertEqual([path.name for path in self.files], sorted(expected))
        for path in self.files:
            onnx.checker.check_model(path, full_check=True)
            model = onnx.load(path)
            self.assertEqual((model.ir_version, model.opset_import[0].version, model.producer_name), (8, 17, "troupe"))

    def test_metadata_says_whose_actors_they_are(self):
        acted_for = {group: [] for group in self.cases}
        for path in self.files:
            metadata = Actor(path).metadata
            policy = self.cases[metadata["group"]]["policy"]
            self.assertEqual(json.loads(metadata["policy"]), policy)
            self.assertEqual(metadata["distribution"], policy.get("distribution", "categorical"))
            self.assertEqual((metadata["format"], metadata["policy_version"]), ("troupe-onnx/1", "7"))
            self.assertEqual((float(metadata["scalar.epsilon"]), metadata["scalar.noise_scale"]), (0.3, "0.75"))
            acted_for[metadata["group"]] += json.loads(metadata["agent_indices"])
        for group, agents in acted_for.items():
            self.assertEqual(sorted(agents), list(range(self.cases[group]["policy"]["num_agents"])))

    def test_onnx_runtime_acts_as_the_worker_does(self):
        for path in self.files:
            actor = Actor(path)
            with self.subTest(path.name):
                self.follow(actor, self.cases[actor.metadata["group"]])

    def follow(self, actor, case):
        """The case's episode, by the rows of the agents that the file is of."""
        policy = case["policy"]
        agents, size = policy["num_agents"], policy["action_size"]
        rows = len(case["steps"][0]["observations"]) // policy["observation_size"]
        own = np.array([r for r in range(rows) if r % agents in actor.agents])
        chosen_set = policy["set_of_agent"][actor.agents[0]]
        prefix = policy["group"] + "/"
        weights = {name.removeprefix(prefix): tensor[chosen_set].astype(np.float64)
                   for name, tensor in self.tensors.items() if name.startswith(prefix)}
        state = actor.state(len(own))
        exact = state.astype(np.float64)
        says = policy["stack"].get("message_size", 0)
        said = np.zeros((rows // agents, agents, says), np.float32)
        for step in case["steps"]:
            def part(name, kind=np.float32):
                return np.array(step[name], kind).reshape(rows, -1)[own] if step[name] else None

            observation, mask, worker, action = (part("observations"), part("masks", bool), part("outputs"),
                                                 part("actions"))
            hears = heard(policy, said).reshape(rows, -1)[own].astype(np.float32) if says else np.empty((len(own), 0))
            found = actor.act(observation, own % agents, mask, state, hears)
            one_hot = np.eye(agents)[own % agents] if policy["agent_id_input"] else np.empty((len(own), 0))
            formulas, exact, message = network(policy, weights, np.concatenate([observation, hears, one_hot], axis=1),
                                               exact)
            for outputs, source in ((worker, "worker"), (formulas, "formulas")):
                if policy.get("distribution") == "deterministic":
                    expected = {}
                elif policy["action_kind"] == "continuous":
                    log_std = outputs[:, size:] if policy["state_dependent_std"] else weights["log_std"]
                    log_std = np.broadcast_to(np.clip(log_std, -20, 2), (len(own), size))
                    expected = {"mean": outputs[:, :size], "log_std": log_std}
                else:
                    name = "values" if actor.metadata["distribution"] == "epsilon_greedy" else "logits"
                    expected = {name: np.where(mask, outputs, np.float32(MASKED_LOGIT))}
                self.assertEqual(set(found), set(expected) | {"action"} | ({"state_out"} if actor.remembers else set())
                                 | ({"message"} if says else set()))
                for name, values in expected.items():
                    self.close(found[name], values, f"{name} of the {source}")
            self.close(found["action"].reshape(len(own), -1), action, "action")
            kept = part("state") if actor.remembers or says else None
            if actor.remembers:
                state = found["state_out"]
                self.close(state, kept[:, : kept.shape[1] - says], "state of the worker")
                self.close(state, exact, "state of the formulas")
            if says:
                self.close(found["message"], kept[:, -says:], "message of the worker")
                self.close(found["message"], message, "message of the formulas")
                said = np.array(step["state"], np.float32).reshape(rows // agents, agents, -1)[..., -says:]

    def test_any_number_of_rows_gives_the_same(self):
        path = self.folder / "onnx" / "gru_norms_categorical_shared.onnx"
        actor = Actor(path)
        observation = np.linspace(-1, 1, 3 * actor.inputs["observation"].shape[1], dtype=np.float32).reshape(3, -1)
        mask = np.ones((3, actor.inputs["action_mask"].shape[1]), bool)
        together = actor.act(observation, None, mask, actor.state(3))
        for row in range(3):
            alone = actor.act(observation[row : row + 1], None, mask[:1], actor.state(1))
            self.close(alone["logits"], together["logits"][row : row + 1], "logits")

    def test_the_formats_own_evaluator_says_the_same(self):
        for path in self.files:
            actor, random = Actor(path), np.random.default_rng(1)
            given = {}
            for name, about in actor.inputs.items():
                shape = [4, *about.shape[1:]]
                given[name] = {"tensor(float)": random.uniform(-1, 1, shape).astype(np.float32),
                               "tensor(bool)": random.random(shape) < 0.7,
                               "tensor(int64)": random.integers(3, size=shape)}[about.type]
            reference = dict(zip(actor.outputs, ReferenceEvaluator(str(path)).run(None, given)))
            for name, values in zip(actor.outputs, actor.session.run(None, given)):
                with self.subTest(path.name, output=name):
                    self.close(values, reference[name], name)

    def test_an_agent_that_is_none_is_refused(self):
        actor = Actor(self.folder / "onnx" / "dense_categorical_named.onnx")
        observation = np.zeros((1, actor.inputs["observation"].shape[1]), np.float32)
        mask = np.ones((1, actor.inputs["action_mask"].shape[1]), bool)
        with self.assertRaisesRegex(Exception, "indices element out of data bounds"):
            actor.act(observation, np.array([3]), mask, None)

    def test_a_model_cards_head_is_yaml_and_its_actors_go_on(self):
        try:
            import yaml
        except ImportError as error:
            self.skipTest(str(error))
        card = self.folder / "card"
        subprocess.run([BIN / "learner", "export", f"--checkpoint={self.folder / 'actors.safetensors'}",
                        "--format=card", f"--output={card}"], check=True, timeout=60, stdout=subprocess.DEVNULL)
        self.assertEqual(sorted(path.name for path in card.iterdir()), ["README.md", "actors.safetensors"])
        _, head, text = (card / "README.md").read_text().split("---\n", 2)
        told = yaml.safe_load(head)
        self.assertEqual((told["library_name"], told["pipeline_tag"]), ("troupe", "reinforcement-learning"))
        self.assertIn("grid_world", told["tags"])
        self.assertIn("# onnx_cases", text)
        tensors = read_tensors(card / "actors.safetensors")
        self.assertEqual(list(tensors), list(self.tensors))

    def test_other_formats_are_refused_with_the_nearest(self):
        done = subprocess.run([BIN / "learner", "export", f"--checkpoint={self.folder / 'actors.safetensors'}",
                               "--format=onx", f"--output={self.folder / 'nothing'}"],
                              stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--format=onx: expected one of card | onnx | safetensors | torchscript;", done.stderr)
        self.assertIn('did you mean "onnx"?', done.stderr)
        self.assertFalse((self.folder / "nothing").exists())


if __name__ == "__main__":
    unittest.main()
