"""The cases: settings that together meet every pair of choices below, and a few chosen by hand."""

from itertools import combinations, product

import numpy as np

from joint_cases import JOINT_CASES
from scene import Group, Scene

SCENES = {
    "two groups": Scene((Group("cars", 3, 5, 4), Group("lights", 2, 7, 3)), extras=2, steps=8, columns=3),
    "one pair": Scene((Group("pair", 2, 6, 5),), extras=0, steps=10, columns=4, death=0.35),
    "extras alone": Scene((Group("a", 1, 4, 2), Group("b", 4, 3, 3), Group("c", 2, 5, 6)), extras=5, steps=7, columns=3,
                          observations_in_state=False),
}
# Parameter sets of the agents of each group of a scene, of unlike sizes.
PARTITIONS = {"cars": [1, 0, 1], "lights": [0, 1], "pair": [1, 0], "a": [0], "b": [2, 0, 1, 0], "c": [0, 0]}

# Dimension → choice → what it sets: (section, field) → value. PARTITIONED also gets the groups' partitions.
CHOICES = {
    "scene": {name: {} for name in SCENES},
    "sharing": {
        "shared": {},
        "shared with ids": {("policy", "agent_id_input"): True},
        "per agent": {("policy", "sharing"): "PER_AGENT"},
        "partitioned": {("policy", "sharing"): "PARTITIONED"},
    },
    "critic": {
        "team, mean": {},
        "team, sum": {("critic", "team_reward"): "SUM"},
        "team, living": {("critic", "team_reward"): "MEAN_LIVING"},
        "each": {("critic", "heads"): "EACH_AGENT"},
        "agent state": {("critic", "heads"): "EACH_AGENT", ("critic", "input"): "AGENT_SPECIFIC_STATE"},
        "local": {("critic", "heads"): "EACH_AGENT", ("critic", "input"): "LOCAL_OBSERVATION"},
        "local with ids": {("critic", "heads"): "EACH_AGENT", ("critic", "input"): "LOCAL_OBSERVATION",
                           ("critic", "agent_id_input"): True},
    },
    "lag": {
        "none": {},
        "v-trace": {("ppo", "lag_correction"): "V_TRACE"},
        "v-trace, other clips": {("ppo", "lag_correction"): "V_TRACE", ("ppo", "vtrace_rho_clip"): 1.3,
                                 ("ppo", "vtrace_c_clip"): 0.8},
        "decoupled": {("ppo", "lag_correction"): "DECOUPLED"},
        "decoupled, capped": {("ppo", "lag_correction"): "DECOUPLED", ("ppo", "importance_cap"): 1.05},
    },
    "dead": {"bootstrap": {}, "zero": {("ppo", "dead_agents"): "ZERO"}},
    "value loss": {
        "huber": {},
        "huber 0.4": {("ppo", "huber_delta"): 0.4},
        "squared": {("ppo", "value_loss"): "SQUARED"},
    },
    "value clip": {"yes": {}, "no": {("ppo", "clip_value"): False}},
    "value norm": {
        "per update": {},
        "per minibatch": {("ppo", "value_norm_update"): "PER_MINIBATCH"},
        "no": {("ppo", "value_normalization"): False},
    },
    "advantage norm": {
        "group": {},
        "each agent": {("ppo", "advantage_normalization_per_agent"): True},
        "none": {("ppo", "advantage_normalization"): False},
    },
    "minibatches": {"whole": {}, "of 8": {("ppo", "minibatch_size"): 8}},
    "optimiser": {
        "plain": {},
        "decay": {("ppo", "weight_decay"): 0.03, ("ppo", "adam_epsilon"): 0.01},
        "clipped": {("ppo", "max_gradient_norm"): 0.05, ("ppo", "adam_epsilon"): 0.001},
        "never clipped": {("ppo", "max_gradient_norm"): 0.0, ("ppo", "adam_epsilon"): 0.1},
    },
    "schedule": {
        "none": {},
        "learning rate": {("ppo", "anneal_learning_rate"): True},
        "entropy": {("ppo", "entropy_coefficient"): 0.05, ("ppo", "final_entropy_coefficient"): 0.2},
        "both": {("ppo", "anneal_learning_rate"): True, ("ppo", "final_entropy_coefficient"): 0.0},
        "both, over 400 steps": {("ppo", "anneal_learning_rate"): True, ("ppo", "final_entropy_coefficient"): 0.1,
                                 ("ppo", "schedule_env_steps"): 400},
    },
    "norms": {
        "none": {},
        "input": {(s, "input_layer_norm"): True for s in ("policy", "critic")},
        "hidden": {(s, "hidden_layer_norm"): True for s in ("policy", "critic")},
        "both": {(s, f): True for s in ("policy", "critic") for f in ("input_layer_norm", "hidden_layer_norm")},
    },
    "activation": {
        "relu": {},
        "tanh": {("policy", "activation"): "TANH", ("critic", "activation"): "TANH"},
        "relu and tanh": {("critic", "activation"): "TANH"},
    },
    "discount": {
        "usual": {},
        "short": {("ppo", "discount"): 0.9, ("ppo", "gae_lambda"): 0.7, ("ppo", "reward_scale"): 0.4},
        "whole returns": {("ppo", "gae_lambda"): 1.0, ("ppo", "value_coefficient"): 0.5},
    },
    "clip": {"usual": {}, "narrow": {("ppo", "clip"): 0.08}},
}

