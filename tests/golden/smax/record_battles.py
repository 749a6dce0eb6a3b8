#!/usr/bin/env python3
"""Writes NAME.safetensors for each battle below: what jaxmarl's SMAX makes of given starts, actions and random draws.

    pip install -r requirements.txt && ./record_battles.py [NAME…]

smax_oracle_test.cc replays them. T = decisions, N = units, A = agents; index 0 of what has T + 1 rows is the start.
  kinds, start_x, start_y [N]           before units are pushed apart
  actions [T, A] or [T, A, 4]           discrete, or continuous in [0, 1]
  shots [S, 3], shot_draws [S]          decision, tick and unit of every shot; the uniform number behind its cooldown
  quarry_draws, target_draws [T, E]     uniform numbers that choose what the heuristic chose, of each enemy
  move_draws, keep_draws [T, A]         continuous actions: which of two outcomes was drawn
  x, y, health, cooldown [T + 1, N]     and the team's rewards [T, teams], done [T]
  allowed [T + 1, …]                    all agents' masks one after the other, eight to a byte
  observation_sums [T + 1, A], state_sums [T + 1]     each number times sin(1 + its index), summed
  observations [T + 1, O]               of agent (decision mod A)
  state [M]                             the last global state
"""

import os
import pathlib
import sys
from functools import partial

os.environ["JAX_PLATFORMS"] = "cpu"
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "oracle"))
import jax
import jax.numpy as jnp
import numpy as np
from jaxmarl.environments.smax import SMAX, HeuristicEnemySMAX, map_name_to_scenario

import case_file
import players

TICKS = 8
# name: map, decisions at most, whether both teams are agents, jaxmarl's options
BATTLES = {
    "3m": ("3m", 60, False, {}),
    "2s3z_blind_without_walls": ("2s3z", 40, False, {"see_enemy_actions": False, "walls_cause_death": False}),
    "3s5z_conic": ("3s5z", 30, False, {"observation_type": "conic"}),
    "3s_vs_5z_random_target": ("3s_vs_5z", 40, False, {"attack_mode": "random"}),
    "6h_vs_8z_continuous": ("6h_vs_8z", 40, False, {"action_type": "continuous"}),
    "27m_vs_30m": ("27m_vs_30m", 22, False, {}),
    "smacv2_5_units": ("smacv2_5_units", 60, False, {}),
    "smacv2_10_units_continuous_conic": (
        "smacv2_10_units", 22, False, {"action_type": "continuous", "observation_type": "conic"}),
    "5m_vs_6m_self": ("5m_vs_6m", 40, True, {}),
    "3m_self_zero_sum": ("3m", 40, True, {"use_self_play_reward": True, "won_battle_bonus": 2.0}),
}


def start_of(env, key, heuristic_enemy):
    """Where units are before jaxmarl pushes them apart: its reset, key by key."""
    if heuristic_enemy:
        key = jax.random.split(key)[1]
    key, ally_key, enemy_key = jax.random.split(key, 3)
    if env.smacv2_position_generation:
        return env.position_generator.generate(jax.random.split(key)[1])
    allies = jax.random.uniform(ally_key, (env.num_allies, 2), minval=-2, maxval=2) + jnp.array([8.0, 16.0])
    enemies = jax.random.uniform(enemy_key, (env.num_enemies, 2), minval=-2, maxval=2) + jnp.array([24.0, 16.0])
    return jnp.concatenate([allies, enemies])


@jax.jit
def uniforms(keys):
    return jax.vmap(jax.random.uniform)(keys)


def choice_draws(keys, among):
    """Numbers in (0, 1) that choose by equal parts what jax.random.choice with these keys does among the true of among
    [E, K]."""
    draws = []
    for uniform, row in zip(np.asarray(uniforms(keys)), among):
        count = row.sum()
        shares = np.cumsum(row.astype(np.float32) / np.float32(max(count, 1)))
        chosen = np.searchsorted(shares, shares[-1] * (1 - uniform)) if count else 0
        draws.append((row[:chosen].sum() + 0.5) / count if count else 0.0)
    return draws


