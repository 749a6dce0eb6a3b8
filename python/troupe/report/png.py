"""The same charts as PNG files, by matplotlib, which the package does not bring."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from troupe.report.chart import Bars, Chart, short

_COLORS = ("#1f5fa8", "#c2541c", "#2b7a4b", "#8a3f9b", "#9a6b00", "#00788a", "#b3275c", "#59626f")
_DOTS_PER_INCH = 150


def write_png(charts: Sequence[Chart | Bars], folder: str | os.PathLike[str]) -> list[Path]:
    """FOLDER/NAME.png of each. ImportError without matplotlib (pip install 'troupe[report]')."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = []
    for chart in charts:
        figure = Figure(figsize=(6.4, 4.0), dpi=_DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.set_title(chart.title, loc="left", fontsize=10, fontweight="bold")
        axes.spines[["top", "right"]].set_visible(False)
        if isinstance(chart, Chart):
            _draw_chart(axes, chart)
        else:
            _draw_bars(axes, chart)
        paths.append(Path(folder) / f"{chart.name}.png")
        figure.savefig(paths[-1])
    return paths


def _draw_chart(axes, chart: Chart) -> None:  # type: ignore[no-untyped-def]
    for line in chart.lines:
        color, alpha = _COLORS[line.color % len(_COLORS)], 0.45 if line.faint else 1
        label = None if line.faint else line.label
        axes.plot(
            line.band.steps,
            line.band.mean,
            color=color,
            alpha=alpha,
            label=label,
            linewidth=1 if line.faint else 1.8,
            marker="." if line.dots else None,
        )
        axes.fill_between(line.band.steps, line.band.low, line.band.high, color=color, alpha=0.15 * alpha, linewidth=0)
    for rule in chart.rules:
        axes.axhline(rule.value, color="#6b7280", linestyle="--", linewidth=0.8)
        axes.annotate(rule.label, (1.01, rule.value), xycoords=("axes fraction", "data"), fontsize=7, va="center")
    axes.set_ylim(*chart.bounds())
    axes.set_xlabel(chart.x_label)
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
    axes.grid(axis="y", color="#e5e8ec", linewidth=0.8)
    if len({line.label for line in chart.lines}) > 1:
        axes.legend(fontsize=7, frameon=False)


def _draw_bars(axes, bars: Bars) -> None:  # type: ignore[no-untyped-def]
    labels = [label for label, _ in bars.rows]
    left = [0.0] * len(labels)
    for part, name in enumerate(bars.parts):
        width = [100 * numbers[part] / (sum(numbers) or 1) for _, numbers in bars.rows]
        axes.barh(labels, width, left=left, color=_COLORS[part % len(_COLORS)], label=name)
        left = [at + more for at, more in zip(left, width)]
    axes.set_xlabel("% of the time")
    axes.invert_yaxis()
    axes.legend(fontsize=7, frameon=False, ncols=len(bars.parts), loc="lower center", bbox_to_anchor=(0.5, -0.4))
