"""Understood in ten seconds: does it learn, is it fast, is it healthy, who is waited for."""

from generator.blocks import (
    GREEN,
    RED,
    RUN,
    YELLOW,
    bars,
    board,
    figure,
    graph,
    listing,
    of_run,
    query,
    row,
    thresholds,
)

RECORDED = '{run=~"$run", experiment=~"$experiment"}'


def make():
    made = board("troupe-overview", "Troupe: overview", "Does it learn, is it fast, is it healthy, who is waited for?")
    plain = thresholds((GREEN, None))
    made.with_panel(
        figure(
            "Progress",
            "Environment steps trained on, of those the experiment asks for.",
            "share",
            query(f"run:troupe_progress:ratio{RECORDED}", "{{run}}"),
            plain,
            decimals=1,
            graphed=False,
        )
    )
    made.with_panel(
        figure(
            "Time left",
            "At the speed of the last minute; the final evaluation comes on top.",
            "seconds",
            query(
                of_run("(troupe_target_env_steps - troupe_trained_env_steps)")
                + f" / on (run) sum by (run) (run:troupe_env_steps:rate1m{RECORDED} > 0)",
                "{{run}}",
            ),
            plain,
            decimals=0,
            graphed=False,
        )
    )
    made.with_panel(
        figure(
            "Speed",
            "Environment steps admitted per second, all copies together, mean of a minute.",
            "steps/s",
            query(f"run:troupe_env_steps:rate1m{RECORDED}", "{{run}}"),
            thresholds((RED, None), (GREEN, 1)),
            decimals=0,
        )
    )
    made.with_panel(
        figure(
            "Workers missing",
            "Workers the run was started for that are not connected.",
            "count",
            query(
                of_run('clamp_min(troupe_expected_workers - on (job, instance) troupe_workers{state="connected"}, 0)'),
                "{{run}}",
            ),
            thresholds((GREEN, None), (YELLOW, 1)),
            graphed=False,
        )
    )
    made.with_panel(
        figure(
            "Alerts",
            "Alerts that fire now, of all runs; they are listed below.",
            "count",
            query('count(ALERTS{alertname=~"Troupe.*", alertstate="firing"}) or vector(0)', "firing"),
            thresholds((GREEN, None), (RED, 1)),
            graphed=False,
        )
    )
    made.with_panel(
        figure(
            "Checkpoint age",
            "Work that would be lost if the learner ended now.",
            "seconds",
            query(
                "time() - max by (run) (troupe_checkpoint_timestamp_seconds\n  * on (job, instance) group_left (run)"
                f" troupe_run_info{RUN})",
                "{{run}}",
            ),
            thresholds((GREEN, None), (YELLOW, 900), (RED, 1800)),
            decimals=0,
            graphed=False,
        )
    )

    made.with_panel(
        graph(
            "Does it learn: return",
            "Mean undiscounted return of an agent: of episodes as they are trained on, and of evaluations.",
            "number",
            [
                query(of_run("troupe_episode_return", "run, agent_group"), "{{run}} {{agent_group}} training"),
                query(of_run("troupe_evaluation_return", "run, agent_group"), "{{run}} {{agent_group}} evaluation"),
            ],
            width=12,
            height=9,
        )
    )
    made.with_panel(
        graph(
            "Who is waited for",
            "The training thread's time: learner: it computes. Environment, inference: it waits while workers step and"
            " act. Network: it waits while the workers wait too. The largest share is the bottleneck.",
            "share",
            [query(f"run:troupe_bottleneck:ratio1m{RECORDED}", "{{bottleneck}} {{run}}")],
            width=6,
            height=9,
            stacked=True,
            low=0,
            high=1,
        )
    )
    made.with_panel(
        bars(
            "Bottleneck now",
            "The same, mean of the last minute: the longest bar is what to improve.",
            "share",
            [query(f"avg by (bottleneck) (run:troupe_bottleneck:ratio1m{RECORDED})", "{{bottleneck}}", instant=True)],
            width=6,
            height=9,
            high=1,
        )
    )

    made.with_panel(
        graph(
            "Is it fast",
            "Environment steps per second, mean of a minute.",
            "steps/s",
            [query(f"run:troupe_env_steps:rate1m{RECORDED}", "{{run}}")],
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Workers",
            "Connected workers, and workers the run was started for.",
            "count",
            [
                query(f"run:troupe_workers_connected:sum{RECORDED}", "{{run}} connected"),
                query(of_run("troupe_expected_workers"), "{{run}} expected"),
            ],
            low=0,
        )
    )
    made.with_panel(
        listing(
            "Alerts that fire",
            "Each has a section in docs/runbook.md. Empty is good.",
            query('ALERTS{alertname=~"Troupe.*", alertstate="firing"}', "", instant=True),
        )
    )

    made.with_row(row("Runs"))
    made.with_panel(
        listing(
            "Runs there are", "What runs where.", query(f"troupe_run_info{RUN}", "", instant=True), width=24, height=5
        )
    )
    return made