def heuristic_draws(env, key, state):
    """(quarry, target) draws of each enemy, of a decision whose enemies' key is `key`."""
    places, alive = np.asarray(state.unit_positions), np.asarray(state.unit_alive)
    kinds = np.asarray(state.unit_types)[env.num_allies :]
    distance = np.linalg.norm(places[env.num_allies :, None] - places[None, : env.num_allies], axis=-1)[:, ::-1]
    living = alive[env.num_allies :, None] & alive[: env.num_allies][::-1]
    keys = jax.vmap(jax.random.split)(jax.random.split(key, env.num_enemies))
    sight, reach = np.asarray(env.unit_type_sight_ranges)[kinds], np.asarray(env.unit_type_attack_ranges)[kinds]
    return (choice_draws(keys[:, 0], living & (distance < sight[:, None])),
            choice_draws(keys[:, 1], living & (distance < reach[:, None])))


@jax.jit
def continuous_draws(key, actions):
    """(move or shoot, keep target) of each unit: 0 with the probability in the action."""
    return [
        jax.random.categorical(draw_key, jnp.log(jnp.stack([actions[:, column], 1 - actions[:, column]])), axis=0)
        for column, draw_key in zip((1, 0), jax.random.split(key))
    ]


@partial(jax.jit, static_argnums=1)
def shot_uniforms(key, units):
    """[TICKS, units]: what a decision's ticks draw."""

    def tick(key, _):
        key, world_key = jax.random.split(key)
        return key, jax.vmap(jax.random.uniform)(jax.random.split(world_key, units))

    return jax.lax.scan(tick, key, None, TICKS)[1]


def find_shots(env, before, after, uniform):
    """(tick, unit) of every shot of a decision. Nobody shoots twice in it: the shortest cooldown is 7 ticks."""
    tick_seconds = env.time_per_step
    cooldown = np.asarray(after.unit_weapon_cooldowns)
    shooters = np.flatnonzero(cooldown > np.asarray(before.unit_weapon_cooldowns) - (TICKS - 0.5) * tick_seconds)
    ticks = np.arange(TICKS)
    shots = []
    for unit in shooters:
        full = float(env.unit_type_weapon_cooldowns[before.unit_types[unit]])
        would_be = full + (3 * uniform[:, unit] - 1) * tick_seconds - (TICKS - 1 - ticks) * tick_seconds
        miss = np.abs(would_be - cooldown[unit])
        assert miss.min() < 1e-5, (unit, miss)
        shots.append((miss.argmin(), unit))
    return np.array(shots, np.int32).reshape(-1, 2)


def discrete_actions(random, env, state, masks):
    """Now at the nearest enemy, now anything: battles with hits, misses, walls and wandering."""
    actions = [random.choice(np.flatnonzero(mask)) for mask in masks]
    nearest = np.asarray(players.attack_nearest(env, state))
    for unit in range(env.num_allies):
        if random.random() < 0.7:
            actions[unit] = nearest[unit]
    return np.array(actions, np.int32)


def continuous_actions(random, env, state):
    """Towards an enemy at most times, in steps of 1/64 so that every float has them."""
    places, alive = np.asarray(state.unit_positions), np.asarray(state.unit_alive)
    actions = random.integers(0, 65, (env.num_allies, 4))
    for unit in range(env.num_allies):
        away = places[env.num_allies :] - places[unit]
        distance = np.where(alive[env.num_allies :], np.linalg.norm(away, axis=-1), np.inf)
        foe = distance.argmin()
        if random.random() < 0.8 and np.isfinite(distance[foe]):
            near = distance[foe] < env.unit_type_attack_ranges[state.unit_types[unit]]
            angle = np.arctan2(away[foe, 1], away[foe, 0]) / (2 * np.pi) % 1
            actions[unit] = (40, 8 if near else 60, 60, round(angle * 64) % 64)
    return (actions / 64).astype(np.float32)


def weighted_sum(values):
    values = np.asarray(values, np.float64)
    return (values * np.sin(1.0 + np.arange(values.shape[-1]))).sum(-1)


class Recording:
    def __init__(self):
        self.rows = {}

    def add(self, **rows):
        for name, row in rows.items():
            self.rows.setdefault(name, []).append(np.array(row))

    def tensors(self):
        types = {name: np.uint8 for name in ("allowed", "done", "move_draws", "keep_draws")} | {"shots": np.int32}
        tensors = {}
        for name, rows in self.rows.items():
            array = np.concatenate(rows) if name in ("shots", "shot_draws") else np.stack(rows)
            discrete = name == "actions" and array.dtype != np.float32
            tensors[name] = array.astype(np.int32 if discrete else types.get(name, np.float32))
        return tensors


