"""Tables of a report: what was reached, against baselines, and in which settings groups differ."""

from __future__ import annotations

from collections.abc import Sequence

from troupe.report.groups import Group, differences, mean_and_half_width
from troupe.report.page import Cell, table
from troupe.report.svg import duration
from troupe.runs.curves import points
from troupe.runs.run import Record, Run

_LAST_EVALUATIONS = 3  # whose mean is a run's score, as `learner sweep` has it by default


def number(value: float, like: float | None = None) -> str:
    """With the digits that a number of the size of `like` (else of the value) gets."""
    size = abs(value if like is None else like)
    return (
        f"{value:,.0f}"
        if size >= 1000
        else f"{value:.1f}" if size >= 100 else f"{value:.2f}" if size >= 1 else f"{value:.3f}"
    )


def plus_minus(mean: float, half: float | None) -> str:
    return number(mean) if half is None else f"{number(mean)} ± {number(half, mean)}"


def score(run: Run, statistic: str) -> float | None:
    """The mean over the last evaluations; without evaluations, of the last tenth of training episodes."""
    path = () if statistic in ("episode_return", "episode_length") else ("statistics",)
    last = points(run.evaluations, *path, statistic)[-_LAST_EVALUATIONS:]
    if not last:
        curve = points(run.updates, "episodes", *path, statistic)
        last = curve[-max(1, len(curve) // 10) :]
    return sum(value for _, value in last) / len(last) if last else None


def summary(groups: Sequence[Group], statistic: str, smaller_is_better: bool) -> str:
    means: dict[str, float] = {}
    rows: list[list[Cell]] = []
    for group in groups:
        scores = [value for value in (score(run, statistic) for run in group.runs) if value is not None]
        mean, half = mean_and_half_width(scores) if scores else (None, None)
        if mean is not None:
            means[group.label] = mean
        seconds = group.wall_seconds
        steps = max(run.env_steps for run in group.runs)
        seeds = ", ".join(str(run.seed) for run in group.runs)
        runs = f"{len(group.runs)} (seed{'s' if len(group.runs) > 1 else ''} {seeds})"
        rows.append(
            [
                (group.label, False),
                (runs, False),
                ("–" if mean is None else plus_minus(mean, half), False),
                (f"{steps:,}", False),
                (duration(seconds), False),
                (f"{steps / seconds:,.0f}" if seconds else "–", False),
            ]
        )
    if len(means) > 1:
        best = (min if smaller_is_better else max)(means, key=means.__getitem__)
        for row, group in zip(rows, groups):
            row[2] = (row[2][0], group.label == best)
    return table(["", "runs", statistic, "environment steps", "time", "steps/s"], rows)


def baselines(groups: Sequence[Group], statistic: str, smaller_is_better: bool) -> str | None:
    """The final tables (evaluation.json), the trained players first; None where no run has one."""
    tables = [run.table for group in groups for run in group.runs if run.table]
    if not tables:
        return None
    figures: list[str] = tables[0]["figures"]
    players: dict[str, dict[str, tuple[float, float | None]]] = {}
    for group in groups:
        own = [_trained(run.table) for run in group.runs if run.table]
        summaries = [player["summary"] for player in own if player]
        if not summaries:
            continue
        players[group.label] = {}
        for figure in figures:
            means = [of[figure]["mean"] for of in summaries if of.get(figure) and of[figure]["mean"] is not None]
            if len(means) == 1:
                of = summaries[0][figure]
                players[group.label][figure] = (of["mean"], of["half_width_95"])
            elif means:
                players[group.label][figure] = mean_and_half_width(means)
    for player in tables[0]["players"]:
        if "actor_file" not in player:
            players[player["name"].replace("_", " ")] = {
                figure: (of["mean"], of["half_width_95"])
                for figure, of in player["summary"].items()
                if of["mean"] is not None
            }
    rows: list[list[Cell]] = []
    known = {name: of[statistic][0] for name, of in players.items() if statistic in of}
    best = (min if smaller_is_better else max)(known, key=known.__getitem__) if known else None
    for name, of in players.items():
        cells = [plus_minus(*of[figure]) if figure in of else "–" for figure in figures]
        rows.append([(name, False), *((cell, name == best and f == statistic) for cell, f in zip(cells, figures))])
    return table(["player", *figures], rows)


def rules_of(groups: Sequence[Group], statistic: str) -> list[tuple[str, float]]:
    """The baselines' means of one statistic."""
    tables = [run.table for group in groups for run in group.runs if run.table]
    if not tables:
        return []
    return [
        (player["name"].replace("_", " "), player["summary"][statistic]["mean"])
        for player in tables[0]["players"]
        if "actor_file" not in player and player["summary"].get(statistic, {}).get("mean") is not None
    ]


def settings(groups: Sequence[Group]) -> str | None:
    """The fields in which the groups differ; None where there is nothing to tell."""
    own = [group.runs[0].settings for group in groups]
    fields = [field for field in differences(own) if field not in ("seed",)]
    if len(groups) < 2 or not fields:
        return None
    rows: list[list[Cell]] = [[(field, False), *((of.get(field, "–"), False) for of in own)] for field in fields]
    return table(["setting", *(group.label for group in groups)], rows, words=True)


def _trained(of: Record | None) -> Record | None:
    """The trained player of a final table."""
    return next((player for player in (of or {}).get("players", ()) if "actor_file" in player), None)
