"""A learning curve beside the rules it is compared with, as SVG: on the left the main figure while training, on the
right the final table's, before (random play) and after."""

import html
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python"))

from troupe.report.chart import short, ticks  # noqa: E402
from troupe.runs.curves import thinned  # noqa: E402

WIDTH, HEIGHT = 960, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 590, 48, 360
BAR_LEFT, BAR_RIGHT = 790, 940
CURVE, EVALUATED, RULE, BEFORE = "#9db8d9", "#1f5fa8", "#6b7280", "#c2642d"


def text(x, y, words, anchor="start", size=13, color="#1c2430", weight="normal"):
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' "
        f"font-size='{size}' fill='{color}' font-weight='{weight}'>"
        f"{html.escape(words)}</text>"
    )


def line(x1, y1, x2, y2, color, extra=""):
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{color}' {extra}/>"


def series(records, name):
    return [(steps, figures[name]) for steps, figures in records if figures.get(name) is not None]


def bounds(values):
    low, high = min(values), max(values)
    margin = 0.06 * ((high - low) or abs(high) or 1)
    return low - margin, high + margin


def draw_curve(demo, training, evaluations, rules):
    main = demo.figures[0]
    curve, evaluated = thinned(series(training, main.name)), series(evaluations, main.name)
    points = curve + evaluated
    most_steps = max((steps for steps, _ in points), default=1)
    low, high = bounds([value for _, value in points] + list(rules.values()))

    def x(steps):
        return LEFT + (RIGHT - LEFT) * steps / most_steps

    def y(value):
        return BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low)

    parts = []
    for value in ticks(low, high):
        parts += [
            line(LEFT, y(value), RIGHT, y(value), "#e5e8ec"),
            text(LEFT - 8, y(value) + 4, short(value), "end", 12),
        ]
    for steps in ticks(0, most_steps, 5):
        parts.append(text(x(steps), BOTTOM + 18, short(steps), "middle", 12))
    parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 40, "environment steps", "middle"))
    # Names of rules that lie close to each other are moved apart.
    above = -math.inf
    for name, value in sorted(rules.items(), key=lambda rule: y(rule[1])):
        at = max(y(value) + 4, above + 14)
        above = at
        parts += [
            line(LEFT, y(value), RIGHT, y(value), RULE, "stroke-dasharray='5 4'"),
            text(RIGHT + 6, at, demo.player_label(name), size=11, color=RULE),
        ]
    if curve:
        path = " ".join(f"{x(steps):.1f},{y(value):.1f}" for steps, value in curve)
        parts.append(f"<polyline points='{path}' fill='none' stroke='{CURVE}' stroke-width='1.5'/>")
    if evaluated:
        path = " ".join(f"{x(steps):.1f},{y(value):.1f}" for steps, value in evaluated)
        parts.append(f"<polyline points='{path}' fill='none' stroke='{EVALUATED}' stroke-width='2.5'/>")
        parts += [
            f"<circle cx='{x(steps):.1f}' cy='{y(value):.1f}' r='3.5' fill='{EVALUATED}'/>"
            for steps, value in evaluated
        ]
    return parts


def draw_bars(demo, players):
    """Random play and the trained agents, from 0."""
    main = demo.figures[0]
    bars = [
        (words, players[name][main.name], color)
        for name, words, color in (("random", "before", BEFORE), ("trained", "after", EVALUATED))
        if name in players
    ]
    low, high = bounds([0] + [mean for _, (mean, _), _ in bars])
    scale = (BOTTOM - TOP) / (high - low)
    zero = BOTTOM + low * scale
    parts = [line(BAR_LEFT, zero, BAR_RIGHT, zero, "#1c2430")]
    width = (BAR_RIGHT - BAR_LEFT) / len(bars)
    for k, (words, (mean, _), color) in enumerate(bars):
        x, end = BAR_LEFT + k * width + 0.15 * width, zero - mean * scale
        parts += [
            f"<rect x='{x:.1f}' y='{min(zero, end):.1f}' width='{0.7 * width:.1f}' "
            f"height='{abs(end - zero):.1f}' fill='{color}'/>",
            text(x + 0.35 * width, end + (-6 if mean >= 0 else 16), f"{mean:.3g}", "middle", 13, weight="bold"),
            text(x + 0.35 * width, BOTTOM + 18, words, "middle", 12),
        ]
    return parts


def draw(demo, training, evaluations, players):
    main = demo.figures[0]
    # A rule far worse than random play would flatten the curve: it is in the table alone.
    values = {name: figures[main.name][0] for name, figures in players.items() if name != "trained"}
    reach = [value for _, value in series(training, main.name) + series(evaluations, main.name)] + [
        players["trained"][main.name][0]
    ]
    low, high = min(reach), max(reach)
    span = (high - low) or abs(high) or 1
    rules = {name: value for name, value in values.items() if low - span <= value <= high + span}
    unit = f", {main.unit}" if main.unit else ""
    direction = "less is better" if main.smaller_is_better else "more is better"
    parts = [
        text(LEFT, 24, f"{main.label}{unit} ({direction})", size=15, weight="bold"),
        text(BAR_LEFT, 24, "random and trained", size=15, weight="bold"),
    ]
    parts += draw_curve(demo, training, evaluations, rules) + draw_bars(demo, players)
    parts += [
        line(LEFT, HEIGHT - 12, LEFT + 26, HEIGHT - 12, CURVE, "stroke-width='1.5'"),
        text(LEFT + 32, HEIGHT - 8, "training episodes", size=12),
        line(LEFT + 150, HEIGHT - 12, LEFT + 176, HEIGHT - 12, EVALUATED, "stroke-width='2.5'"),
        text(LEFT + 182, HEIGHT - 8, "evaluations", size=12),
        line(LEFT + 270, HEIGHT - 12, LEFT + 296, HEIGHT - 12, RULE, "stroke-dasharray='5 4'"),
        text(LEFT + 302, HEIGHT - 8, "hand-written rules and random play", size=12),
    ]
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' "
        "font-family='system-ui, sans-serif' role='img'>"
        f"<title>{html.escape(demo.title)}: {html.escape(main.label)} while training</title>"
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='#ffffff'/>{''.join(parts)}</svg>\n"
    )