def record(name):
    map_name, most_decisions, self_play, options = BATTLES[name]
    make = SMAX if self_play else HeuristicEnemySMAX
    env = make(scenario=map_name_to_scenario(map_name), **options)
    core = env if self_play else env._env
    continuous = core.action_type == "continuous"
    core_state = (lambda state: state) if self_play else (lambda state: state.state)
    random = np.random.default_rng(len(name))
    key = jax.random.PRNGKey(sum(name.encode()))
    key, reset_key = jax.random.split(key)
    obs, state = env.reset(reset_key)
    start = start_of(core, reset_key, not self_play)
    pushed = core._push_units_away(core_state(state).replace(unit_positions=start)).unit_positions
    np.testing.assert_allclose(pushed, core_state(state).unit_positions, atol=1e-6)
    recording = Recording()

    def add_state():
        now = core_state(state)
        seen = np.stack([obs[agent] for agent in env.agents])
        recording.add(x=now.unit_positions[:, 0], y=now.unit_positions[:, 1], health=now.unit_health,
                      cooldown=now.unit_weapon_cooldowns, observation_sums=weighted_sum(seen),
                      observations=seen[int(now.step) % len(env.agents)], state_sums=weighted_sum(obs["world_state"]))
        allowed = core.get_avail_actions(now)
        masks = [np.asarray(allowed[agent]) for agent in env.agents]
        recording.add(allowed=np.packbits(np.concatenate(masks)))
        return masks

    masks = add_state()
    for decision in range(most_decisions):
        before = core_state(state)
        key, step_key = jax.random.split(key)
        act = continuous_actions if continuous else partial(discrete_actions, masks=masks)
        actions = act(random, core, before)
        given = {agent: jnp.asarray(actions[i]) for i, agent in enumerate(env.agents)}
        obs, state, rewards, dones, _ = env.step_env(step_key, state, given)
        # The keys as step_env splits them.
        tick_key, first_key = jax.random.split(step_key)
        if not self_play:
            quarry, target = heuristic_draws(core, first_key, before)
            recording.add(quarry_draws=quarry, target_draws=target)
            if continuous:
                tick_key, decode_key = jax.random.split(tick_key)
                padded = np.zeros((core.num_agents, 4), np.float32)
                padded[: core.num_allies] = actions
                moves, keeps = continuous_draws(decode_key, padded)
                recording.add(move_draws=moves[: core.num_allies], keep_draws=keeps[: core.num_allies])
        uniform = np.asarray(shot_uniforms(tick_key, core.num_agents))
        shots = find_shots(core, before, core_state(state), uniform)
        recording.add(shots=np.concatenate([np.full((len(shots), 1), decision), shots], axis=1),
                      shot_draws=uniform[shots[:, 0], shots[:, 1]])
        teams = [rewards[agent] for agent in ("ally_0", "enemy_0") if agent in rewards]
        recording.add(actions=actions, rewards=teams, done=dones["__all__"])
        masks = add_state()
        if dones["__all__"]:
            break
    tensors = recording.tensors()
    tensors["kinds"] = np.asarray(core_state(state).unit_types, np.uint8)
    tensors["start_x"], tensors["start_y"] = np.asarray(start, np.float32).T.copy()
    tensors["state"] = np.asarray(obs["world_state"], np.float32)
    settings = {"map": map_name, "opponent": "self" if self_play else "heuristic",
                "actions": core.action_type, "observations": core.observation_type,
                "enemy_target": options.get("attack_mode", "closest"),
                "see_enemy_actions": str(core.see_enemy_actions).lower(),
                "walls_cause_death": str(core.walls_cause_death).lower(),
                "self_play_reward": str(core.use_self_play_reward).lower(),
                "won_battle_bonus": str(core.won_battle_bonus)}
    path = HERE / f"{name}.safetensors"
    case_file.write(path, settings, tensors)
    final = core_state(state)
    print(f"{name}: {len(tensors['actions'])} decisions, {len(tensors['shots'])} shots, "
          f"{int(final.unit_alive[: core.num_allies].sum())} allies and "
          f"{int(final.unit_alive[core.num_allies :].sum())} enemies left, {path.stat().st_size} bytes", flush=True)


for battle in sys.argv[1:] or BATTLES:
    record(battle)