NORMS_MEET = ("norms", "sharing", "activation", "minibatches")

# Every case sets these, unless a choice does.
USUAL = {
    "policy": {"hidden_sizes": [8, 5]},
    "critic": {"hidden_sizes": [9, 6]},
    "ppo": {"epochs": 3, "actor_learning_rate": 0.01, "critic_learning_rate": 0.006},
}

# Name → (scene, changes over USUAL).
BY_HAND = {
    "ippo_one_layer_other_seed": ("two groups", {
        "seed": 77,
        "policy": {"hidden_sizes": [16], "sharing": "PER_AGENT"},
        "critic": {"hidden_sizes": [20], "input": "LOCAL_OBSERVATION", "heads": "EACH_AGENT"},
        "ppo": {"minibatch_size": 5},
    }),
    "stops_by_kl": ("one pair", {
        "ppo": {"epochs": 10, "minibatch_size": 16, "target_kl": 0.04, "actor_learning_rate": 0.02}}),
    "each_set_stops_by_its_own_kl": ("two groups", {
        "policy": {"sharing": "PER_AGENT"},
        "ppo": {"epochs": 10, "target_kl": 0.01, "actor_learning_rate": 0.01}}),
    "groups_with_policies_of_their_own": ("extras alone", {
        "policy": {"hidden_sizes": [9], "activation": "TANH"},
        "group_policies": {"b": {"hidden_sizes": [8, 6], "sharing": "PARTITIONED", "partition": [0, 1, 1, 1]},
                           "c": {"agent_id_input": True, "activation": "RELU"}},
    }),
    "wide_networks": ("one pair", {
        "policy": {"hidden_sizes": [33, 18]}, "critic": {"hidden_sizes": [49]},
        "ppo": {"epochs": 2, "minibatch_size": 15}}),
    "ten_epochs_of_defaults": ("two groups", {"ppo": {"epochs": None, "actor_learning_rate": None,
                                                      "critic_learning_rate": None}}),
}


def changes_of(picks):
    """Settings of one choice per dimension."""
    changes = {section: dict(fields) for section, fields in USUAL.items()}
    for dimension, choice in picks.items():
        for (section, field), value in CHOICES[dimension][choice].items():
            changes[section][field] = value
    if picks["sharing"] == "partitioned":
        changes["group_policies"] = {g.name: {"partition": PARTITIONS[g.name]} for g in SCENES[picks["scene"]].groups}
        # Complete without them, too: group_policies hold for all groups there are.
        changes["policy"]["partition"] = [0]
    return changes


