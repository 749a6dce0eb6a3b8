"""The report of some runs."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

from troupe.report import page as html
from troupe.report import tables
from troupe.report.chart import Bars, Chart, Line, Rule, in_reach
from troupe.report.groups import Group, group_runs
from troupe.report.svg import draw_bars, draw_chart
from troupe.runs.run import Run

_MOST_GROUPS = 8  # colours of the page
_MOST_CHARTS = 24  # of a section


@dataclasses.dataclass(frozen=True)
class Report:
    page: str
    charts: list[Chart | Bars]  # all that the page shows


def report_runs(runs: Sequence[Run], title: str = "") -> Report:
    """ValueError without runs, or with more than eight groups of them."""
    groups = group_runs(runs)
    if not groups:
        raise ValueError("no runs")
    if len(groups) > _MOST_GROUPS:
        raise ValueError(f"{len(groups)} groups of runs with other settings; a page shows {_MOST_GROUPS} at most")
    statistic, smaller = groups[0].runs[0].best_by
    names = list(dict.fromkeys(group.runs[0].name for group in groups))
    sections = [
        ("What was reached", _reached(groups, statistic, smaller)),
        ("Against baselines", tables.baselines(groups, statistic, smaller)),
        ("What differs", tables.settings(groups)),
    ]
    drawn: list[Chart | Bars] = []
    for heading, charts in (
        ("While training", _learnt(groups, statistic, smaller)),
        ("The update", _figures(groups, "statistics")),
        ("Speed", _speed(groups)),
        ("Where the time went", _stages(groups)),
    ):
        drawn += charts
        sections.append((heading, _show(groups, charts)))
    sections.append(("Settings", "".join(html.folded(group.label, group.runs[0].experiment) for group in groups)))
    shown = [(heading, content) for heading, content in sections if content]
    lead = f"{len(runs)} run{'s' if len(runs) > 1 else ''} of {', '.join(names)}"
    foot = (
        f"Lines are means over runs, bands reach from the lowest to the highest run, ± is half of a 95 % confidence "
        f"interval: over runs where there are several, else over episodes. {datetime.date.today().isoformat()}"
    )
    return Report(html.page(title or ", ".join(names), lead, shown, foot), drawn)


def _reached(groups: Sequence[Group], statistic: str, smaller: bool) -> str:
    direction = "less" if smaller else "more"
    words = f"{statistic}, of which {direction} is better: the mean of each run's last evaluations."
    return html.paragraph(words, "soft") + tables.summary(groups, statistic, smaller)


def _lines(groups: Sequence[Group], which: str, *path: str, **how: bool) -> tuple[Line, ...]:
    lines = (Line(group.label, color, group.band(which, *path), **how) for color, group in enumerate(groups))
    return tuple(line for line in lines if line.band.steps)


def _learnt(groups: Sequence[Group], statistic: str, smaller: bool) -> list[Chart | Bars]:
    """The statistic that counts first, then the return, then the environment's others."""
    others = dict.fromkeys(
        name
        for group in groups
        for which, key in (("evaluations", "statistics"), ("updates", "episodes.statistics"))
        for name in group.names(which, key)
    )
    charts: list[Chart | Bars] = []
    for name in list(dict.fromkeys((statistic, "episode_return", "episode_length", *others)))[:_MOST_CHARTS]:
        path = () if name in ("episode_return", "episode_length") else ("statistics",)
        evaluated = _lines(groups, "evaluations", *path, name, dots=True)
        trained = _lines(groups, "updates", "episodes", *path, name, faint=bool(evaluated))
        if not evaluated and not trained:
            continue
        rules = in_reach((Rule(*rule) for rule in tables.rules_of(groups, name)), (*evaluated, *trained))
        direction = f" ({'less' if smaller else 'more'} is better)" if name == statistic else ""
        charts.append(Chart(f"episodes_{name}", name + direction, (*trained, *evaluated), rules))
    return charts


def _figures(groups: Sequence[Group], key: str) -> list[Chart | Bars]:
    names = dict.fromkeys(name for group in groups for name in group.names("updates", key))
    return [Chart(f"{key}_{name}", name, _lines(groups, "updates", key, name)) for name in list(names)[:_MOST_CHARTS]]


def _speed(groups: Sequence[Group]) -> list[Chart | Bars]:
    charts = [
        Chart(
            "env_steps_per_second",
            "environment steps per second",
            _lines(groups, "updates", "env_steps_per_second"),
            from_zero=True,
        ),
        Chart("policy_lag", "policy lag, updates", _lines(groups, "updates", "policy_lag"), from_zero=True),
    ]
    return [chart for chart in charts if chart.lines]


def _stages(groups: Sequence[Group]) -> list[Chart | Bars]:
    """The training thread's: shares of the whole, then seconds of each update."""
    stages = list(dict.fromkeys(name for group in groups for name in group.names("updates", "stage_seconds")))
    if not stages:
        return []
    rows = []
    for group in groups:
        seconds = [group.total("stage_seconds", stage) for stage in stages]
        rows.append((group.label, (*seconds, max(0.0, group.wall_seconds - sum(seconds)))))
    bars = Bars("stages", "the training thread", (*stages, "other"), tuple(rows))
    each = [
        Chart(
            f"stage_{stage}",
            f"{stage}, seconds per update",
            _lines(groups, "updates", "stage_seconds", stage),
            from_zero=True,
        )
        for stage in stages
    ]
    return [bars, *each]


def _show(groups: Sequence[Group], charts: Sequence[Chart | Bars]) -> str:
    if not charts:
        return ""
    legend = ""
    if len(groups) > 1:
        legend = html.legend([(f"line c{color}", group.label) for color, group in enumerate(groups)], "line")
    if any(line.faint for chart in charts if isinstance(chart, Chart) for line in chart.lines):
        legend += html.paragraph("Strong with dots: evaluations. Pale: training episodes. Dashed: baselines.", "soft")
    figures = []
    for chart in charts:
        if isinstance(chart, Chart):
            figures.append(html.figure(chart.title, draw_chart(chart)))
        else:
            parts = html.legend([(f"p{part}", name) for part, name in enumerate(chart.parts)])
            figures.append(html.figure(chart.title, parts + draw_bars(chart)))
    return legend + html.charts(figures)
