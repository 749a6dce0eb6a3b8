"""Charts as SVG for a page, whose style sheet (page.css) knows the classes: colours follow the reader's theme."""

from __future__ import annotations

import html

from troupe.report.chart import Bars, Chart, Line, short, spread, ticks

WIDTH, HEIGHT = 440, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 20, 12, 40
_RULE_ROOM = 108
_BAR = 26


def element(tag: str, content: str = "", **attributes: object) -> str:
    """An element; `class_` is its class, underscores are hyphens, numbers have a digit behind the point."""
    words = ""
    for name, value in attributes.items():
        shown = f"{value:.1f}" if isinstance(value, float) else html.escape(str(value))
        words += f" {name.rstrip('_').replace('_', '-')}='{shown}'"
    return f"<{tag}{words}>{content}</{tag}>" if content else f"<{tag}{words}/>"


def text(x: float, y: float, words: str, class_: str = "", anchor: str = "start") -> str:
    return element("text", html.escape(words), x=float(x), y=float(y), text_anchor=anchor, class_=class_ or "label")


def svg(title: str, width: int, height: int, parts: list[str]) -> str:
    body = element("title", html.escape(title)) + "".join(parts)
    return element("svg", body, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}", role="img")


def draw_chart(chart: Chart) -> str:
    low, high = chart.bounds()
    last = chart.last_step()
    right = WIDTH - _RIGHT - (_RULE_ROOM if chart.rules else 0)
    bottom = HEIGHT - _BOTTOM

    def x(steps: float) -> float:
        return _LEFT + (right - _LEFT) * steps / last

    def y(value: float) -> float:
        return bottom - (bottom - _TOP) * (value - low) / (high - low)

    parts = []
    for value in ticks(low, high, 5):
        parts.append(element("line", x1=float(_LEFT), x2=float(right), y1=y(value), y2=y(value), class_="grid"))
        parts.append(text(_LEFT - 6, y(value) + 4, short(value), anchor="end"))
    for steps in ticks(0, last, 4):
        parts.append(text(x(steps), bottom + 16, short(steps), anchor="middle"))
    parts.append(text((_LEFT + right) / 2, HEIGHT - 6, chart.x_label, "label soft", "middle"))
    places = spread([y(rule.value) + 4 for rule in chart.rules], 13, _TOP + 8, bottom + 4)
    for rule, place in zip(chart.rules, places):
        at = y(rule.value)
        parts.append(element("line", x1=float(_LEFT), x2=float(right), y1=at, y2=at, class_="rule"))
        parts.append(text(right + 6, place, _cut(rule.label, 19), "label soft"))
    for line in sorted(chart.lines, key=lambda line: not line.faint):
        parts += _draw_line(line, x, y)
    return svg(chart.title, WIDTH, HEIGHT, parts)


def _draw_line(line: Line, x, y) -> list[str]:  # type: ignore[no-untyped-def]
    band, parts = line.band, []
    if not band.steps:
        return []
    faint = " faint" if line.faint else ""
    if band.low != band.high:
        edge = [(x(s), y(v)) for s, v in zip(band.steps, band.high)]
        edge += reversed([(x(s), y(v)) for s, v in zip(band.steps, band.low)])
        parts.append(element("polygon", points=_path(edge), class_=f"band c{line.color}{faint}"))
    middle = [(x(s), y(v)) for s, v in zip(band.steps, band.mean)]
    parts.append(element("polyline", points=_path(middle), class_=f"line c{line.color}{faint}"))
    if line.dots:
        for (at, up), steps, value in zip(middle, band.steps, band.mean):
            told = element("title", html.escape(f"{line.label}: {value:.4g} at {short(steps)} steps"))
            parts.append(element("circle", told, cx=at, cy=up, r=2.5, class_=f"dot c{line.color}"))
    return parts


def draw_bars(bars: Bars) -> str:
    """Each row as shares of its own sum, with the sum beside it."""
    height = _TOP + (_BAR + 22) * len(bars.rows)
    parts = []
    for k, (label, numbers) in enumerate(bars.rows):
        total, at, top = sum(numbers), 0.0, _TOP + k * (_BAR + 22)
        parts.append(text(0, top + 4, f"{label}: {duration(total)}"))
        for part, (name, number) in enumerate(zip(bars.parts, numbers)):
            width = WIDTH * number / total if total else 0.0
            if width <= 0:
                continue
            told = element("title", html.escape(f"{name}: {duration(number)}, {100 * number / total:.1f} %"))
            parts.append(
                element("rect", told, x=at, y=float(top + 9), width=width, height=float(_BAR), class_=f"part p{part}")
            )
            if width > 58:
                parts.append(
                    text(at + width / 2, top + 13 + _BAR / 2, f"{100 * number / total:.0f} %", "inside", "middle")
                )
            at += width
    return svg(bars.title, WIDTH, height, parts)


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.3g} s"
    if seconds < 5400:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:.3g} h"


def _path(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{at:.1f},{up:.1f}" for at, up in points)


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"
