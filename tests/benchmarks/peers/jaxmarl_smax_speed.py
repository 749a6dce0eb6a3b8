#!/usr/bin/env python3
"""jaxmarl's SMAX, 64 copies by jit and vmap, stepped from Python with uniformly random allowed actions: environment
steps per second. smax_benchmark's counterpart.

    pip install -r ../../golden/smax/requirements.txt && ./jaxmarl_smax_speed.py [MAP [SECONDS]]
"""

import os
import sys
import time

os.environ["JAX_PLATFORMS"] = "cpu"
import jax
import jax.numpy as jnp
from jaxmarl.environments.smax import HeuristicEnemySMAX, map_name_to_scenario

COPIES = 64
WARM_UP = 3  # steps: the first two are compiled, the second since what a step returns is typed otherwise than a reset


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "3m"
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10
    env = HeuristicEnemySMAX(scenario=map_name_to_scenario(name))

    @jax.jit
    @jax.vmap
    def step(key, state):
        act_key, step_key = jax.random.split(key)
        allowed = env.get_avail_actions(state)
        logits = jnp.where(jnp.stack([allowed[agent] for agent in env.agents]), 0.0, -jnp.inf)
        actions = jax.random.categorical(act_key, logits)
        return env.step(step_key, state, {agent: actions[i] for i, agent in enumerate(env.agents)})

    split = jax.jit(lambda key: tuple(jax.random.split(key)))
    split_copies = jax.jit(lambda key: jax.random.split(key, COPIES))
    key, reset_key = split(jax.random.PRNGKey(0))
    _, state = jax.jit(jax.vmap(env.reset))(split_copies(reset_key))
    steps = -WARM_UP
    while steps <= 0 or time.monotonic() - begin < seconds:
        key, step_key = split(key)
        _, state, rewards, _, _ = step(split_copies(step_key), state)
        jax.block_until_ready(rewards)
        steps += 1
        if steps == 0:
            begin, used = time.monotonic(), time.process_time()
    took, used = time.monotonic() - begin, time.process_time() - used
    made = COPIES * steps
    print(f"{name}: {made / took:.0f} environment steps/s; processor time of a step: {1e6 * used / made:.1f} us")


main()
