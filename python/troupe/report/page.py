"""A page of HTML that needs nothing else: its pieces, all texts escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

Cell = tuple[str, bool]  # its words, and whether they stand out


def style() -> str:
    return (Path(__file__).parent / "page.css").read_text()


def table(header: Sequence[str], rows: Sequence[Sequence[Cell]], words: bool = False) -> str:
    """The first column, or with `words` every one, is text to the left; the others are numbers."""
    cells = "".join(f"<th>{html.escape(word)}</th>" for word in header)
    body = "".join("<tr>" + "".join(_cell(*cell) for cell in row) + "</tr>" for row in rows)
    kind = " class='words'" if words else ""
    return f"<div class='wide'><table{kind}><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(words: str, stands_out: bool) -> str:
    shown = html.escape(words)
    return f"<td><b>{shown}</b></td>" if stands_out else f"<td>{shown}</td>"


def paragraph(words: str, class_: str = "") -> str:
    kind = f" class='{class_}'" if class_ else ""
    return f"<p{kind}>{html.escape(words)}</p>"


def figure(title: str, picture: str) -> str:
    head = f"<h3>{html.escape(title)}</h3>" if title else ""
    return f"<figure>{head}{picture}</figure>"


def charts(figures: Sequence[str]) -> str:
    return f"<div class='charts'>{''.join(figures)}</div>"


def legend(entries: Sequence[tuple[str, str]], kind: str = "rect") -> str:
    """(class of the colour, words) each."""
    mark = (
        "<rect width='24' height='8' y='1' class='{}'/>"
        if kind == "rect"
        else "<line x2='24' y1='5' y2='5' class='line {}'/>"
    )
    items = "".join(
        f"<li><svg viewBox='0 0 24 10'>{mark.format(class_)}</svg>{html.escape(words)}</li>"
        for class_, words in entries
    )
    return f"<ul class='legend'>{items}</ul>"


def folded(summary: str, text: str) -> str:
    return f"<details><summary>{html.escape(summary)}</summary><pre>{html.escape(text)}</pre></details>"


def page(title: str, lead: str, sections: Sequence[tuple[str, str]], foot: str) -> str:
    """`sections`: heading and content in HTML each; all else is plain text."""
    body = "".join(f"<section><h2>{html.escape(heading)}</h2>{content}</section>" for heading, content in sections)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Troupe: {html.escape(title)}</title><style>{style()}</style></head><body>"
        f"<h1>{html.escape(title)}</h1><p class='soft'>{html.escape(lead)}</p>{body}"
        f"<footer>{html.escape(foot)}</footer></body></html>\n"
    )