def pairs_of(picks):
    """((dimension, choice), (dimension, choice)) of all that is picked."""
    items = sorted(picks.items())
    return {(a, b) for i, a in enumerate(items) for b in items[i + 1 :]}


def all_pairs(dimensions):
    return {
        ((a, x), (b, y))
        for a, b in combinations(sorted(dimensions), 2)
        for x, y in product(dimensions[a], dimensions[b])
    }


def pairwise(dimensions, random):
    """Picks of one choice per dimension that together hold every pair of choices: greedily, the best of some random
    candidates each time."""
    missing, picked = all_pairs(dimensions), []
    while missing:
        candidates = [_candidate(dimensions, missing, random) for _ in range(40)]
        best = max(candidates, key=lambda picks: len(pairs_of(picks) & missing))
        picked.append(best)
        missing -= pairs_of(best)
    return picked


def _candidate(dimensions, missing, random):
    picks = {}
    for dimension in random.permutation(sorted(dimensions)):
        def gain(choice):
            new = sum(tuple(sorted([p, (dimension, choice)])) in missing for p in picks.items())
            return new, random.random_sample()
        picks[str(dimension)] = max(dimensions[dimension], key=gain)
    return picks


def all_picks():
    """Without layer norms (what blocks cover) every pair of all else; with them, every pair of NORMS_MEET."""
    random = np.random.RandomState(5)
    plain = {dimension: list(choices) for dimension, choices in CHOICES.items()}
    plain["norms"] = ["none"]
    normed = {dimension: list(CHOICES[dimension]) for dimension in NORMS_MEET}
    normed["norms"].remove("none")
    rest = [{d: c[random.randint(len(c))] for d, c in plain.items()} for _ in range(40)]
    return pairwise(plain, random) + [{**r, **picks} for r, picks in zip(rest, pairwise(normed, random))]


def by_hand(own):
    """The usual settings with a case's own in their place."""
    changes = {section: {**fields, **own.get(section, {})} for section, fields in USUAL.items()}
    changes = {section: {f: v for f, v in fields.items() if v is not None} for section, fields in changes.items()}
    changes.update({k: v for k, v in own.items() if k not in changes})
    return changes


def _remembers(cell, size, **own):
    """A network's settings: one small layer before a cell."""
    return {"hidden_sizes": [6], "recurrent_cell": cell, "recurrent_size": size, **own}


# A bias of all keys moves no share: its gradient is rounding alone, which a small adam_epsilon makes steps of.
def _attends(attention_heads, token_size, **own):
    return {"attention_heads": attention_heads, "token_size": token_size, "hidden_sizes": [6], **own}


