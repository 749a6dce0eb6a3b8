"""What agents of PettingZoo and Gymnasium see, do and earn in the worker's arrays."""

import unittest

import numpy as np
from gymnasium import spaces

from fakes import Auction, Countdown, Pair, Party
from troupe.adapters import Options, adapt
from troupe.adapters.spaces import acting, observing
from troupe.serve.copy import GOES_ON, TERMINATED, TRUNCATED, rows_of
from troupe.serve.memory import make_arrays
from troupe.serve.spec import CONTINUOUS, DISCRETE, MULTI_DISCRETE
from troupe.serve.trial import play


class Played:
    """A copy with arrays of its own."""

    def __init__(self, env, seed=5, **options):
        self.env = env
        self.copy = adapt(env, Options(**options))
        self.spec = self.copy.spec
        self.arrays = make_arrays(self.spec, 1)
        self.copy.bind(rows_of(self.arrays, 0))
        self.copy.reset(seed)

    def step(self, *actions):
        return self.copy.step([np.asarray(group) for group in actions])

    def seen(self, group=0):
        return self.arrays.groups[group].observations[0].tolist()

    def alive(self, group=0):
        return self.arrays.groups[group].alive[0].tolist()

    def masks(self, group=0):
        return self.arrays.groups[group].masks[0].tolist()

    def rewards(self, group=0):
        return self.arrays.groups[group].rewards[0].tolist()

    def statistics(self):
        names = list(self.spec.statistics)
        names += [f"{agent}/{name}" for agent in self.spec.agents for name in self.spec.agent_statistics]
        return dict(zip(names, self.arrays.statistics[0].tolist(), strict=True))


def numbers(space, value):
    one = observing(space)
    row = np.full(one.size, np.nan, np.float32)
    one.write(value, row)
    assert not one.names or len(one.names) == one.size
    return row.tolist()


class SpacesTest(unittest.TestCase):
    def test_observations_become_rows(self):
        self.assertEqual(numbers(spaces.Box(-1, 1, (2, 2)), np.array([[1, 2], [3, 4.0]])), [1, 2, 3, 4])
        self.assertEqual(numbers(spaces.Box(0, 255, (2,), np.uint8), np.array([0, 255], np.uint8)), [0, 1])
        self.assertEqual(numbers(spaces.Discrete(3, start=5), 6), [0, 1, 0])
        self.assertEqual(numbers(spaces.MultiDiscrete([2, 3]), np.array([1, 0])), [0, 1, 1, 0, 0])
        self.assertEqual(numbers(spaces.MultiBinary(3), np.array([1, 0, 1], np.int8)), [1, 0, 1])
        self.assertEqual(numbers(spaces.Tuple([spaces.Discrete(2), spaces.Box(0, 9, (1,))]), (1, [8.0])), [0, 1, 8])
        both = spaces.Dict({"b": spaces.Discrete(2), "a": spaces.Box(0, 9, (1,))})
        self.assertEqual(numbers(both, {"b": 0, "a": np.array([8.0])}), [8, 1, 0], "in the order of the space's keys")
        self.assertEqual(observing(both).names, ["a.[0]", "b.is_0", "b.is_1"])

    def test_values_of_another_space_are_refused(self):
        for space, value in [
            (spaces.Box(-1, 1, (2,)), np.zeros(1)),  # would be broadcast
            (spaces.Box(-1, 1, (2,)), np.zeros((1, 2))),
            (spaces.Discrete(3), 3),
            (spaces.Discrete(3, start=1), 0),
            (spaces.Tuple([spaces.Discrete(2)]), (1, 1)),
        ]:
            with self.assertRaises(ValueError, msg=f"{space} {value}"):
                numbers(space, value)

    def test_rows_become_actions_of_the_space(self):
        one = acting(spaces.Discrete(3, start=4))
        self.assertEqual((one.kind, one.size, one.decode([2])), (DISCRETE, 3, 6))
        space = spaces.MultiDiscrete([2, 3], start=[1, 0])
        several = acting(space)
        self.assertEqual((several.kind, several.size, several.sizes), (MULTI_DISCRETE, 5, (2, 3)))
        self.assertTrue(space.contains(several.decode([1, 2])))
        self.assertEqual(several.decode([1, 2]).tolist(), [2, 2])
        space = spaces.MultiBinary((2, 2))
        self.assertTrue(space.contains(acting(space).decode([1, 0, 1, 1])))
        space = spaces.Box(np.array([[-1, 0]]), np.array([[1, 5]]), dtype=np.float64)
        box = acting(space)
        self.assertEqual((box.kind, box.size, box.low, box.high), (CONTINUOUS, 2, (-1, 0), (1, 5)))
        self.assertTrue(space.contains(box.decode([0.5, 5.00001])))

    def test_spaces_that_cannot_be_are_refused_by_name(self):
        with self.assertRaisesRegex(TypeError, "no finite bounds"):
            acting(spaces.Box(-np.inf, np.inf, (1,)))
        with self.assertRaisesRegex(TypeError, "Text"):
            observing(spaces.Text(3))
        with self.assertRaisesRegex(TypeError, "agent agent: actions of"):
            adapt(Countdown(action_space=spaces.Tuple([spaces.Discrete(2)])))


