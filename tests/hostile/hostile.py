#!/usr/bin/env python3
"""hostile.py BIN_FOLDER [--seconds=120] [--tries=10] [--kinds=plain,token,gateway] [--attacks=NAME,…]
                      [--as=stranger,worker] [--json=FILE]

What hostile peers do to a learner that trains with an honest worker: to its pace, its memory, its health and its end.
Each attack goes on for so many seconds, so many times, between spans of the same length without it; a row of the table
is all tries of one attack by one kind of peer. "stranger": without token or certificate; "worker": with what a worker
shows. Where nothing is asked for, both are the same and one is left out.

  pace     of the honest worker under attack, in parts of what it had just before and after: mean, and the worst try
  MiB      most that the learner's memory has grown from before a try, and of what it began with, after all of them
  health   `learner health` in the middle of each try and after it: how often it said what is (one that trains serves)
  SIGTERM  in the middle of a further try: seconds until the learner had ended, with status 0; it goes on afterwards
"""

import argparse
import json
import sys
import time

from arena import KINDS, Arena, has_gateway
from attacks import ATTACKS, Attackers

GRACE_SECONDS = 20
GROWTH_MIB = 200
LEAST_PACE = 0.8


class Row:
    def __init__(self, kind, who, attack):
        self.kind, self.who, self.attack = kind, who, attack
        self.calm, self.pressed, self.growth = [], [], []
        self.health = [0, 0]  # said what is, asked
        self.said = []
        self.crashes, self.total_growth = 0, 0.0
        self.stopped = None  # (status, seconds)

    def ratios(self):
        return [pressed / max(calm, 1e-9) for calm, pressed in zip(self.calm, self.pressed)]

    def mean(self):
        return sum(self.ratios()) / len(self.ratios()) if self.calm else 0.0

    def faults(self, least_pace=LEAST_PACE):
        """In words; none: all is as promised."""
        found = []
        if self.crashes:
            found.append(f"the learner ended {self.crashes} times")
        if self.growth and max(self.growth) >= GROWTH_MIB:
            found.append(f"grew by {max(self.growth):.0f} MiB")
        if self.mean() < least_pace:
            found.append(f"{100 * self.mean():.0f} % of the pace")
        if self.health[0] < self.health[1]:
            found.append(f"health: {self.said[:2]}")
        if self.stopped and (self.stopped[0] != 0 or self.stopped[1] > GRACE_SECONDS):
            found.append(f"SIGTERM: status {self.stopped[0]} after {self.stopped[1]:.0f} s")
        return found

    def line(self):
        ratios = self.ratios() or [0.0]
        return (f"| {self.kind} | {self.who} | {self.attack} | {len(self.calm)} | {100 * self.mean():.0f} %, "
                f"{100 * min(ratios):.0f} % | {max(self.growth or [0]):+.0f}, {self.total_growth:+.0f} | "
                f"{self.health[0]} of {self.health[1]} | {self.crashes} | "
                + (f"{self.stopped[1]:.1f}" if self.stopped else "–") + " |")


HEAD = ("| before it | who | attack | tries | pace: mean, worst | MiB: a try's most, after all | health | ended | "
        "SIGTERM, s |\n|---|---|---|---|---|---|---|---|---|")


def ask_health(arena, row):
    status, words = arena.health()
    row.health[1] += 1
    if status == 0 and words.endswith("SERVING (training)"):
        row.health[0] += 1
    else:
        row.said.append(words)


def one_try(arena, row, seconds):
    before = arena.pace(seconds)
    memory = arena.memory_mib()
    with Attackers(row.attack, arena.target(row.who == "worker"), arena.known):
        half = arena.pace(seconds / 2)
        ask_health(arena, row)
        most = arena.memory_mib()
        other_half = arena.pace(seconds / 2)
        most = max(most, arena.memory_mib())
    if not arena.learner.alive():
        row.crashes += 1
        return False
    ask_health(arena, row)
    row.growth.append(most - memory)
    row.calm.append((before + arena.pace(seconds)) / 2)
    row.pressed.append((half + other_half) / 2)
    return True


def go_on(arena):
    """A learner that ended, as its supervisor would."""
    arena.start_learner()
    first = arena.updates()
    arena.until(lambda: arena.updates() >= first + 2)


def try_all(arena, who, attack, seconds, tries):
    row = Row(arena.kind, who, attack)
    began_with = arena.memory_mib()
    for _ in range(tries):
        if not one_try(arena, row, seconds):
            print(arena.learner.output()[-1000:], file=sys.stderr)
            go_on(arena)
            began_with = arena.memory_mib()
    row.total_growth = arena.memory_mib() - began_with
    with Attackers(attack, arena.target(who == "worker"), arena.known):
        time.sleep(min(2.0, seconds / 2))
        row.stopped = arena.learner.stop()
    go_on(arena)
    return row


def run(programs, kinds, attacks, who, seconds, tries, tell=print):
    rows = []
    for kind in kinds:
        with Arena(programs, kind) as arena:
            for attack in attacks:
                for each in who:
                    if kind == "plain" and each == "stranger" and "worker" in who:
                        continue
                    row = try_all(arena, each, attack, seconds, tries)
                    rows.append(row)
                    tell(row.line())
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--tries", type=int, default=10)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--attacks", default=",".join(ATTACKS))
    parser.add_argument("--as", dest="who", default="stranger,worker")
    parser.add_argument("--json")
    given = parser.parse_args()
    kinds = [kind for kind in given.kinds.split(",") if kind != "gateway" or has_gateway()]
    print(HEAD, flush=True)
    rows = run(given.programs, kinds, given.attacks.split(","), given.who.split(","), given.seconds, given.tries,
               tell=lambda line: print(line, flush=True))
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump([vars(row) for row in rows], file, indent=1)
    bad = [(row, row.faults()) for row in rows if row.faults()]
    for row, faults in bad:
        print(f"{row.kind}, {row.who}, {row.attack}: {'; '.join(faults)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
