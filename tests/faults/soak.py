#!/usr/bin/env python3
"""soak.py BIN_FOLDER [--minutes=120] [--out=FOLDER]: whether anything grows while workers come and go for hours.

Three runs at once: plain, under mutual TLS, and a value-based one whose replay fills to its bound. Of each the learner
and one worker stay; others join, leave, are killed and paused by a seeded schedule, strangers call, a Prometheus
scrapes, a probe asks for health, evaluations are played and checkpoints written. Memory, open files, threads, the run
folder and the pace are looked at every --every seconds; what came before --warm_up of the time is left out.

Prints of each number its mean at first and at last, its slope with a 95 % interval and its largest value, and ends with
1 where one grew by more than BOUNDS allow. --read=FOLDER judges once more what an earlier soak, or one under way, has
looked at."""

import argparse
import contextlib
import pathlib
import signal
import sys
import tempfile
import time

from soak_run import VDN, SoakRun, read_looks
from trend import grows, trend

# What may be added in an hour, and the largest there may be at any time (None: it follows from the task, or it is to
# grow). At two updates a second a leak of 1 KiB an update would be 7 MiB of heap an hour, one of 4 KiB a worker that
# came and went 1 or 2. Files of the learner are counted without the two that each worker has open there.
BOUNDS = {
    "learner rss": ("MiB", 8.0, 400.0), "learner own": ("MiB", 8.0, 300.0), "learner heap": ("MiB", 2.0, 200.0),
    "learner files": ("", 2.0, 80.0), "learner threads": ("", 2.0, 60.0),
    "worker rss": ("MiB", 4.0, 100.0), "worker own": ("MiB", 4.0, 60.0),
    "worker files": ("", 8.0, 80.0), "worker threads": ("", 2.0, 40.0),
    "folder files": ("", 2.0, 60.0), "folder KiB an update": ("KiB", 0.5, 4.0),
    "metrics series": ("", 1.0, None), "replay steps": ("", 0.01, None),
    "processor ms an update": ("ms", 5.0, None),
}
RUNS = {
    "plain": {"mode": "PIPELINED"},
    "mutual_tls": {"secured": True, "mode": "PIPELINED"},
    "replay": {"algorithm": VDN, "mode": "ASYNCHRONOUS"},
}


FILES_OF_A_WORKER = 2  # at the learner: its connections


def completed(looks):
    """With what follows from them: of all but the first the learner's processor time for an update since the one
    before, and what an update has left in the run folder so far."""
    looks = [dict(look, **{"learner files": look["learner files"] - FILES_OF_A_WORKER * look["workers"]})
             for look in looks]
    for before, look in zip(looks, looks[1:]):
        made = look.get("updates", 0) - before.get("updates", 0)
        if made > 0:
            look["processor ms an update"] = 1000 * (look["learner processor"] - before["learner processor"]) / made
        if look.get("updates", 0) > 0:
            look["folder KiB an update"] = 1024 * look["folder size"] / look["updates"]
    return looks


def judge(name, looks, warm_up, out):
    """Prints what became of each number. Returns those that grew or were too large, in words."""
    looks = completed(looks)
    late = [look for look in looks if look["t"] >= warm_up * looks[-1]["t"]]
    first, last = late[0], late[-1]
    hours = (last["t"] - first["t"]) / 3600
    updates = last.get("updates", 0) - first.get("updates", 0)
    print(f"\n{name}: {looks[-1]['t'] / 60:.1f} minutes, of which the last {60 * hours:.1f} are judged; "
          f"{last.get('updates', 0):.0f} updates, {updates / hours / 3600:.2f} a second, "
          f"{(last.get('env steps', 0) - first.get('env steps', 0)) / hours / 3600:.0f} environment steps/s, "
          f"{last.get('evaluations', 0):.0f} evaluations, {last.get('checkpoints', 0):.0f} checkpoints", file=out)
    print(f"  {'':24} {'first':>10} {'last':>10} {'an hour':>10} {'±':>9} {'most':>10} {'may grow by':>12}", file=out)
    wrong = []
    for what, (unit, an_hour, most) in BOUNDS.items():
        seen = [(look["t"], look[what]) for look in late if what in look]
        if len(seen) < 6:
            continue
        found = trend(seen)
        allowed = max(an_hour * hours, an_hour / 4)  # what is seen for minutes alone still moves
        print(f"  {what + ' ' + unit:24} {found.first:10.2f} {found.last:10.2f} {3600 * found.slope:+10.3f} "
              f"{3600 * found.half:9.3f} {found.most:10.2f} {allowed:12.2f}", file=out)
        if grows(found, allowed):
            wrong.append(f"{name}: {what} grew by {found.growth:.2f} {unit} in {60 * hours:.0f} minutes, "
                         f"may by {allowed:.2f}")
        if most is not None and found.most > most:
            wrong.append(f"{name}: {what} was {found.most:.2f} {unit}, may be {most}")
    return wrong


def soak(binaries, folder, seconds, every=5.0, slow=True, gap=4.0, runs=tuple(RUNS)):
    """The runs, for so long. Returns {name: (looks, tally of what workers did)}."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(SoakRun(binaries, folder, name, seed=index + 1, slow=slow, gap=gap, **RUNS[name]))
                for index, name in enumerate(runs)]
        for run in made:
            run.start()
        end = time.monotonic() + seconds
        look_at, health_at = time.monotonic() + every, time.monotonic()
        # However slow the machine, there is something to judge.
        while time.monotonic() < end or any(run.looks < 8 for run in made):
            for run in made:
                run.tick()
            if time.monotonic() >= health_at:
                health_at = time.monotonic() + 4 * every
                for run in made:
                    run.ask_health()
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + every
                for run in made:
                    run.look()
            time.sleep(0.05)
        for run in made:
            run.finish()
        return {run.name: (read_looks(pathlib.Path(folder) / run.name / "looks.jsonl"), run.tally()) for run in made}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binaries", type=pathlib.Path, nargs="?")
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--every", type=float, default=5, help="seconds between looks")
    parser.add_argument("--warm_up", type=float, default=0.25, help="share of the time that is not judged")
    parser.add_argument("--gap", type=float, default=4, help="mean seconds between what workers do")
    parser.add_argument("--full_speed", action="store_true", help="simulators do not take their time")
    parser.add_argument("--out", type=pathlib.Path, help="a folder that is not there yet; kept")
    parser.add_argument("--read", type=pathlib.Path)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and nobody is left behind
    if arguments.read is not None:
        found = {name: (read_looks(arguments.read / name / "looks.jsonl"), None) for name in RUNS}
    else:
        with tempfile.TemporaryDirectory(prefix="soak.") as scratch:
            if arguments.out is not None:
                arguments.out.mkdir(parents=True)
            found = soak(arguments.binaries.resolve(), arguments.out or scratch, 60 * arguments.minutes,
                         arguments.every, not arguments.full_speed, arguments.gap)
    wrong = []
    for name, (looks, tally) in found.items():
        wrong += judge(name, looks, arguments.warm_up, sys.stdout)
        if tally is not None:
            print(f"  workers: {', '.join(f'{count} {what}' for what, count in sorted(tally.items()))}")
    print("\n" + ("\n".join(wrong) if wrong else "nothing grew"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
