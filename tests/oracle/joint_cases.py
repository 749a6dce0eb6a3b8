"""Cases of critics of joint actions: MADDPG and MATD3, a scene and settings each."""

MADDPG = {"learning_starts": 1, "minibatch_size": 24, "gradient_steps": 3, "target_rate": 0.2,
          "actor_learning_rate": 0.01, "critic_learning_rate": 0.006, "adam_epsilon": 0.01}
USUAL = {"policy": {"hidden_sizes": [8, 5]}, "critic": {"hidden_sizes": [9, 6], "heads": "EACH_AGENT"}}


def _of(algorithm, maddpg, **own):
    """The usual settings with a case's own in their place."""
    sections = {name: {**fields, **own.pop(name, {})} for name, fields in USUAL.items()}
    return {**sections, **own, "algorithm": {"name": f'"{algorithm}"'}, "maddpg": {**MADDPG, **maddpg}}


JOINT_CASES = {
    "maddpg_of_each_agent": ("pilots", _of("maddpg", {"output_penalty": 0.1}, policy={"sharing": "PER_AGENT"})),
    "maddpg_of_a_team_in_three_steps": ("pilots and tower", _of(
        "maddpg", {"n_step": 3, "joint_actions_of_actors": True, "discount": 0.9, "reward_scale": 0.4},
        critic={"heads": "TEAM", "team_reward": "MEAN_LIVING"}, policy={"agent_id_input": True})),
    "maddpg_by_gumbel_numbers": ("two groups", _of(
        "maddpg", {"temperature": 0.7, "n_step": 2}, policy={"activation": "TANH"}, critic={"activation": "TANH"},
        group_policies={"cars": {"sharing": "PARTITIONED", "partition": [1, 0, 1], "hidden_sizes": [7]}})),
    "maddpg_of_indices_and_dead_agents": ("builders", _of(
        "maddpg", {"max_gradient_norm": 0.1}, critic={"heads": "TEAM", "team_reward": "SUM"})),
    "matd3_of_each_agent": ("pilots and tower", _of("matd3", {}, policy={"sharing": "PER_AGENT"}, seed=5)),
    "matd3_greedy_team": ("two groups", _of(
        "matd3", {"policy_delay": 1, "joint_actions_of_actors": True, "target_noise": 0.5},
        critic={"heads": "TEAM"}, policy={"distribution": "EPSILON_GREEDY"})),
    "matd3_with_norms": ("pilots", _of(
        "matd3", {"gradient_steps": 4, "target_noise_clip": 0.1},
        policy={"hidden_layer_norm": True, "input_layer_norm": True, "activation": "TANH"},
        critic={"hidden_layer_norm": True, "activation": "TANH"})),
    "maddpg_by_values_of_all_choices": ("builders", _of(
        "maddpg", {"discrete_gradient": "EXPECTED", "temperature": 1.3, "anneal_learning_rate": True})),
    "matd3_team_by_values_beside_slopes": ("pilots and tower", _of(
        "matd3", {"discrete_gradient": "EXPECTED", "joint_actions_of_actors": True, "output_penalty": 0.1},
        critic={"heads": "TEAM"})),
}