# No dimension of CHOICES: they meet the cases that come last alone.
LATER_SCENES = {
    "pilots": Scene((Group("pilots", 3, 5, 2, continuous=True),), extras=1, steps=8, columns=4),
    "builders": Scene((Group("builders", 3, 5, 7, indices=(3, 4)),), extras=1, steps=8, columns=4),
    "every kind": Scene((Group("pilots", 2, 5, 2, continuous=True), Group("builders", 2, 4, 7, indices=(2, 2, 3)),
                         Group("tower", 2, 4, 3)), extras=2, steps=8, columns=3),
    "pilots and tower": Scene((Group("pilots", 3, 5, 3, continuous=True), Group("tower", 2, 4, 3)), extras=2, steps=8,
                              columns=3),
    "pilots against towers": Scene(
        (Group("pilots", 2, 5, 2, continuous=True, team="air"), Group("tower", 2, 4, 3),
         Group("mast", 1, 3, 2, team="ground")), extras=2, steps=8, columns=3),
    "cars and lights against drones": Scene(
        (Group("cars", 3, 5, 4, team="ground"), Group("drones", 2, 4, 3, team="air"),
         Group("lights", 2, 7, 3, team="ground")), extras=2, steps=8, columns=3, death=0.3),
}
LATER_BY_HAND = {
    "schedules_are_over": ("one pair", {"ppo": {"anneal_learning_rate": True, "schedule_env_steps": 50}}),
    "gaussian_by_parameter": ("pilots", {
        "policy": {"hidden_layer_norm": True}, "ppo": {"minibatch_size": 10, "entropy_coefficient": 0.05}}),
    "gaussian_by_state": ("pilots", {
        "policy": {"state_dependent_std": True, "hidden_sizes": [12], "agent_id_input": True},
        "ppo": {"entropy_coefficient": 0.05, "adam_epsilon": 0.01}}),
    "gaussian_of_each_agent_decoupled": ("pilots", {
        "policy": {"sharing": "PER_AGENT"}, "critic": {"input": "LOCAL_OBSERVATION", "heads": "EACH_AGENT"},
        "ppo": {"lag_correction": "DECOUPLED", "minibatch_size": 10, "max_gradient_norm": 0.3, "adam_epsilon": 0.001}}),
    "gaussian_in_partitions_stops_by_kl": ("pilots", {
        "policy": {"sharing": "PARTITIONED", "partition": [1, 0, 1]},
        "ppo": {"epochs": 10, "target_kl": 0.03, "weight_decay": 0.02, "adam_epsilon": 0.01}}),
    "squashed_by_parameter_v_trace": ("pilots", {
        "policy": {"distribution": "SQUASHED_GAUSSIAN"}, "critic": {"heads": "EACH_AGENT"},
        "ppo": {"lag_correction": "V_TRACE", "entropy_coefficient": 0.1, "adam_epsilon": 0.01}}),
    "squashed_by_state_of_each_agent": ("pilots", {
        "policy": {"distribution": "SQUASHED_GAUSSIAN", "state_dependent_std": True, "sharing": "PER_AGENT",
                   "activation": "TANH"},
        "ppo": {"entropy_coefficient": 0.1, "minibatch_size": 10}}),
    "gaussian_beside_categorical": ("pilots and tower", {
        "group_policies": {"pilots": {"sharing": "PER_AGENT"}, "tower": {"hidden_sizes": [7]}},
        "critic": {"heads": "EACH_AGENT"},
        "ppo": {"minibatch_size": 8, "entropy_coefficient": 0.03}}),
    "squashed_beside_categorical_scaled_noise": ("pilots and tower", {
        "group_policies": {"pilots": {"distribution": "SQUASHED_GAUSSIAN"}, "tower": {"sharing": "PER_AGENT"}},
        "ppo": {"noise_scale": 1.4, "lag_correction": "DECOUPLED", "importance_cap": 2.5}}),
    "gru_both_norms": ("two groups", {
        "collection": {"sequence_length": 4},
        "policy": _remembers("GRU", 6, input_layer_norm=True, hidden_layer_norm=True),
        "critic": _remembers("GRU", 7, input_layer_norm=True, hidden_layer_norm=True),
        "ppo": {"adam_epsilon": 0.001}}),
    "lstm_both_minibatches_of_sequences": ("one pair", {
        "collection": {"sequence_length": 3},
        "policy": _remembers("LSTM", 5, activation="TANH"),
        "critic": _remembers("LSTM", 6, activation="TANH"),
        "ppo": {"minibatch_size": 14, "value_norm_update": "PER_MINIBATCH", "max_gradient_norm": 0.2,
                "adam_epsilon": 0.01}}),
    "gru_actor_feed_forward_critic_vtrace": ("extras alone", {
        "collection": {"sequence_length": 3},
        "policy": _remembers("GRU", 5, agent_id_input=True),
        "ppo": {"lag_correction": "V_TRACE", "minibatch_size": 8}}),
    "feed_forward_actor_lstm_critic_vtrace": ("two groups", {
        "collection": {"sequence_length": 16},
        "critic": _remembers("LSTM", 6, heads="EACH_AGENT"),
        "ppo": {"lag_correction": "V_TRACE", "vtrace_rho_clip": 1.3, "vtrace_c_clip": 0.8, "adam_epsilon": 0.001}}),
    "gru_per_agent_decoupled": ("two groups", {
        "collection": {"sequence_length": 5},
        "policy": _remembers("GRU", 6, sharing="PER_AGENT"),
        "critic": _remembers("LSTM", 5, heads="EACH_AGENT", input="LOCAL_OBSERVATION"),
        "ppo": {"lag_correction": "DECOUPLED", "importance_cap": 1.05, "minibatch_size": 12, "weight_decay": 0.03,
                "adam_epsilon": 0.01}}),
    "gru_partitioned_critic_rows_of_agents": ("extras alone", {
        "collection": {"sequence_length": 4},
        "policy": _remembers("GRU", 5, sharing="PARTITIONED", partition=[0]),
        "critic": _remembers("GRU", 5, heads="EACH_AGENT", input="AGENT_SPECIFIC_STATE"),
        "group_policies": {name: {"partition": PARTITIONS[name]} for name in ("a", "b", "c")},
        "ppo": {"dead_agents": "ZERO"}}),
    "lstm_stops_by_kl": ("one pair", {
        "collection": {"sequence_length": 4},
        "policy": _remembers("LSTM", 6, sharing="PER_AGENT"),
        "critic": _remembers("GRU", 6, hidden_layer_norm=True),
        "ppo": {"epochs": 10, "minibatch_size": 16, "target_kl": 0.03, "actor_learning_rate": 0.02}}),
    "lstm_beside_feed_forward": ("two groups", {
        "collection": {"sequence_length": 3},
        "policy": _remembers("LSTM", 5, hidden_layer_norm=True),
        "critic": _remembers("GRU", 6, heads="EACH_AGENT", input="LOCAL_OBSERVATION", agent_id_input=True),
        "group_policies": {"lights": {"recurrent_cell": "FEED_FORWARD"}},
        "ppo": {"lag_correction": "DECOUPLED", "minibatch_size": 7}}),
    "gru_sequences_of_one_step": ("one pair", {
        "collection": {"sequence_length": 1},
        "policy": _remembers("GRU", 6),
        "critic": _remembers("LSTM", 5, team_reward="SUM"),
        "ppo": {"minibatch_size": 9, "lag_correction": "V_TRACE"}}),
    "cells_of_their_own": ("extras alone", {
        "policy": _remembers("LSTM", 5, activation="TANH", input_layer_norm=True),
        "critic": _remembers("LSTM", 8, input_layer_norm=True, hidden_layer_norm=True),
        "group_policies": {"b": {"recurrent_cell": "GRU", "recurrent_size": 7, "hidden_sizes": [5, 4]},
                           "c": {"recurrent_size": 8, "sharing": "PER_AGENT"}},
        "ppo": {"clip_value": False, "advantage_normalization_per_agent": True, "anneal_learning_rate": True}}),
    "gru_gaussian_beside_categorical": ("pilots and tower", {
        "collection": {"sequence_length": 3},
        "policy": _remembers("GRU", 5, sharing="PER_AGENT"),
        "critic": _remembers("GRU", 6, heads="EACH_AGENT"),
        "ppo": {"lag_correction": "DECOUPLED", "minibatch_size": 9, "entropy_coefficient": 0.05,
                "adam_epsilon": 0.01}}),
    "sequential_two_epochs": ("two groups", {
        "policy": {"sharing": "PER_AGENT"}, "ppo": {"update_order": "SEQUENTIAL", "epochs": 2, "adam_epsilon": 0.01}}),
    "sequential_minibatches_partitioned_decoupled": ("extras alone", {
        "policy": {"sharing": "PARTITIONED", "partition": [0]},
        "group_policies": {name: {"partition": PARTITIONS[name]} for name in ("a", "b", "c")},
        "ppo": {"update_order": "SEQUENTIAL", "minibatch_size": 8, "lag_correction": "DECOUPLED",
                "importance_cap": 1.05, "value_norm_update": "PER_MINIBATCH"}}),
    "sequential_gru_stops_by_kl": ("one pair", {
        "collection": {"sequence_length": 4},
        "policy": _remembers("GRU", 6, sharing="PER_AGENT"),
        "critic": _remembers("LSTM", 5, heads="EACH_AGENT"),
        "ppo": {"update_order": "SEQUENTIAL", "epochs": 8, "target_kl": 0.02, "minibatch_size": 16,
                "actor_learning_rate": 0.02, "lag_correction": "V_TRACE"}}),
    "sequential_gaussians_in_three_teams": ("pilots against towers", {
        "policy": {"sharing": "PER_AGENT"},
        "ppo": {"update_order": "SEQUENTIAL", "entropy_coefficient": 0.03, "adam_epsilon": 0.01}}),
    "two_teams": ("cars and lights against drones", {
        "critic": {"team_reward": "MEAN_LIVING"}, "ppo": {"adam_epsilon": 0.01, "lag_correction": "V_TRACE"}}),
    "two_teams_recurrent": ("cars and lights against drones", {
        "critic": _remembers("GRU", 6, team_reward="SUM"),
        "ppo": {"minibatch_size": 9, "value_norm_update": "PER_MINIBATCH"}}),
    "multi_discrete": ("builders", {
        "policy": {"hidden_layer_norm": True}, "ppo": {"minibatch_size": 10, "entropy_coefficient": 0.1}}),
    "multi_discrete_of_each_agent_decoupled": ("builders", {
        "policy": {"sharing": "PER_AGENT"}, "critic": {"heads": "EACH_AGENT"},
        "ppo": {"lag_correction": "DECOUPLED", "max_gradient_norm": 0.3, "entropy_coefficient": 0.05,
                "adam_epsilon": 0.001}}),
    "multi_discrete_in_partitions_stops_by_kl": ("builders", {
        "policy": {"sharing": "PARTITIONED", "partition": [1, 0, 1]},
        "ppo": {"epochs": 10, "target_kl": 0.03, "adam_epsilon": 0.01}}),
    "every_kind_of_action_v_trace": ("every kind", {
        "group_policies": {"builders": {"hidden_sizes": [7]}, "tower": {"sharing": "PER_AGENT"}},
        "ppo": {"lag_correction": "V_TRACE", "minibatch_size": 8, "entropy_coefficient": 0.05}}),
    "gru_multi_discrete_beside_others": ("every kind", {
        "collection": {"sequence_length": 3},
        "policy": _remembers("GRU", 5),
        "critic": _remembers("LSTM", 6, heads="EACH_AGENT"),
        "ppo": {"minibatch_size": 9, "entropy_coefficient": 0.05, "adam_epsilon": 0.01}}),
    "attention_of_a_team": ("two groups", {
        "critic": _attends(2, 6, activation="TANH", hidden_sizes=[7]), "ppo": {"adam_epsilon": 0.001}}),
    "attention_in_two_layers_v_trace": ("extras alone", {
        "critic": _attends(3, 9, heads="EACH_AGENT", attention_layers=2, agent_id_input=True, death_masking=True),
        "ppo": {"lag_correction": "V_TRACE", "dead_agents": "ZERO", "minibatch_size": 9, "adam_epsilon": 0.01}}),
    "attention_with_norms": ("one pair", {
        "critic": _attends(1, 8, heads="EACH_AGENT", input_layer_norm=True, hidden_layer_norm=True),
        "ppo": {"value_norm_update": "PER_MINIBATCH", "minibatch_size": 16, "adam_epsilon": 0.01}}),
    "attention_of_two_teams": ("cars and lights against drones", {
        "critic": _attends(2, 6, team_reward="SUM", activation="TANH"),
        "ppo": {"minibatch_size": 9, "adam_epsilon": 0.01}}),
    "dead_agents_are_zeros": ("two groups", {
        "critic": {"death_masking": True, "team_reward": "MEAN_LIVING"}, "ppo": {"minibatch_size": 8}}),
    "dead_agents_are_zeros_in_their_rows": ("two groups", {
        "critic": {"death_masking": True, "heads": "EACH_AGENT", "input": "AGENT_SPECIFIC_STATE"}}),
    "talk_with_ids": ("two groups", {
        "collection": {"sequence_length": 3},
        "policy": {"message_size": 3, "agent_id_input": True},
        "ppo": {"minibatch_size": 9, "adam_epsilon": 0.01}}),
    "talk_apart_in_partitions_v_trace": ("two groups", {
        "collection": {"sequence_length": 8},
        "policy": {"message_size": 2, "concatenate_messages": True, "sharing": "PARTITIONED", "partition": [0],
                   "hidden_layer_norm": True},
        "group_policies": {name: {"partition": PARTITIONS[name]} for name in ("cars", "lights")},
        "ppo": {"lag_correction": "V_TRACE", "adam_epsilon": 0.01}}),
    "talk_with_gru_beside_the_silent": ("extras alone", {
        "collection": {"sequence_length": 4},
        "policy": _remembers("GRU", 5, message_size=2, sharing="PER_AGENT"),
        "critic": _remembers("GRU", 5, heads="EACH_AGENT"),
        "group_policies": {"a": {"message_size": 0}, "c": {"recurrent_cell": "LSTM", "concatenate_messages": True}},
        "ppo": {"lag_correction": "DECOUPLED", "minibatch_size": 8, "adam_epsilon": 0.01}}),
    "talk_of_gaussians": ("pilots", {
        "collection": {"sequence_length": 4},
        "policy": {"message_size": 2, "input_layer_norm": True},
        "ppo": {"epochs": 6, "target_kl": 0.03, "entropy_coefficient": 0.05, "adam_epsilon": 0.01}}),
    "options_of_a_team": ("two groups", {
        "group_policies": {"cars": {"num_options": 3, "option_steps": 3}},
        "ppo": {"minibatch_size": 9, "adam_epsilon": 0.01}}),
    "options_of_each_agent": ("two groups", {
        "policy": {"num_options": 2, "option_steps": 4, "agent_id_input": True},
        "group_policies": {"cars": {"num_options": 3, "option_steps": 2, "sharing": "PER_AGENT"}},
        "critic": {"heads": "EACH_AGENT"},
        "ppo": {"dead_agents": "ZERO", "manager_discount": 0.9, "manager_entropy_coefficient": 0.05,
                "adam_epsilon": 0.01}}),
    "options_decoupled_with_norms": ("extras alone", {
        "policy": {"num_options": 4, "option_steps": 2, "hidden_layer_norm": True},
        "group_policies": {"a": {"num_options": 0}},
        "critic": {"heads": "EACH_AGENT", "input": "LOCAL_OBSERVATION"},
        "ppo": {"lag_correction": "DECOUPLED", "importance_cap": 1.05, "minibatch_size": 8, "target_kl": 0.05,
                "value_norm_update": "PER_MINIBATCH", "adam_epsilon": 0.01}}),
    "options_of_gaussians": ("pilots", {
        "policy": {"num_options": 3, "option_steps": 3, "input_layer_norm": True},
        "critic": _remembers("GRU", 5),
        "ppo": {"minibatch_size": 9, "entropy_coefficient": 0.05, "adam_epsilon": 0.01}}),
}


