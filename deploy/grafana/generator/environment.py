"""The environment's own statistics, by name and by agent: waiting time of each junction, for example."""

from generator.blocks import RUN, bars, board, choice, graph, of_run, query, row


def statistic(series, by="run, name"):
    return of_run(series + '{name=~"$statistic"}', by)


def of_agents(series):
    return of_run(series + '{name=~"$agent_statistic"}', "run, agent, name")


def make():
    joined = "label_values(%s, name)"
    made = board(
        "troupe-environment",
        "Troupe: environment",
        "The environment's own statistics, by name and by agent.",
        [
            choice("statistic", "Statistic", joined % "troupe_episode_statistic", "What every episode reports"),
            choice(
                "agent_statistic",
                "Agents' statistic",
                joined % "troupe_episode_agent_statistic",
                "What every episode reports of each agent",
            ),
        ],
    )
    made.with_row(row("Episodes"))
    for what, series in (("training", "troupe_episode"), ("evaluation", "troupe_evaluation")):
        made.with_panel(
            graph(
                f"Return, {what}",
                "Mean undiscounted return of an agent of the group.",
                "number",
                [query(of_run(f"{series}_return", "run, agent_group"), "{{agent_group}} {{run}}")],
                width=6,
            )
        )
        made.with_panel(
            graph(
                f"Length, {what}",
                "Environment steps of an episode.",
                "number",
                [query(of_run(f"{series}_length"), "{{run}}")],
                width=6,
                low=0,
            )
        )
    made.with_row(row("Statistics"))
    made.with_panel(
        graph(
            "$statistic",
            "Mean over the episodes that ended since the last update (they explore), and of the newest evaluation.",
            "number",
            [
                query(statistic("troupe_episode_statistic"), "training {{run}}"),
                query(statistic("troupe_evaluation_statistic"), "evaluation {{run}}"),
            ],
            width=8,
        )
        .repeat("statistic")
        .repeat_direction("h")
    )
    made.with_row(row("Agents"))
    made.with_panel(
        graph(
            "$agent_statistic of each agent, training",
            "Mean over the episodes that ended since the last update. In traffic an agent "
            "is a junction. Empty for environments without statistics of agents.",
            "number",
            [query(of_agents("troupe_episode_agent_statistic"), "{{agent}} {{run}}")],
            width=8,
            low=0,
        )
        .repeat("agent_statistic")
        .repeat_direction("h")
    )
    made.with_row(row("Agents in the newest evaluation"))
    made.with_panel(
        bars(
            "$agent_statistic of each agent, evaluation",
            "Of the newest evaluation: which junction is the worst?",
            "number",
            [query(of_agents("troupe_evaluation_agent_statistic"), "{{agent}} {{run}}", instant=True)],
            width=8,
            height=10,
        )
        .repeat("agent_statistic")
        .repeat_direction("h")
    )
    return made
