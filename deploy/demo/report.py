#!/usr/bin/env python3
"""report.py NAME FOLDER [--command=WORDS]: what deploy/demo.sh shows of a run in FOLDER/run.

Writes FOLDER/table.md, FOLDER/curve.svg and FOLDER/index.html, one file that needs nothing else, from the run's
metrics.jsonl (learner/reporting/run_records.h) and evaluation.json, and from FOLDER/burst_*.json where they are."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import sys

from curve import draw
from demos import DEMOS
from troupe.report import page  # where it is, curve says


def read_records(path):
    """Points of learning curves: (env_steps, figures) of training batches and of evaluations."""
    training, evaluations = [], []
    for line in path.read_text().splitlines():
        record = json.loads(line)
        episodes = record.get("evaluation") or record.get("episodes") or {}
        if not episodes.get("count"):
            continue
        figures = {"episode_return": episodes.get("episode_return"), **episodes.get("statistics", {})}
        (evaluations if "evaluation" in record else training).append((record["env_steps"], figures))
    return training, evaluations


def read_players(path):
    """The final table: player → figure → (mean, half of its 95 % confidence interval), the trained one first."""
    report = json.loads(path.read_text())
    players = {}
    for player in report["players"]:
        name = "trained" if "actor_file" in player else player["name"]
        players[name] = {figure: (value["mean"], value["half_width_95"]) for figure, value in player["summary"].items()}
    return report, players


def number(value, like=None):
    """With the digits that a number of the size of `like` (else of the value) gets."""
    return f"{value:.2f}" if abs(value if like is None else like) < 100 else f"{value:,.0f}"


def quantity(value, unit):
    return f"${number(value)}" if unit == "$" else f"{number(value)} {unit}".strip()


def best_of(figure, values):
    """The name of the best of name → value."""
    return (min if figure.smaller_is_better else max)(values, key=values.get)


def rows_of(demo, players):
    """Header and rows of words; the best of each column is marked."""
    header = ["player"] + [f"{figure.label}{', ' + figure.unit if figure.unit else ''}" for figure in demo.figures]
    rows = []
    for name, figures in players.items():
        row = [(demo.player_label(name), False)]
        for figure in demo.figures:
            mean, half = figures[figure.name]
            means = {other: values[figure.name][0] for other, values in players.items()}
            best = figure.smaller_is_better is not None and mean == means[best_of(figure, means)]
            row.append((f"{number(mean)} ± {number(half, mean)}", best))
        rows.append(row)
    return header, rows


def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(f"**{word}**" if best else word for word, best in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def comparison(demo, players):
    """A sentence: the trained agents beside random play and beside the best rule, by the main figure."""
    main = demo.figures[0]
    ours = players["trained"][main.name][0]
    rules = {name: figures[main.name][0] for name, figures in players.items() if name not in ("trained", "random")}
    best = best_of(main, rules)
    words = f"{main.label}: trained {quantity(ours, main.unit)}"
    if "random" in players:
        words += f", random play {quantity(players['random'][main.name][0], main.unit)}"
    words += f", best hand-written rule ({demo.player_label(best)}) {quantity(rules[best], main.unit)}."
    return words[0].upper() + words[1:]


def machine():
    model = platform.machine()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{os.cpu_count()} cores ({model})"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(DEMOS))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--command", default="")
    arguments = parser.parse_args()
    demo, folder = DEMOS[arguments.name], arguments.folder
    training, evaluations = read_records(folder / "run/metrics.jsonl")
    report, players = read_players(folder / "run/evaluation.json")
    missing = [figure.name for figure in demo.figures if figure.name not in players["trained"]]
    if missing:
        sys.exit(f"report.py: {folder}/run/evaluation.json has no figure {missing[0]}")

    header, rows = rows_of(demo, players)
    sentence = comparison(demo, players)
    picture = draw(demo, training, evaluations, players)
    tables = [("", header, rows)]
    for burst, words in (("0", "Without bursts"), ("1", "A burst in every episode")):
        path = folder / f"burst_{burst}.json"
        if path.exists():
            tables.append((words, *rows_of(demo, read_players(path)[1])))

    steps = max([steps for steps, _ in training + evaluations], default=0)
    facts = (
        f"{steps:,} environment steps; {report['episodes']} episodes each on seeds from {report['first_seed']}, mean ± "
        f"half of the 95 % confidence interval; {machine()}; {datetime.date.today().isoformat()}"
    )
    if arguments.command:
        facts += f"; {arguments.command}"
    text = f"# {demo.title}\n\n{demo.task}\n\n{sentence}\n"
    text += "".join((f"\n## {title}\n" if title else "") + "\n" + markdown(*table) for title, *table in tables)
    (folder / "table.md").write_text(f"{text}\n{facts}\n")
    (folder / "curve.svg").write_text(picture)
    sections = [("What was learnt", page.paragraph(sentence) + page.figure("", picture))]
    sections += [(title or "Against hand-written rules", page.table(*table)) for title, *table in tables]
    (folder / "index.html").write_text(page.page(demo.title, demo.task, sections, facts))
    print(f"{sentence}\n{folder}/table.md, curve.svg, index.html")


if __name__ == "__main__":
    main()
