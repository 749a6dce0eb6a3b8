"""Settings of a case as one dictionary: the defaults that proto/experiment.proto states, and the textproto of what a
case sets otherwise."""

NETWORK = {
    "hidden_sizes": [64, 64],
    "activation": "RELU",
    "input_layer_norm": False,
    "hidden_layer_norm": False,
    "recurrent_cell": "FEED_FORWARD",
    "recurrent_size": 64,
}
DEFAULTS = {
    "collection": {"sequence_length": 10},
    "policy": {**NETWORK, "sharing": "SHARED", "partition": [], "agent_id_input": False,
               "distribution": None, "state_dependent_std": False, "message_size": 0, "concatenate_messages": False,
               "num_options": 0, "option_steps": 8},
    "critic": {
        **NETWORK,
        "input": "GLOBAL_STATE",
        "heads": "TEAM",
        "agent_id_input": False,
        "team_reward": "MEAN_ALL",
        "attention_heads": 0,
        "attention_layers": 1,
        "token_size": 64,
        "death_masking": False,
    },
    "ppo": {
        "actor_learning_rate": 5e-4,
        "critic_learning_rate": 5e-4,
        "adam_epsilon": 1e-5,
        "weight_decay": 0.0,
        "anneal_learning_rate": False,
        "discount": 0.99,
        "gae_lambda": 0.95,
        "clip": 0.2,
        "entropy_coefficient": 0.01,
        "final_entropy_coefficient": None,
        "value_coefficient": 1.0,
        "value_loss": "HUBER",
        "huber_delta": 10.0,
        "clip_value": True,
        "value_normalization": True,
        "advantage_normalization": True,
        "advantage_normalization_per_agent": False,
        "max_gradient_norm": 10.0,
        "epochs": 10,
        "minibatch_size": 0,
        "target_kl": 0.0,
        "lag_correction": "NONE",
        "vtrace_rho_clip": 1.0,
        "vtrace_c_clip": 1.0,
        "reward_scale": 1.0,
        "dead_agents": "BOOTSTRAP",
        "schedule_env_steps": 0,
        "value_norm_update": "PER_UPDATE",
        "importance_cap": 10.0,
        "noise_scale": 1.0,
        "update_order": "TOGETHER",
        "manager_discount": None,
        "manager_entropy_coefficient": None,
    },
    "algorithm": {"name": '"mappo"'},
    "maddpg": {
        "actor_learning_rate": 1e-4,
        "critic_learning_rate": 1e-3,
        "adam_epsilon": 1e-5,
        "max_gradient_norm": 10.0,
        "discount": 0.99,
        "n_step": 1,
        "minibatch_size": 256,
        "gradient_steps": 16,
        "target_rate": 0.01,
        "action_noise": 0.3,
        "final_action_noise": 0.05,
        "epsilon": 1.0,
        "final_epsilon": 0.05,
        "exploration_env_steps": 50000,
        "temperature": 1.0,
        "output_penalty": 1e-3,
        "joint_actions_of_actors": False,
        "discrete_gradient": "STRAIGHT_THROUGH",
        "anneal_learning_rate": False,
        "reward_scale": 1.0,
        "policy_delay": 2,
        "target_noise": 0.2,
        "target_noise_clip": 0.5,
    },
    "q_learning": {
        "learning_rate": 5e-4,
        "adam_epsilon": 1e-5,
        "max_gradient_norm": 10.0,
        "discount": 0.99,
        "n_step": 1,
        "minibatch_size": 256,
        "gradient_steps": 16,
        "target_interval": 200,
        "target_rate": None,
        "double_q": True,
        "epsilon": 1.0,
        "final_epsilon": 0.05,
        "epsilon_env_steps": 50000,
        "reward_scale": 1.0,
        "mixer_embedding": 32,
        "hypernetwork_size": 64,
        "priority_exponent": 0.0,
        "importance_exponent": 0.4,
        "final_importance_exponent": 1.0,
        "priority_offset": 1e-6,
        "priority_max_share": 0.9,
        "replay_sequence_length": None,
        "burn_in": 0,
        "anneal_learning_rate": False,
        "mixer_state_layer_norm": False,
    },
}


def complete(changes):
    """`changes` (section → field → value) over the defaults, and group_policies over the policy."""
    sections = {name: {**fields, **changes.get(name, {})} for name, fields in DEFAULTS.items()}
    sections["seed"] = changes.get("seed", 1)
    sections["group_policies"] = {
        group: {**sections["policy"], "partition": [], **own}
        for group, own in changes.get("group_policies", {}).items()
    }
    return sections


def policy_of(settings, group):
    return settings["group_policies"].get(group, settings["policy"])


def textproto(changes):
    """The fields a case sets, as the learner reads them."""
    parts = [f"seed: {changes['seed']}"] if "seed" in changes else []
    for section in ("collection", "policy", "critic", "ppo", "algorithm", "maddpg", "q_learning"):
        if changes.get(section):
            parts.append(f"{section} {{ {_fields(changes[section])} }}")
    for group, own in changes.get("group_policies", {}).items():
        parts.append(f'group_policies {{ key: "{group}" value {{ {_fields(own)} }} }}')
    return " ".join(parts)


def _fields(fields):
    return " ".join(f"{name}: {_value(value)}" for name, value in fields.items() if value is not None)


def _value(value):
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("'", "")
