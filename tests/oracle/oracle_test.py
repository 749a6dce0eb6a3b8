#!/usr/bin/env python3
"""oracle_test.py: the oracle by itself, and the committed cases against what it says now."""

import importlib.util
import sys
import tempfile
import unittest
from itertools import product
from pathlib import Path

if importlib.util.find_spec("numpy") is None:
    print("skipped: needs numpy (deploy/setup.sh --tests)")
    sys.exit(77)

import numpy as np

import case_file
import returns
from adam import Adam
from attention import AttentionNetwork
from cases import CHOICES, NORMS_MEET, all_pairs, all_picks, pairs_of
from cells import CELLS, Gru, Lstm, Memory
from losses import gaussian_policy_loss, policy_loss, value_loss
from make_cases import main as make_cases
from network import Network
from philox import deal_minibatches, philox_block
from policies import Policy, deviations, log_densities, log_probabilities
from replay import Replay
from scene import Group, Scene
from sequences import Sequences
from settings import DEFAULTS
from talk import TalkingNetwork

FOLDER = Path(__file__).parent / "cases"


def slope(of, parameters, name, place, step=1e-6):
    """d of / d parameter by central differences."""
    kept, values = parameters[name][place], []
    for moved in (kept + step, kept - step):
        parameters[name][place] = moved
        values.append(of())
    parameters[name][place] = kept
    return (values[0] - values[1]) / (2 * step)


