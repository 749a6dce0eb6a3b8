"""Environments that others publish, as the adapters serve them: each step against the package stepped directly."""

import os
import sys
import unittest

try:
    import gym_invmgmt
    import gymnasium
    import lbforaging  # noqa: F401
    import rware  # noqa: F401
except ModuleNotFoundError as error:
    print(f"skipped: {error}; ./deploy/setup.sh --tests brings it")
    sys.exit(77)

import numpy as np

from troupe.adapters import Options, adapt
from troupe.serve.__main__ import gymnasium_maker
from troupe.serve.copy import GOES_ON, TERMINATED, TRUNCATED, rows_of
from troupe.serve.memory import make_arrays
from troupe.serve.spec import CONTINUOUS, DISCRETE

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../docs/clients"))
import inventory_chain  # noqa: E402


def served(env):
    copy = adapt(env, Options())
    arrays = make_arrays(copy.spec, 1)
    copy.bind(rows_of(arrays, 0))
    return copy, arrays.groups[0]


class TupleEnvironmentsTest(unittest.TestCase):
    def as_directly(self, name, agents, observed, actions):
        """An episode of random actions, and its direct counterpart: everything that comes back is the same."""
        copy, rows = served(gymnasium_maker(name)())
        group = copy.spec.groups[0]
        self.assertEqual(len(copy.spec.groups), 1)
        self.assertEqual((len(group.agents), group.observation_size), (agents, observed))
        self.assertEqual((group.action_kind, group.action_size), (DISCRETE, actions))
        direct = gymnasium.make(name, disable_env_checker=True)
        seen, _ = direct.reset(seed=3)
        copy.reset(3)
        random = np.random.default_rng(3)
        while True:
            np.testing.assert_array_equal(rows.observations[0], np.array(seen, np.float32))
            chosen = random.integers(actions, size=agents)
            ending = copy.step([[[int(action)] for action in chosen]])
            seen, rewards, terminated, truncated, _ = direct.step(tuple(chosen.tolist()))
            np.testing.assert_allclose(rows.rewards[0], rewards, rtol=1e-6)
            self.assertEqual(ending, TERMINATED if terminated else TRUNCATED if truncated else GOES_ON)
            if ending != GOES_ON:
                return

    def test_level_based_foraging(self):
        self.as_directly("lbforaging:Foraging-8x8-2p-2f-coop-v3", agents=2, observed=12, actions=6)

    def test_the_robot_warehouse(self):
        self.as_directly("rware:rware-tiny-2ag-v2", agents=2, observed=71, actions=5)

    def test_a_name_that_nobody_registers_is_told_with_what_to_do(self):
        with self.assertRaisesRegex(SystemExit, "doesn't exist.*--gymnasium PACKAGE:Foraging-9x9-v3"):
            gymnasium_maker("Foraging-9x9-v3")()
        with self.assertRaisesRegex(SystemExit, "v9.*doesn't exist[^P]*$"):
            gymnasium_maker("lbforaging:Foraging-8x8-2p-2f-coop-v9")()


class InventoryChainTest(unittest.TestCase):
    def test_the_chain_earns_what_the_package_says(self):
        copy, rows = served(inventory_chain.InventoryChain())
        group = copy.spec.groups[0]
        self.assertEqual(group.agents, ("stage_retailer", "stage_distributor", "stage_factory"))
        self.assertEqual((group.action_kind, group.action_size), (CONTINUOUS, 1))
        whole = gym_invmgmt.CoreEnv(scenario="serial", demand_config=inventory_chain.DEMAND, num_periods=30)
        whole.reset(seed=7)
        copy.reset(7)
        random = np.random.default_rng(7)
        links = {link: i for i, link in enumerate(whole.network.reorder_links)}
        for period in range(1, 31):
            retailer, distributor, factory = orders = random.integers(0, 90, 3)
            ending = copy.step([np.array(orders, np.float32)[:, None]])
            by_link = np.zeros(3)
            by_link[[links[2, 1], links[3, 2], links[4, 3]]] = retailer, distributor, factory
            _, profit, _, truncated, _ = whole.step(by_link)
            np.testing.assert_allclose(rows.rewards[0], [profit] * 3, rtol=1e-5)
            self.assertEqual(ending, TERMINATED if period == 30 else GOES_ON)
            self.assertEqual(truncated, period == 30)
            if ending == TERMINATED:
                return
            stocks = [whole.inventory[period, whole.network.node_map[node]] for node in (1, 2, 3)]
            np.testing.assert_allclose(rows.observations[0, :, 0], np.array(stocks) / 50, rtol=1e-5, atol=1e-6)
            # All of the order that the node before could deliver is on its way.
            on_the_way = rows.observations[0, :2, 1:5].sum(axis=1) * 50
            pipeline = [whole.pipeline[period, links[2, 1]], whole.pipeline[period, links[3, 2]]]
            np.testing.assert_allclose(on_the_way, pipeline, rtol=1e-5, atol=1e-4)
            self.assertAlmostEqual(float(rows.observations[0, 0, 5]) * 50, whole.demand[period - 1, 0], places=3)
            self.assertAlmostEqual(float(rows.observations[0, 2, 5]) * 50, distributor, places=3)
            owed = whole.standing_backlog[period - 1, 0]
            self.assertAlmostEqual(float(rows.observations[0, 0, 6]) * 50, owed, places=3)


if __name__ == "__main__":
    unittest.main()
