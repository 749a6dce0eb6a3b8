#!/usr/bin/env python3
"""second_leases_test.py BIN_FOLDER: where two workers have each lease, the loss of either changes no weight
(docs/scaling.md). Prints how long the run stood still for it; `second_leases_test.py BIN_FOLDER Stall` does without
second leases too."""

import json
import pathlib
import random
import re
import sys
import unittest

import faults
import footprint
from arena import PATIENCE, SHARDS, enter_namespace, until
from schedule import arena

BIN = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
UPDATES, LEASE_UPDATES = 240, 8
ONCE = f"lease_updates: {LEASE_UPDATES}"
TWICE = f"{ONCE} speculative_leases: {SHARDS}"
LOST_BY = [faults.kill_worker, faults.silence_worker, faults.send_worker_away, faults.black_hole]


def leased_twice(run):
    """Shards that two workers have, by the learner's metrics."""
    address = re.search(r"http://(\S+)/metrics", run.learner.printed())[1]
    return footprint.scrape(address, PATIENCE)['troupe_shard_leases{state="twice"}']


def longest_pause(run):
    """Seconds between two updates at most, but for the first ones."""
    lines = (run.run_folder / "metrics.jsonl").read_text().splitlines()
    times = [row["wall_seconds"] for row in map(json.loads, lines) if "wall_seconds" in row and "update" in row]
    return max(after - before for before, after in zip(times[10:], times[11:]))


def disturbed(collection, losses):
    """(sha256 of the weights, longest pause) of a run of three workers, of whom one after the other is lost."""
    with arena(BIN, updates=UPDATES, workers=3, step_seconds=30, collection=collection) as run:
        run.slow_simulators(True)
        run.start()
        generator = random.Random(6)
        for fault in losses:
            run.advance(2 * LEASE_UPDATES + 1, f"before {fault.__name__}")
            if collection == TWICE:
                until(lambda: leased_twice(run) == SHARDS, f"before {fault.__name__}: every shard is two workers'")
            fault(run, generator)
        assert run.updates() < UPDATES, "the run was over before all faults were there"
        run.slow_simulators(False)
        return run.finish(), longest_pause(run)


class SecondLeases(unittest.TestCase):
    def test_what_loses_a_worker_changes_no_weight(self):
        """The same as of one worker alone that nothing is done to."""
        with arena(BIN, updates=UPDATES, workers=1, lease_seconds=60, step_seconds=30, collection=ONCE) as run:
            run.start()
            undisturbed = run.finish()
        weights, pause = disturbed(TWICE, LOST_BY)
        print(f"{len(LOST_BY)} workers lost: {pause:.2f} s between two updates at most")
        self.assertEqual(weights, undisturbed)


class Stall(unittest.TestCase):
    """Figures for docs/scaling.md; nothing of it holds on every machine."""

    def test_of_each_loss(self):
        for fault in LOST_BY:
            pauses = {name: disturbed(leases, [fault])[1] for name, leases in (("once", ONCE), ("twice", TWICE))}
            print(f"{fault.__name__}: {pauses['once']:.2f} s leased once, {pauses['twice']:.2f} s leased twice")


if __name__ == "__main__":
    enter_namespace([sys.executable, "-B", *sys.argv])
    unittest.main(argv=[sys.argv[0], *(sys.argv[2:] or ["SecondLeases"])])