class Parts(unittest.TestCase):
    def test_philox_gives_the_known_answers_of_its_authors(self):
        # Random123's kat_vectors, philox 4x32 of ten rounds.
        self.assertEqual(philox_block([0] * 4, [0] * 2), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8])
        self.assertEqual(philox_block([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2),
                         [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD])
        pi = [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344]
        self.assertEqual(philox_block(pi, [0xA4093822, 0x299F31D0]), [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1])

    def test_minibatches_hold_every_step_once_in_parts_alike_in_size(self):
        parts = deal_minibatches(27, 8, seed=1, update=2, epoch=0)
        self.assertEqual(sorted(sum(parts, [])), list(range(27)))
        self.assertEqual(sorted(len(p) for p in parts), [6, 7, 7, 7])
        self.assertNotEqual(parts, deal_minibatches(27, 8, seed=1, update=2, epoch=1))
        self.assertEqual(deal_minibatches(5, 0, 1, 0, 0), [[0, 1, 2, 3, 4]])

    def test_gradients_agree_with_finite_differences(self):
        random = np.random.RandomState(3)
        for activation, norms, cell in product(("RELU", "TANH"), ((False, False), (True, True)), CELLS):
            with self.subTest(activation=activation, norms=norms, cell=cell):
                network = Network(4, [6, 5], 3, activation, *norms, sets=2, cell=cell, recurrent_size=3)
                self.check_gradients(network, random)

    def check_gradients(self, network, random):
        rows = 40
        parameters, x = network.random_parameters(random), random.standard_normal((rows, 4))
        sets, alive = random.randint(2, size=rows), random.random_sample(rows) < 0.8
        # Every row follows the last one of its set, but for those that begin.
        before = [max((r for r in range(row) if sets[r] == sets[row]), default=-1) for row in range(rows)]
        before = np.where(random.random_sample(rows) < 0.2, -1, before)
        memory = Memory(before, random.standard_normal((rows, network.state_size)))
        masks = (random.random_sample((rows, 3)) < 0.7).astype(np.uint8)
        actions = random.randint(3, size=rows)
        masks[np.arange(rows), actions] = 1
        reference, weight, advantages = -1.1 + 0.3 * random.standard_normal((3, rows))
        policy = masks, actions[:, None], (3,), reference, weight, advantages, alive, 0.2, 0.3
        old, target = random.standard_normal((2, rows, 3))
        active = random.random_sample((rows, 3)) < 0.8
        settings = {**DEFAULTS["ppo"], "huber_delta": 0.7, "value_coefficient": 0.6}

        def policy_of(outputs):
            gradient, figures, _ = policy_loss(outputs, *policy)
            return gradient, figures["policy_loss"] - 0.3 * figures["entropy"]

        def value_of(outputs):
            gradient, loss, _ = value_loss(outputs, old, target, active, settings)
            return gradient, 0.6 * loss

        for of in (policy_of, value_of):
            outputs, tapes = network.forward(parameters, x, sets, memory)
            gradients = network.backward(parameters, tapes, of(outputs)[0])
            for name, gradient in gradients.items():
                for place in [tuple(random.randint(size) for size in gradient.shape) for _ in range(4)]:
                    expected = slope(lambda: of(network.forward(parameters, x, sets, memory)[0])[1], parameters, name,
                                     place)
                    self.assertAlmostEqual(gradient[place], expected, delta=1e-7 + 1e-5 * abs(expected), msg=name)

    def test_attention_agrees_with_finite_differences_and_sees_no_one_who_is_absent(self):
        random = np.random.RandomState(4)
        kinds = [(2, 3, True), (1, 2, True), (1, 4, False)]
        for activation, each, norms in product(("RELU", "TANH"), (False, True), (False, True)):
            own = {"token_size": 6, "attention_heads": 2, "attention_layers": 2, "hidden_sizes": [5],
                   "activation": activation, "input_layer_norm": norms, "hidden_layer_norm": norms}
            network = AttentionNetwork(kinds, own, each)
            parameters, x = network.random_parameters(random), random.standard_normal((20, network.inputs))
            x[:, -3:] = random.random_sample((20, 3)) < 0.6
            weights = random.standard_normal((20, network.flags if each else 1))
            with self.subTest(activation=activation, each=each, norms=norms):
                _, tapes = network.forward(parameters, x)
                for name, gradient in network.backward(parameters, tapes, weights).items():
                    for place in [tuple(random.randint(size) for size in gradient.shape) for _ in range(3)]:
                        expected = slope(lambda: (weights * network.forward(parameters, x)[0]).sum(), parameters, name,
                                         place)
                        self.assertAlmostEqual(gradient[place], expected, delta=1e-6 + 1e-5 * abs(expected), msg=name)
                other = np.where(x[:, -3:-2] == 0, np.concatenate([x[:, :1] + 1, x[:, 1:]], -1), x)
                before, after = (network.forward(parameters, v)[0] for v in (x, other))
                np.testing.assert_array_equal(before[:, 1:], after[:, 1:])
                self.assertEqual(np.allclose(before[:, 0], after[:, 0]), not each)

    def test_attention_agrees_with_shares_worked_out_by_hand(self):
        # Two tokens (a, −a) with a = 3 and 1; scores ln 3 and 0 for both, so that shares are 3/4 and 1/4 and what is
        # mixed is (2.5, −2.5). Norms make (1, −1) of anything (b, −b), b > 0, but for their ε.
        own = {"token_size": 2, "attention_heads": 1, "attention_layers": 1, "hidden_sizes": [], "activation": "TANH",
               "input_layer_norm": False, "hidden_layer_norm": False}
        network = AttentionNetwork([(2, 2, True)], own, True)
        p = {name: np.zeros(shape) for name, shape in network.shapes().items()}
        p["embeddings.0.weight"][0] = np.eye(2)
        p["attention.0.input_weight"][0] = [[0, 0, np.log(3) / 2 * np.sqrt(2), 0, 1, 0], [0, 0, 0, 0, 0, 1]]
        p["attention.0.input_bias"][0] = [1, 0, 0, 0, 0, 0]
        p["attention.0.mix_weight"][0] = -np.eye(2)
        p["attention.0.norm.gain"], p["attention.0.feed_norm.gain"] = np.ones((1, 2)), np.ones((1, 2))
        p["output.weight"][0] = [[1], [0]]
        # Token 0 keeps 3 − 2.5 > 0, token 1 has 1 − 2.5 < 0; alone it would have 1 − 1 = 0.
        y, _ = network.forward(p, np.array([[3.0, -3, 1, -1, 1, 1], [3, -3, 1, -1, 0, 1]]))
        np.testing.assert_allclose(y, [[1, -1], [1, 0]], atol=1e-4)

    def test_gradients_through_messages_agree_with_finite_differences(self):
        random = np.random.RandomState(8)
        agents, steps = 3, 6
        for cell, side_by_side, ids in product(CELLS, (False, True), (False, True)):
            network = TalkingNetwork(4, agents, ids, [5], 2, "TANH", False, side_by_side, sets=2, cell=cell,
                                     recurrent_size=3, message_size=2, side_by_side=side_by_side)
            parameters = network.random_parameters(random)
            x = random.standard_normal((steps * agents, 4 + (agents if ids else 0) + 1))
            x[:, -1] = random.random_sample(len(x)) < 0.8
            # Steps follow one another, but for the fourth, with which something given begins.
            before = np.arange(steps)[:, None] * agents - agents + np.arange(agents)
            before[[0, 3]] = -1
            memory = Memory(before.ravel(), random.standard_normal((len(x), network.state_size)))
            sets, weights = np.tile([0, 1, 0], steps), random.standard_normal((len(x), 2))
            _, tapes = network.forward(parameters, x, sets, memory)
            for name, gradient in network.backward(parameters, tapes, weights).items():
                for place in [tuple(random.randint(size) for size in gradient.shape) for _ in range(4)]:
                    expected = slope(lambda: (weights * network.forward(parameters, x, sets, memory)[0]).sum(),
                                     parameters, name, place)
                    self.assertAlmostEqual(gradient[place], expected, delta=1e-7 + 1e-5 * abs(expected), msg=name)

    def test_what_is_said_is_heard_a_step_later(self):
        # Three agents see 1, 2, 0 and say tanh of half of it; each puts out three times the mean of what it hears.
        network = TalkingNetwork(1, 3, False, [], 1, message_size=1, side_by_side=False)
        p = {name: np.zeros(shape) for name, shape in network.shapes().items()}
        p["output.weight"][0] = [[0], [3]]
        p["message.weight"][0] = [[0.5], [0]]
        x = np.array([[1, 1], [2, 1], [0, 1], [0, 1], [0, 1], [0, 1]], float)
        memory = Memory([-1, -1, -1, 0, 1, 2], np.zeros((6, 1)))
        half, one = 0.46211716, 0.76159416  # tanh of 0.5 and of 1
        y, _ = network.forward(p, x, None, memory)
        np.testing.assert_allclose(y[:, 0], [0, 0, 0, 3 * one / 2, 3 * half / 2, 3 * (half + one) / 2], atol=1e-7)
        x[1, -1] = 0  # dead, and silent
        y, _ = network.forward(p, x, None, memory)
        np.testing.assert_allclose(y[3:, 0], [0, 3 * half / 2, 3 * half / 2], atol=1e-7)

    def test_cells_agree_with_steps_worked_out_by_hand(self):
        # σ(0) = 1/2, σ(ln 3) = 3/4, σ(−ln 3) = 1/4, tanh(ln 3) = 4/5, tanh(ln 2) = 3/5.
        half, most, little = 0.0, np.log(3), -np.log(3)
        # r = 1/2; z = 3/4; n = tanh(ln 2 + r · 2 (ln 3 − ln 2)) = 4/5; m = 2.
        step, _ = Gru.step(np.array([[half, 0, np.log(2)]]), np.array([[0, most, 2 * np.log(1.5)]]), np.array([[2.0]]))
        np.testing.assert_allclose(step, [[0.8 / 4 + 2 * 3 / 4]])
        # i = 1/2; f = 3/4; g = 4/5; o = 1/4; c = (ln 2 − 0.4) · 4/3, hence c' = ln 2.
        before = np.array([[9.0, (np.log(2) - 0.4) / 0.75]])
        step, _ = Lstm.step(np.array([[half, most, 0, little]]), np.array([[0, 0, most, 0]]), before)
        np.testing.assert_allclose(step, [[0.6 / 4, np.log(2)]])

    def test_sequences_begin_every_so_many_steps_and_with_episodes(self):
        ended = np.zeros((5, 2), np.uint8)
        ended[2, 1] = 1
        sequences = Sequences({"terminated": ended, "truncated": 0 * ended}, length=2)
        np.testing.assert_array_equal(np.argwhere(sequences.starts), [[0, 0], [0, 1], [2, 0], [2, 1], [3, 1], [4, 0],
                                                                      [4, 1]])
        # Of what is given at steps 0, 2 and 4 nothing is left where an episode begins.
        given = sequences.given(np.arange(1.0, 7).reshape(3, 2, 1, 1))
        np.testing.assert_array_equal(given[:, 1, 0, 0], [2, 0, 4, 0, 6, 0])
        # Two agents at steps 2 and 3 of both columns: only column 0's last rows follow others.
        memory = sequences.memory([5, 7, 4, 6], np.repeat(given, 2, axis=2))
        np.testing.assert_array_equal(memory.before, [-1, -1, -1, -1, -1, -1, 4, 5])
        np.testing.assert_array_equal(memory.given.ravel(), [4, 4, 0, 0, 3, 3, 0, 0])

    def test_minibatches_of_sequences_hold_every_step_once(self):
        nothing = np.zeros((7, 3), np.uint8)
        parts = list(Sequences({"terminated": nothing, "truncated": nothing}, length=3).deal(8, 1, 2, 0))
        self.assertEqual(sorted(sum(parts, [])), list(range(21)))
        # Nine sequences, 8 // 3 at most in each: the last of a column is one step.
        self.assertEqual(sorted(sum(step // 3 % 3 == 0 for step in part) for part in parts), [1, 2, 2, 2, 2])

    def test_gradients_of_gaussians_agree_with_finite_differences(self):
        random = np.random.RandomState(4)
        rows, size = 40, 2
        for distribution, by_state in product(("GAUSSIAN", "SQUASHED_GAUSSIAN"), (False, True)):
            network = Network(4, [6], size * (2 if by_state else 1), "TANH", sets=2)
            policy = Policy(network, np.arange(2), False, distribution, by_state)
            parameters, x = policy.random_parameters(random), random.standard_normal((rows, 4))
            sets, alive = random.randint(2, size=rows), random.random_sample(rows) < 0.8
            u = random.standard_normal((rows, size))
            reference, weight, advantages = -1.5 + 0.5 * random.standard_normal((3, rows))

            def loss_of():
                outputs, tapes = network.forward(parameters, x, sets)
                mean, log_std = deviations(policy, parameters, outputs, sets)
                by_mean, by_std, figures, _ = gaussian_policy_loss(
                    mean, log_std, u, distribution == "SQUASHED_GAUSSIAN", reference, weight, advantages, alive, 0.2,
                    0.3, log_densities(policy, u, mean, log_std))
                gradients = network.backward(
                    parameters, tapes, np.concatenate([by_mean, by_std], -1) if by_state else by_mean)
                for s in range(0 if by_state else 2):
                    gradients["log_std"][s] = by_std[sets == s].sum(0)
                return gradients, figures["policy_loss"] - 0.3 * figures["entropy"]

            for name, gradient in loss_of()[0].items():
                for place in [tuple(random.randint(n) for n in gradient.shape) for _ in range(4)]:
                    expected = slope(lambda: loss_of()[1], parameters, name, place)
                    self.assertAlmostEqual(gradient[place], expected, delta=1e-7 + 1e-5 * abs(expected))

    def test_gradients_of_several_indices_agree_with_finite_differences(self):
        random = np.random.RandomState(6)
        rows, sizes = 60, (2, 1, 3)
        network = Network(4, [6], sum(sizes), "TANH", sets=2)
        parameters, x = network.random_parameters(random), random.standard_normal((rows, 4))
        sets, alive = random.randint(2, size=rows), random.random_sample(rows) < 0.8
        actions = np.stack([random.randint(size, size=rows) for size in sizes], -1)
        masks = (random.random_sample((rows, sum(sizes))) < 0.7).astype(np.uint8)
        for index, first in enumerate((0, 2, 3)):
            masks[np.arange(rows), first + actions[:, index]] = 1
        reference, weight, advantages = -1.5 + 0.4 * random.standard_normal((3, rows))

        def loss_of():
            outputs, tapes = network.forward(parameters, x, sets)
            gradient, figures, _ = policy_loss(
                outputs, masks, actions, sizes, reference, weight, advantages, alive, 0.2, 0.3)
            return network.backward(parameters, tapes, gradient), figures["policy_loss"] - 0.3 * figures["entropy"]

        for name, gradient in loss_of()[0].items():
            for place in [tuple(random.randint(n) for n in gradient.shape) for _ in range(4)]:
                expected = slope(lambda: loss_of()[1], parameters, name, place)
                self.assertAlmostEqual(gradient[place], expected, delta=1e-7 + 1e-5 * abs(expected))

    def test_several_indices_are_what_one_index_over_all_their_pairs_is(self):
        # The joint distribution of two indices is one of 2 · 3 actions, whose logits are sums.
        random = np.random.RandomState(7)
        first, second = random.standard_normal((5, 2)), random.standard_normal((5, 3))
        actions = np.stack([random.randint(2, size=5), random.randint(3, size=5)], -1)
        joint = (first[:, :, None] + second[:, None]).reshape(5, 6)
        rest = -1.5 + 0.2 * random.standard_normal((3, 5))
        alive = np.ones(5, bool)
        side_by_side, pairs = np.concatenate([first, second], -1), actions[:, :1] * 3 + actions[:, 1:]
        several = policy_loss(side_by_side, np.ones((5, 5)), actions, (2, 3), *rest, alive, 0.2, 1)
        together = policy_loss(joint, np.ones((5, 6)), pairs, (6,), *rest, alive, 0.2, 1)
        self.assertEqual(several[1].keys(), together[1].keys())
        for name, figure in several[1].items():
            self.assertAlmostEqual(figure, together[1][name], places=12, msg=name)
        of_joint = together[0].reshape(5, 2, 3)
        np.testing.assert_allclose(several[0][:, :2], of_joint.sum(2), atol=1e-12)
        np.testing.assert_allclose(several[0][:, 2:], of_joint.sum(1), atol=1e-12)
        np.testing.assert_allclose(np.exp(log_probabilities(joint, np.ones((5, 6)), (6,))).sum(-1), 1)

    def test_densities_and_entropies_are_those_of_scipy(self):
        # scipy.stats.norm(0.3, e^-0.5).logpdf(0.7) and .entropy(); log cosh² 0.7; the entropy's integral by
        # scipy.integrate.quad over N(0.3, e^-1) of log(1 - tanh(u)^2).
        mean, log_std, u = np.array([[0.3]]), np.array([[-0.5]]), np.array([[0.7]])
        plain, squashed = (Policy(None, None, False, d) for d in ("GAUSSIAN", "SQUASHED_GAUSSIAN"))
        log_pdf, log_cosh_squared, entropy, integral = (
            -0.6364010794813963, 0.45454045871701126, 0.9189385332046727, -0.38914958688225937)
        self.assertAlmostEqual(log_densities(plain, u, mean, log_std)[0], log_pdf, places=12)
        self.assertAlmostEqual(log_densities(squashed, u, mean, log_std)[0], log_pdf + log_cosh_squared, places=12)
        one = np.ones(1)
        for squashes, expected in ((False, entropy), (True, entropy + integral)):
            figures = gaussian_policy_loss(mean, log_std, u, squashes, 0 * one, one, one, one > 0, 0.2, 0, 0 * one)[2]
            self.assertAlmostEqual(figures["entropy"], expected, delta=1e-6)

    def test_returns_agree_with_sums_worked_out_by_hand(self):
        # γ = λ = 1/2; V = 1, 2, 4, then 8 after the last step; nothing ends; δ = 1, 3, 5.
        stream = [np.array(x, float) for x in ([1, 3, 5], [1, 2, 4], [2, 4, 8])]
        alive, ends = np.array([True, False, True, True]), np.zeros(3, bool)
        advantages, targets = returns.generalized_advantages(*stream, ends, alive, 0.5, 0.5)
        np.testing.assert_allclose(advantages, [1 + 3 / 4 + 5 / 16, 3 + 5 / 4, 5])
        np.testing.assert_allclose(targets, [3.0625, 6.25, 9])
        # Without a value at the dead step 1: δ = 0, 5, 5; λ = 1 into it.
        advantages, _ = returns.generalized_advantages(*stream, ends, alive, 0.5, 0.5, zero_when_dead=True)
        np.testing.assert_allclose(advantages[[0, 2]], [0 + 5 / 2 + 5 / 8, 5])
        # V-trace with π/μ = 2, 1/2, 3: ρ = 1, 1/2, 1 and c = 1/2, 1/2, 1/2 once c̄ = 1/2.
        advantages, targets = returns.v_trace(*stream, ends, alive, np.array([2, 0.5, 3]), 0.5, 0.5, 1.0, 0.5)
        np.testing.assert_allclose(targets, [1 + 1 + 3 / 16 + 5 / 64, 2 + 3 / 2 + 5 / 8, 9])
        np.testing.assert_allclose(advantages, [1 + (targets[1] - 2) / 4, 3 + 5 / 4, 5])

    def test_returns_of_options_agree_with_sums_worked_out_by_hand(self):
        # γ = 1/2, λ = 1/4; choices at steps 0, 2 and 4, an end after step 3, V = 60 after the last step.
        rewards, values, following = (np.array(x, float) for x in (
            [1, 2, 3, 4, 5], [10, 20, 30, 40, 50], [20, 30, 40, 0, 60]))
        ends, choices = np.array([0, 0, 0, 1, 0], bool), np.array([1, 0, 1, 0, 1], bool)
        advantages, targets = returns.option_advantages(rewards, values, following, ends, choices, 0.5, 0.25)
        second = 3 + 4 / 2 - 30
        first = 1 + 2 / 2 + 30 / 4 - 10 + second / 16
        np.testing.assert_allclose(advantages[choices], [first, second, 5 + 60 / 2 - 50])
        np.testing.assert_allclose(targets, [first + 10, 2 + 30 / 2 + second / 8, second + 30, 4, 35])
        # Where every step is a choice they are those of any policy.
        all_steps = returns.option_advantages(rewards, values, following, ends, np.ones(5, bool), 0.5, 0.25)
        usual = returns.generalized_advantages(rewards, values, following, ends, np.ones(6, bool), 0.5, 0.25)
        np.testing.assert_allclose(all_steps, usual)

    def test_slopes_by_inputs_agree_with_finite_differences(self):
        random = np.random.RandomState(6)
        network = Network(4, [6, 5], 1, "TANH", True, True, sets=2)
        parameters, sets = network.random_parameters(random), random.randint(2, size=9)
        x, weights = {"x": random.standard_normal((9, 4))}, random.standard_normal((9, 1))
        found = network.input_gradient(parameters, network.forward(parameters, x["x"], sets)[1], weights)
        for place in np.ndindex(9, 4):
            expected = slope(lambda: (weights * network.forward(parameters, x["x"], sets)[0]).sum(), x, "x", place)
            self.assertAlmostEqual(found[place], expected, delta=1e-7 + 1e-5 * abs(expected))

    def test_replayed_returns_agree_with_sums_worked_out_by_hand(self):
        # One agent is paid 1, 2, 4 and 8 in two pieces of two steps; γ = 1/2.
        scene = Scene((Group("one", 1, 1, 2),), extras=0, steps=2, columns=1)
        replay, flags = Replay(scene), {"terminated": np.zeros((2, 1)), "truncated": np.zeros((2, 1))}
        for piece, paid in enumerate(([1, 2], [4, 8])):
            replay.add({"streams": np.array([[0, 0, 1, piece]]), "one/alive": np.ones((3, 1, 1)),
                        "one/rewards": np.array(paid, float).reshape(2, 1, 1), "truncated_at": np.zeros((0, 2)),
                        **{name: flag.copy() for name, flag in flags.items()}})
        def returns_of(n):
            own, team, weight, after = replay._returns((0, 0, 0), n, 0.5, "SUM")
            self.assertEqual(own[0][0], team)
            return team, weight, after
        self.assertEqual(returns_of(1), (1, 0.5, (0, (1, 0), False)))
        self.assertEqual(returns_of(3), (1 + 1 + 1, 0.125, (1, (1, 0), False)))
        self.assertEqual(returns_of(9), (1 + 1 + 1 + 1, 0.0625, (1, (2, 0), False)))
        replay.batches[0]["terminated"][1, 0] = 1
        self.assertEqual(returns_of(3)[:2], (2, 0))
        replay.batches[0]["terminated"][1, 0], replay.batches[0]["truncated"][1, 0] = 0, 1
        replay.batches[0]["truncated_at"] = np.array([[1, 0]])
        self.assertEqual(returns_of(3), (2, 0.25, (0, 0, True)))
        replay.batches[0]["truncated"][1, 0] = 0
        replay.batches[1]["streams"][0, 2] = 2  # leased anew: nothing follows
        self.assertEqual(returns_of(3), (2, 0.25, (0, (2, 0), False)))

    def test_an_adam_step_from_rest_goes_the_learning_rate_against_the_gradient(self):
        parameters = {"w": np.array([[1.0, -2.0]])}
        adam = Adam(parameters, epsilon=1e-5, weight_decay=0.5, max_norm=1.0)
        norm = adam.step(parameters, {"w": np.array([[3.0, 4.0]])}, 0.1)
        self.assertEqual(norm, 5)
        # Clipped to (0.6, 0.8), with half the parameters (1.1, −0.2).
        np.testing.assert_allclose(adam.first["w"][0], [0.11, -0.02], rtol=1e-5)
        np.testing.assert_allclose(parameters["w"][0], [0.9, -1.9], rtol=1e-4)


class Cases(unittest.TestCase):
    def test_every_pair_of_choices_is_met(self):
        picks = all_picks()
        met = set().union(*(pairs_of(p) for p in picks))
        plain = {dimension: list(choices) for dimension, choices in CHOICES.items() if dimension != "norms"}
        without_norms = set().union(*(pairs_of(p) for p in picks if p["norms"] == "none"))
        self.assertEqual(all_pairs(plain) - without_norms, set())
        self.assertEqual(all_pairs({d: list(CHOICES[d]) for d in NORMS_MEET}) - met, set())

    def test_files_are_what_the_oracle_writes(self):
        with tempfile.TemporaryDirectory() as folder:
            make_cases(Path(folder))
            names = sorted(path.name for path in Path(folder).iterdir())
            self.assertEqual(names, sorted(path.name for path in FOLDER.iterdir()))
            for name in names:
                metadata, tensors = case_file.read(FOLDER / name)
                now_metadata, now_tensors = case_file.read(Path(folder) / name)
                self.assertEqual(metadata, now_metadata, name)
                self.assertEqual(list(tensors), list(now_tensors), name)
                for tensor, values in tensors.items():
                    # Another processor's or NumPy's rounding is allowed for.
                    np.testing.assert_allclose(
                        values, now_tensors[tensor], rtol=1e-5, atol=1e-7, err_msg=f"{name}: {tensor}")


if __name__ == "__main__":
    unittest.main()
