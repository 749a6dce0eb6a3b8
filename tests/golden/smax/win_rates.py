#!/usr/bin/env python3
"""Writes win_rates.txt: how often, how long and with what losses hand-written players win in jaxmarl's SMAX.

    pip install -r requirements.txt && ./win_rates.py [EPISODES [MAP…]]

Takes minutes on two cores.
"""

import os
import pathlib
import sys
from functools import partial

os.environ["JAX_PLATFORMS"] = "cpu"
import jax
import jax.numpy as jnp
import numpy as np
from jaxmarl.environments.smax import HeuristicEnemySMAX, map_name_to_scenario

import players

HERE = pathlib.Path(__file__).resolve().parent
MAPS = ("3m", "2s3z", "5m_vs_6m", "smacv2_5_units")
PLAYERS = ("random", "heuristic", "attack_nearest")
COPIES = 250
DECISIONS = 101  # none lasts longer


def play(env):
    """(keys, index into PLAYERS) → [copies, 5]: won, enemies killed, allies killed, decisions, return of an episode
    each."""
    memory, heuristic = players.heuristic(env)

    def act(key, player, state, memory, obs):
        allowed = env.get_avail_actions(state)
        anything = players.random_allowed(key, jnp.stack([allowed[agent] for agent in env.agents]))
        ruled, memory = heuristic(key, memory, jnp.stack([obs[agent] for agent in env.agents]))
        return jnp.stack([anything, ruled, players.attack_nearest(env, state.state)])[player], memory

    def decide(player, carry, key):
        state, obs, memory, over, length, total = carry
        act_key, step_key = jax.random.split(key)
        actions, new_memory = act(act_key, player, state, memory, obs)
        new_obs, new_state, rewards, dones, _ = env.step_env(
            step_key, state, {agent: actions[i] for i, agent in enumerate(env.agents)}
        )
        new = (new_state, new_obs, new_memory, dones["__all__"], length + 1, total + rewards[env.agents[0]])
        return jax.tree.map(lambda old, new: jnp.where(over, old, new), carry, new), None

    def episode(key, player):
        reset_key, key = jax.random.split(key)
        obs, state = env.reset(reset_key)
        begin = (state, obs, memory, jnp.array(False), jnp.array(0), jnp.array(0.0))
        end, _ = jax.lax.scan(partial(decide, player), begin, jax.random.split(key, DECISIONS))
        state, _, _, _, length, total = end
        allies = state.state.unit_alive[: env.num_allies].sum()
        enemies = state.state.unit_alive[env.num_allies :].sum()
        won = (enemies == 0) & (allies > 0)
        return jnp.stack([won, env.num_enemies - enemies, env.num_allies - allies, length, total]).astype(float)

    return jax.jit(jax.vmap(episode, in_axes=(0, None)))


def main():
    episodes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    text = (f"# jaxmarl 0.2.0, HeuristicEnemySMAX, {episodes} episodes each, by win_rates.py.\n"
            "# map player won enemies_killed allies_killed decisions return, and the standard deviation of each\n")
    for name in sys.argv[2:] or MAPS:
        run = play(HeuristicEnemySMAX(scenario=map_name_to_scenario(name)))
        batches = -(-episodes // COPIES)
        keys = jax.random.split(jax.random.PRNGKey(1), batches * COPIES).reshape(batches, COPIES, 2)
        for index, player in enumerate(PLAYERS):
            results = np.concatenate([np.asarray(run(batch, index)) for batch in keys])[:episodes]
            figures = [*results.mean(0), *results.std(0, ddof=1)]
            text += f"{name} {player} " + " ".join(f"{figure:.4f}" for figure in figures) + "\n"
        (HERE / "win_rates.txt").write_text(text)


main()
