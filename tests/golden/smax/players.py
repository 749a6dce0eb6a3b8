"""Players of jaxmarl's SMAX for the scripts beside this file."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxmarl.environments.smax.heuristic_enemy import create_heuristic_policy, get_heuristic_policy_initial_state

STOP, FIRST_ATTACK = 4, 5


def random_allowed(key, allowed):
    """[A] actions, uniform among those that allowed [A, N] has."""
    return jax.random.categorical(key, jnp.where(allowed, 0.0, -jnp.inf), axis=-1)


def heuristic(env):
    """jaxmarl's rule for the allies: (initial memory, (key, memory, observations [A, O]) → (actions, memory))."""
    policy = jax.vmap(create_heuristic_policy(env, 0))
    memory = jax.tree.map(lambda *xs: jnp.stack(xs), *([get_heuristic_policy_initial_state()] * env.num_allies))
    return memory, lambda key, memory, obs: policy(jax.random.split(key, env.num_allies), memory, obs)


@partial(jax.jit, static_argnums=0)
def attack_nearest(env, state):
    """[A] actions: each ally goes for the nearest living enemy, wherever that is."""
    allies = env.num_allies
    places, alive = state.unit_positions, state.unit_alive

    def act(unit):
        away = places[allies:] - places[unit]
        distance = jnp.where(alive[allies:], jnp.linalg.norm(away, axis=-1), jnp.inf)
        nearest = jnp.argmin(distance)
        x, y = away[nearest]
        walk = jnp.argmax(jnp.array([y, x, -y, -x]))
        shoots = distance[nearest] < env.unit_type_attack_ranges[state.unit_types[unit]]
        action = jnp.where(shoots, FIRST_ATTACK + nearest, walk)
        return jnp.where(alive[unit] & alive[allies:].any(), action, STOP)

    return jax.vmap(act)(jnp.arange(allies))
