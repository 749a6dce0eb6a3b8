"""Workers: what they collect, what they wait for, how they are connected, what they take."""

from generator.blocks import GREEN, YELLOW, board, graph, of_run, of_workers, percentiles, query, rate, row, thresholds

EACH = "run, instance"
PARTS = ("environment", "inference", "waiting")


def each(title, description, unit, series, **more):
    return graph(title, description, unit, [query(of_workers(series, EACH), "{{instance}}")], low=0, **more)


def make():
    made = board(
        "troupe-workers",
        "Troupe: workers",
        "What workers collect, what they wait for, how they are connected, what they take.",
    )
    made.with_row(row("Collecting"))
    made.with_panel(
        each(
            "Steps",
            "Environment steps per second of each worker.",
            "steps/s",
            rate("troupe_worker_env_steps_total"),
            stacked=True,
        )
    )
    made.with_panel(
        graph(
            "Shares of time",
            "All rollout threads together: stepping environments, choosing actions, waiting (for weights or"
            " acknowledgements). Waiting is what the learner or the network costs.",
            "share",
            [
                query(
                    of_workers(rate(f"troupe_worker_{part}_seconds_total"))
                    + "\n/ on (run) ("
                    + "\n + ".join(of_workers(rate(f"troupe_worker_{other}_seconds_total")) for other in PARTS)
                    + ")",
                    f"{part} {{{{run}}}}",
                )
                for part in PARTS
            ],
            stacked=True,
            low=0,
            high=1,
        )
    )
    made.with_panel(
        each(
            "Waiting",
            "Rollout threads waiting, seconds per second, of each worker. One that waits less than others is slower.",
            "number",
            rate("troupe_worker_waiting_seconds_total"),
        )
    )
    made.with_panel(
        graph(
            "Slowest worker",
            "Its mean time for a chunk, as a multiple of the others' median. SYNCHRONOUS and PIPELINED runs go at its"
            " pace; from 3 on, when the others wait for it, the learner's log names it.",
            "number",
            [query(of_run("troupe_slowest_worker_ratio"), "{{run}}")],
            low=0,
            limits=thresholds((GREEN, None), (YELLOW, 3)),
        )
    )
    made.with_panel(
        each(
            "Time of a chunk, by worker",
            "Mean, from the first step to the last of one chunk.",
            "seconds",
            rate('troupe_worker_stage_seconds_sum{stage="collect"}')
            + "\n  / "
            + rate('troupe_worker_stage_seconds_count{stage="collect"}'),
        )
    )
    made.with_panel(
        graph(
            "Without a shard",
            "Connected workers with nothing to collect: there are more workers than shards (collection.num_shards).",
            "count",
            [query(of_run("troupe_workers_without_shard"), "{{run}}")],
            low=0,
            limits=thresholds((GREEN, None), (YELLOW, 1)),
        )
    )
    made.with_panel(
        graph(
            "Time of a chunk",
            "From the first step to the last of one chunk.",
            "seconds",
            percentiles(
                "troupe_worker_stage_seconds",
                [],
                lambda e, b: of_workers(e.replace("_bucket[", '_bucket{stage="collect"}['), b),
            ),
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Time to acknowledgement",
            "From collected to admitted by the learner: the network, and waiting for a place in a batch.",
            "seconds",
            [
                query(
                    "histogram_quantile(0.95,\n "
                    + of_workers(rate('troupe_worker_stage_seconds_bucket{stage="acknowledge"}'), "le, run, instance")
                    + ")",
                    "{{instance}} 95 %",
                )
            ],
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Applying weights",
            "New weights into the inference.",
            "seconds",
            percentiles(
                "troupe_worker_stage_seconds",
                [],
                lambda e, b: of_workers(e.replace("_bucket[", '_bucket{stage="apply_weights"}['), b),
            ),
            low=0,
        )
    )

    made.with_row(row("Connection"))
    made.with_panel(
        each(
            "Unacknowledged",
            "Chunks sent and not acknowledged.",
            "count",
            "troupe_worker_unacknowledged_chunks",
            width=6,
        )
    )
    made.with_panel(each("Shards", "Shards each worker has.", "count", "troupe_worker_leases", width=6, stacked=True))
    made.with_panel(
        graph(
            "Versions behind",
            "The learner's newest policy version minus the worker's.",
            "number",
            [
                query(
                    "clamp_min(on_learner - on (run) group_right () on_worker, 0)".replace(
                        "on_learner", of_run("troupe_policy_version")
                    ).replace("on_worker", of_workers("troupe_worker_policy_version", EACH)),
                    "{{instance}}",
                )
            ],
            width=6,
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Breaks",
            "Since the worker's start: streams opened again, chunks sent again, leases given up because the environment"
            " failed.",
            "count",
            [
                query(of_workers("troupe_worker_reconnects_total", EACH), "reconnects {{instance}}"),
                query(of_workers("troupe_worker_resends_total", EACH), "resends {{instance}}"),
                query(of_workers("troupe_worker_lease_failures_total", EACH), "lease failures {{instance}}"),
            ],
            width=6,
            low=0,
        )
    )

    made.with_row(row("Process"))
    made.with_panel(
        each("CPU", "Cores used by each worker.", "number", rate("process_cpu_seconds_total"), width=6, stacked=True)
    )
    made.with_panel(
        each("Memory", "Resident, of each worker.", "bytes", "process_resident_memory_bytes", width=6, stacked=True)
    )
    made.with_panel(
        each(
            "Evaluation episodes",
            "Played for evaluations since the worker's start.",
            "count",
            "troupe_worker_evaluation_episodes_total",
            width=6,
        )
    )
    made.with_panel(
        graph(
            "Restarts of local workers",
            "Started again by the learner that runs them; empty without --local_workers.",
            "count",
            [query(of_run("troupe_worker_restarts_total", "run, worker"), "{{worker}} {{run}}")],
            width=6,
            low=0,
        )
    )
    return made