class GymnasiumTest(unittest.TestCase):
    def test_an_episode(self):
        played = Played(Countdown(length=2), seed=(3 << 32) + 5, statistics=("luck",))
        self.assertEqual(played.env.seed, 5, "the lower half, for environments that take no more")
        self.assertEqual(played.seen(), [[2]])
        self.assertEqual(played.step([[1]]), GOES_ON)
        self.assertEqual((played.seen(), played.rewards(), played.alive(), played.masks()), ([[1]], [1], [1], [[1, 1]]))
        self.assertEqual(played.step([[0]]), TERMINATED)
        self.assertEqual(played.seen(), [[0]])
        self.assertEqual(played.statistics(), {"length": 2, "luck": 7})

    def test_a_cut_episode_shows_its_last_state(self):
        played = Played(Countdown(length=1, cut=True))
        self.assertEqual(played.step([[1]]), TRUNCATED)
        self.assertEqual((played.seen(), played.alive()), ([[0]], [1]))

    def test_a_mask_in_the_info(self):
        env = Countdown()
        env.step = lambda action: (np.zeros(1, np.float32), 0.0, False, False, {"action_mask": np.array([0, 1])})
        played = Played(env)
        self.assertEqual(played.masks(), [[1, 1]])
        played.step([[1]])
        self.assertEqual(played.masks(), [[0, 1]])
        del env.step
        played.step([[1]])
        self.assertEqual(played.masks(), [[1, 1]], "no mask allows all")

    def test_a_mask_of_another_shape_is_refused(self):
        env = Countdown()
        env.reset = lambda seed=None: (np.zeros(1, np.float32), {"action_mask": np.ones(3)})
        with self.assertRaisesRegex(ValueError, r"agent agent: the action mask has the shape \(3,\), expected \(2,\)"):
            Played(env)

    def test_a_statistic_that_is_not_there_is_named(self):
        with self.assertRaisesRegex(KeyError, "charm"):
            Played(Countdown(length=1), statistics=("charm",)).step([[0]])


class TupleTest(unittest.TestCase):
    def test_agents_of_a_tuple(self):
        played = Played(Pair(), statistics=("pairs",))
        self.assertEqual(played.spec.groups[0].agents, ("agent_0", "agent_1"))
        self.assertEqual(played.masks(), [[1, 1, 0], [0, 1, 1]])
        self.assertEqual(played.step([[1], [2]]), GOES_ON)
        self.assertEqual((played.seen(), played.rewards(), played.alive()), ([[1], [1]], [1, 20], [1, 1]))
        self.assertEqual(played.step([[0], [1]]), TRUNCATED)
        self.assertEqual(played.seen(), [[2], [2]])
        self.assertEqual(
            played.statistics(), {"length": 2, "pairs": 1, "agent_0/return": 1, "agent_1/return": 30}
        )