def all_cases():
    """(name, scene, changes) of every case."""
    cases = []
    for name, (scene, own) in BY_HAND.items():
        cases.append((name, SCENES[scene], by_hand(own)))
    for number, picks in enumerate(all_picks()):
        words = [picks["critic"], picks["lag"], picks["sharing"]]
        words += [] if picks["norms"] == "none" else [picks["norms"] + " norm"]
        name = f"pair{number:02d}_" + "_".join(words).replace(",", "").replace("-", "").replace(" ", "_")
        cases.append((name, SCENES[picks["scene"]], changes_of(picks)))
    # A case's number draws its random numbers: new ones come last, so that the others stay.
    for name, (scene, own) in LATER_BY_HAND.items():
        cases.append((name, {**SCENES, **LATER_SCENES}[scene], by_hand(own)))
    cases += [(name, {**SCENES, **LATER_SCENES}[scene], own) for name, (scene, own) in JOINT_CASES.items()]
    return cases


# Of who learns values from a replay.
VALUES_USUAL = {
    "policy": {"hidden_sizes": [8, 5]},
    "q_learning": {"learning_rate": 0.01, "learning_starts": 1, "replay_bytes": 20000000, "minibatch_size": 12,
                   "gradient_steps": 3, "target_interval": 2},
}
VALUES_BY_HAND = {
    "iql_three_steps": ("two groups", "iql", {
        "q_learning": {"n_step": 3, "discount": 0.8, "adam_epsilon": 0.001}}),
    "vdn_of_each_agent_prioritised": ("extras alone", "vdn", {
        "policy": {"sharing": "PER_AGENT"}, "critic": {"team_reward": "MEAN_LIVING"},
        "q_learning": {"priority_exponent": 0.7, "n_step": 2, "double_q": False, "max_gradient_norm": 0.3,
                       "adam_epsilon": 0.01}}),
    "qmix_annealed": ("one pair", "qmix", {
        "critic": {"team_reward": "SUM"},
        "q_learning": {"mixer_embedding": 4, "hypernetwork_size": 5, "target_rate": 0.3, "anneal_learning_rate": True,
                       "adam_epsilon": 0.001, "reward_scale": 0.5}}),
    "qmix_linear_hypernetworks_prioritised": ("two groups", "qmix", {
        "q_learning": {"mixer_embedding": 3, "hypernetwork_size": 0, "priority_exponent": 0.5,
                       "final_importance_exponent": 0.8, "adam_epsilon": 0.001}}),
    "iql_gru_burn_in": ("two groups", "iql", {
        "collection": {"sequence_length": 4},
        "policy": _remembers("GRU", 6, agent_id_input=True),
        "q_learning": {"minibatch_size": 30, "burn_in": 1, "n_step": 2, "adam_epsilon": 0.001}}),
    "vdn_lstm_over_pieces": ("one pair", "vdn", {
        "collection": {"sequence_length": 5},
        "policy": _remembers("LSTM", 5, activation="TANH"),
        "q_learning": {"replay_sequence_length": 9, "minibatch_size": 40, "n_step": 3, "adam_epsilon": 0.001}}),
    "vdn_gru_of_each_agent_prioritised": ("two groups", "vdn", {
        "collection": {"sequence_length": 3},
        "policy": _remembers("GRU", 5, sharing="PER_AGENT"),
        "q_learning": {"replay_sequence_length": 6, "burn_in": 2, "minibatch_size": 30, "priority_exponent": 0.6,
                       "priority_max_share": 0.7, "priority_offset": 0.01, "adam_epsilon": 0.01}}),
    "qmix_gru_beside_feed_forward": ("extras alone", "qmix", {
        "collection": {"sequence_length": 4},
        "policy": _remembers("GRU", 5),
        "group_policies": {"b": {"recurrent_cell": "FEED_FORWARD"}},
        "q_learning": {"mixer_embedding": 3, "hypernetwork_size": 4, "minibatch_size": 16, "n_step": 2,
                       "target_rate": 0.2, "adam_epsilon": 0.001}}),
    "qmix_of_normed_states": ("two groups", "qmix", {
        "q_learning": {"mixer_embedding": 3, "hypernetwork_size": 4, "mixer_state_layer_norm": True, "target_rate": 0.3,
                       "adam_epsilon": 0.001}}),
}


def value_cases():
    """(name, scene, changes) of the cases of IQL, VDN and QMIX."""
    cases = []
    for name, (scene, algorithm, own) in VALUES_BY_HAND.items():
        changes = {**own, **{section: {**usual, **own.get(section, {})} for section, usual in VALUES_USUAL.items()}}
        cases.append((name, SCENES[scene], {"algorithm": {"name": f'"{algorithm}"'}, **changes}))
    return cases
