#!/usr/bin/env python3
"""gym-invmgmt's serial chain with an agent per node: an environment of one agent that orders for everybody, cut into a
PettingZoo parallel one, and its server. `pip install ./python gym-invmgmt pettingzoo`; without a worker it plays by
itself: `python docs/clients/inventory_chain.py`.

Of its scenarios this is the serial one with trend, season and shock: customers ask for 20 units a period at first, for
twice that and more from the middle on. Everyone is paid what the whole chain earns.
"""

import gymnasium
import gym_invmgmt  # noqa: F401 (registers its environments)
import numpy as np
import pettingzoo
from gymnasium import spaces

import troupe

NODES = {"stage_retailer": 1, "stage_distributor": 2, "stage_factory": 3}  # agents, and the package's numbers of them
DEMAND = {"type": "combined_chaos", "effects": ["trend", "seasonal", "shock"], "base_mu": 20, "use_goodwill": False}
MOST_ORDERED = 150.0  # units a period; the package allows some thousands
MOST_ON_THE_WAY = 4  # periods
UNIT = 50.0  # what a number observed is divided by


class InventoryChain(pettingzoo.ParallelEnv):
    metadata = {"name": "inventory_chain"}

    def __init__(self, num_periods=30):
        self._env = gymnasium.make("GymInvMgmt/Serial-v0", demand_config=DEMAND, num_periods=num_periods).unwrapped
        self.possible_agents = list(NODES)
        links = self._env.network.reorder_links  # (who delivers, who orders)
        suppliers, customers = [link[0] for link in links], [link[1] for link in links]
        self._link_of = {name: customers.index(node) for name, node in NODES.items()}
        self._customer_link_of = {
            name: suppliers.index(node) if node in suppliers else None for name, node in NODES.items()
        }

    def observation_space(self, agent):
        return spaces.Box(-np.inf, np.inf, (6 + MOST_ON_THE_WAY,), np.float32)

    def action_space(self, agent):
        return spaces.Box(0.0, MOST_ORDERED, (1,), np.float32)

    def reset(self, seed=None, options=None):
        self._env.reset(seed=seed)
        self.agents = list(self.possible_agents)
        return self._see(), {agent: {} for agent in self.agents}

    def step(self, actions):
        orders = np.zeros(len(NODES))
        for agent, action in actions.items():
            orders[self._link_of[agent]] = action[0]
        _, profit, terminated, truncated, _ = self._env.step(orders)
        # The package calls the last period a truncation, after which a learner takes it that trade goes on. What is
        # left has no worth then, and agents see the calendar: it is an end.
        over = terminated or truncated
        there, self.agents = self.agents, [] if over else self.agents
        everyone = dict.fromkeys
        infos = {agent: {} for agent in there}
        return self._see(), everyone(there, profit), everyone(there, over), everyone(there, False), infos

    def _see(self):
        return {agent: self._see_of(agent) for agent in NODES}

    def _see_of(self, agent):
        """What the node itself knows: its stock, what reaches it in the coming periods, what was asked of it last, what
        it owes, and the calendar."""
        env, now = self._env, self._env.period
        stock = env.X[now, env.network.node_map[NODES[agent]]]
        coming = np.zeros(MOST_ON_THE_WAY)
        delay = env.network.lead_times[env.network.reorder_links[self._link_of[agent]]]
        for periods in range(delay):
            if 0 <= now - delay + periods < now:
                coming[periods] = env.R[now - delay + periods, self._link_of[agent]]
        asked = owed = 0.0
        if now > 0:
            customer = self._customer_link_of[agent]
            asked = env.D[now - 1, 0] if customer is None else env.action_log[now - 1, customer]
            owed = env.U[now - 1, 0] if customer is None else 0.0
        share = now / env.num_periods
        calendar = [share, np.sin(2 * np.pi * share), np.cos(2 * np.pi * share)]
        return np.array([*np.array([stock, *coming, asked, owed]) / UNIT, *calendar], np.float32)


if __name__ == "__main__":
    troupe.serve(InventoryChain)