class ParallelTest(unittest.TestCase):
    def test_unequal_spaces_make_groups(self):
        spec = Played(Party({}), teams=True).spec
        self.assertEqual([(g.name, g.agents, g.observation_size, g.action_size, g.team) for g in spec.groups],
                         [("guest", ("guest_0", "guest_1"), 1, 3, "guest"), ("host", ("host",), 2, 4, "host")])

    def test_who_leaves_is_dead_until_the_end(self):
        played = Played(Party({1: {"guest_0": "terminated"}, 3: {"guest_1": "terminated", "host": "terminated"}}))
        self.assertEqual(played.step([[0], [1]], [[3]]), GOES_ON)
        self.assertEqual((played.alive(), played.rewards(), played.seen()), ([0, 1], [10, 1], [[0], [2]]))
        self.assertEqual(played.step([[0], [1]], [[3]]), GOES_ON)
        self.assertEqual((played.alive(), played.rewards(), played.rewards(1)), ([0, 1], [0, 1], [1]))
        self.assertEqual(played.step([[0], [1]], [[3]]), TERMINATED)
        self.assertEqual(
            played.statistics(), {"length": 3, "guest_0/return": 10, "guest_1/return": 12, "host/return": 12}
        )
        played.copy.reset(6)
        self.assertEqual((played.alive(), played.alive(1), played.seen()), ([1, 1], [1], [[1], [1]]))

    def test_who_comes_late_is_dead_until_then(self):
        played = Played(Party({}, late=["guest_1"]))
        self.assertEqual((played.alive(), played.seen()), ([1, 0], [[1], [0]]))
        played.step([[0], [0]], [[0]])
        self.assertEqual((played.alive(), played.seen(), played.rewards()), ([1, 1], [[2], [2]], [1, 0]))
        played.step([[0], [0]], [[0]])
        self.assertEqual(played.rewards(), [1, 1])

    def test_an_end_by_the_clock_shows_the_last_state_of_those_it_stopped(self):
        out = {"guest_0": "truncated", "guest_1": "terminated", "host": "truncated"}
        played = Played(Party({1: out}))
        self.assertEqual(played.step([[0], [0]], [[0]]), TRUNCATED)
        self.assertEqual((played.alive(), played.alive(1)), ([1, 0], [1]))
        self.assertEqual((played.seen(), played.seen(1)), ([[2], [0]], [[2, 2]]))

    def test_masks_and_the_global_state(self):
        played = Played(Party({}, masks={"guest_1": np.array([1, 0, 1])}), state=True)
        self.assertEqual((played.masks(), played.masks(1)), ([[1, 1, 1], [1, 0, 1]], [[1, 1, 1, 1]]))
        self.assertFalse(played.spec.state_includes_observations)
        played.step([[0], [0]], [[0]])
        self.assertEqual(played.arrays.state_extras[0].tolist(), [1, 3])


class TurnsTest(unittest.TestCase):
    def test_only_the_one_whose_turn_it_is_is_alive(self):
        played = Played(Auction())
        self.assertEqual((played.alive(), played.masks()), ([1, 0], [[1] * 4, [1] * 4]))
        self.assertEqual(played.step([[2], [0]]), GOES_ON)
        self.assertEqual((played.alive(), played.rewards()), ([0, 1], [0, 0]))
        self.assertEqual((played.seen()[1], played.masks()), ([1], [[1] * 4, [1, 1, 0, 1]]))
        self.assertEqual(played.step([[0], [3]]), GOES_ON)
        self.assertEqual((played.alive(), played.rewards(), played.seen()[0]), ([1, 0], [-1, 1], [2]))

    def test_the_end_by_a_final_state_and_by_the_clock(self):
        for cut, ending, alive in [(False, TERMINATED, [1, 0]), (True, TRUNCATED, [1, 1])]:
            played = Played(Auction(cut=cut))
            for bid in [0, 1, 2, 3, 0]:
                self.assertEqual(played.step([[bid], [bid]]), GOES_ON)
            self.assertEqual(played.step([[0], [1]]), ending)
            self.assertEqual(played.rewards(), [-1, 1], "the last bid's, farewells included")
            if cut:
                self.assertEqual((played.alive(), played.seen()), (alive, [[6], [6]]))
            # Bob's 1, 3 and the last 1 are above ann's last, ann's 2 is above bob's.
            self.assertEqual(played.statistics(), {"length": 6, "ann/return": -2, "bob/return": 2})
            played.copy.reset(1)
            self.assertEqual((played.alive(), played.masks()), ([1, 0], [[1] * 4, [1] * 4]))


class TrialTest(unittest.TestCase):
    def test_what_playing_at_random_brings_is_told(self):
        told = play(lambda: adapt(Countdown(length=1, action_space=spaces.Discrete(1, start=2))), copies=4, seconds=0)
        self.assertIn("agent: 1 × 1 observed numbers, 1 discrete actions", told)
        self.assertIn("4 episodes, mean return of an agent 2, mean length 1", told)
        told = play(lambda: adapt(Party({2: {"guest_0": "terminated", "guest_1": "terminated"}}, host=False)), 1, 0)
        self.assertNotIn("episodes", told, "none has ended after a step")


class RefusalTest(unittest.TestCase):
    def test_what_is_no_environment_is_told(self):
        with self.assertRaisesRegex(TypeError, "int is no environment"):
            adapt(3)


if __name__ == "__main__":
    unittest.main()
