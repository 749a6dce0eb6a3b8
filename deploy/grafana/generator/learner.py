"""The learner from the inside: its thread, the stages of a chunk's life, losses, guards, the process."""

from generator.blocks import RUN, board, graph, of_run, percentiles, query, rate, row, thresholds, YELLOW, GREEN, RED


def by(label, series, unit_legend=None):
    return [query(of_run(rate(series), f"run, {label}"), f"{{{{{label}}}}} {{{{run}}}}")]


def gauge(title, description, series, **more):
    return graph(title, description, "number", [query(of_run(series), "{{run}}")], width=6, height=7, **more)


def thread(made):
    made.with_row(row("Training thread"))
    made.with_panel(
        graph(
            "Training thread",
            "Seconds of each second spent waiting for a batch, updating, publishing; other: evaluation and "
            "checkpoint snapshots, records.",
            "share",
            by("state", "troupe_training_seconds_total"),
            stacked=True,
            low=0,
            high=1,
        )
    )
    made.with_panel(
        graph("Updates", "Updates per second.", "rate", [query(of_run(rate("troupe_updates_total")), "{{run}}")], low=0)
    )
    made.with_panel(
        graph(
            "Time of an update",
            "Values, advantages, epochs × minibatches of one batch.",
            "seconds",
            percentiles(
                "troupe_stage_seconds",
                ["stage"],
                lambda e, b: of_run(e.replace("_bucket[", '_bucket{stage="update"}['), b),
            ),
            low=0,
        )
    )


def stages(made):
    made.with_row(row("A chunk's life"))
    made.with_panel(
        graph(
            "Stages",
            "Time in each stage: admission (checks), queue (waiting for a place in a batch), assembly (copying), "
            "batch_wait (a full batch waiting for training), publish, snapshot, checkpoint.",
            "seconds",
            percentiles("troupe_stage_seconds", ["stage"]),
            width=12,
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Chunks",
            "Chunks received per second, by what became of them. Everything but admitted is lost work; duplicates come "
            "after reconnects.",
            "rate",
            by("result", "troupe_chunks_total"),
            width=12,
            stacked=True,
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Queues",
            "Chunks waiting for a place in a batch; full batches waiting for training.",
            "count",
            [query(of_run("troupe_queue_depth", "run, queue"), "{{queue}} {{run}}")],
            width=6,
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Policy lag",
            "Update minus policy version of admitted chunks, mean of five minutes, and the most there may be.",
            "number",
            [
                query(f"run:troupe_policy_lag:mean5m{RUN}", "{{run}} mean"),
                query(of_run("troupe_max_policy_lag"), "{{run}} most"),
            ],
            width=6,
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Received",
            "Bytes of admitted chunks per second.",
            "bytes/s",
            [query(of_run(rate("troupe_chunk_bytes_total")), "{{run}}")],
            width=6,
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Shards",
            "Shards by whether a worker has them.",
            "count",
            [query(of_run("troupe_shard_leases", "run, state"), "{{state}} {{run}}")],
            width=6,
            stacked=True,
            low=0,
        )
    )


def losses(made):
    made.with_row(row("Losses"))
    made.with_panel(gauge("Policy loss", "Of the newest update, as all in this row.", "troupe_update_policy_loss"))
    made.with_panel(
        gauge("Value loss", "In normalised units when value targets are normalised.", "troupe_update_value_loss")
    )
    made.with_panel(
        gauge("Entropy", "Of the actions, in nats: falls as the policy makes up its mind.", "troupe_update_entropy")
    )
    made.with_panel(
        gauge(
            "Approximate KL",
            "Between the policy that acted and the one that came out; above 0.05 the updates are rough.",
            "troupe_update_approx_kl",
            limits=thresholds((GREEN, None), (YELLOW, 0.05)),
        )
    )
    made.with_panel(gauge("Clipped", "Share of the ratios outside the clip range.", "troupe_update_clip_fraction"))
    made.with_panel(
        gauge(
            "Explained variance",
            "Of the value targets by the critic: 1 is perfect, 0 or less says the critic is no help.",
            "troupe_update_explained_variance",
            high=1,
            limits=thresholds((RED, None), (GREEN, 0)),
        )
    )
    made.with_panel(
        graph(
            "Gradient norms",
            "Before clipping.",
            "number",
            [
                query(of_run("troupe_update_actor_gradient_norm"), "actors {{run}}"),
                query(of_run("troupe_update_critic_gradient_norm"), "critic {{run}}"),
            ],
            width=6,
            height=7,
        )
    )
    made.with_panel(gauge("Learning rate", "The actors'.", "troupe_learning_rate"))


def guards(made):
    made.with_row(row("Guards"))
    made.with_panel(
        graph(
            "Not finite",
            "Since the start: minibatches left out because a gradient was not finite, times that the networks went "
            "back to a good state because of several such updates in a row, batches that could not be used, chunks "
            "refused as malformed or not finite. Zero is good.",
            "count",
            [
                query(of_run("troupe_skipped_minibatches_total"), "minibatches {{run}}"),
                query(of_run("troupe_rollbacks_total"), "rollbacks {{run}}"),
                query(of_run("troupe_update_errors_total"), "batches {{run}}"),
                query(of_run('troupe_chunks_total{result="invalid"}'), "chunks {{run}}"),
            ],
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Refused requests", "Per second, by reason.", "rate", by("reason", "troupe_rejected_requests_total"), low=0
        )
    )
    made.with_panel(
        graph(
            "Evaluations",
            "Evaluations since the start, by result.",
            "count",
            [query(of_run("troupe_evaluations_total", "run, result"), "{{result}} {{run}}")],
            low=0,
        )
    )


def process(made):
    made.with_row(row("Process and disk"))
    made.with_panel(
        graph(
            "CPU",
            "Cores used.",
            "number",
            [query(of_run(rate("process_cpu_seconds_total")), "{{run}}")],
            width=6,
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Memory", "Resident.", "bytes", [query(of_run("process_resident_memory_bytes"), "{{run}}")], width=6, low=0
        )
    )
    made.with_panel(
        graph(
            "Open files",
            "Sockets of workers included; and the most there may be.",
            "count",
            [query(of_run("process_open_fds"), "{{run}} open"), query(of_run("process_max_fds"), "{{run}} most")],
            width=6,
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Room on disk",
            "Where the run folder is.",
            "bytes",
            [
                query(of_run("troupe_run_folder_free_bytes"), "{{run}} free"),
                query(of_run("troupe_run_folder_size_bytes"), "{{run}} size"),
            ],
            width=6,
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Checkpoints",
            "Writes since the start, by result.",
            "count",
            [query(of_run("troupe_checkpoints_total", "run, result"), "{{result}} {{run}}")],
            width=12,
            low=0,
        )
    )
    made.with_panel(
        graph(
            "Weights",
            "Size of one published message of weights; every worker gets each.",
            "bytes",
            [query(of_run("troupe_weights_bytes"), "{{run}}")],
            width=12,
            low=0,
        )
    )


def make():
    made = board(
        "troupe-learner",
        "Troupe: learner",
        "The training thread, the stages of a chunk's life, losses, guards, the process.",
    )
    for part in (thread, stages, losses, guards, process):
        part(made)
    return made
