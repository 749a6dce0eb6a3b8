#!/usr/bin/env python3
"""soak_test.py BIN_FOLDER: the short form of soak.py, and that what it looks for would be seen."""

import io
import math
import pathlib
import random
import sys
import tempfile
import unittest

from soak import BOUNDS, completed, judge, soak
from trend import grows, trend

SEEN = [what for what in BOUNDS if not what.endswith("an update")]
BIN = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None


def noisy(slope, seed, looks=600, every=5.0, noise=1.0):
    """(seconds, number): a line and noise of which each look keeps nine tenths of the one before."""
    generator, error = random.Random(seed), 0.0
    for look in range(looks):
        error = 0.9 * error + generator.gauss(0, noise * math.sqrt(1 - 0.81))
        yield look * every, 100 + slope * look * every + error


class TrendTest(unittest.TestCase):
    def test_a_line_is_found_as_it_is(self):
        found = trend([(t, 3 + 0.5 * t) for t in range(60)])
        self.assertAlmostEqual(found.slope, 0.5)
        self.assertAlmostEqual(found.half, 0, places=9)
        self.assertAlmostEqual(found.growth, 0.5 * 59)
        self.assertAlmostEqual(found.most, 3 + 0.5 * 59)

    def test_the_interval_holds_the_slope_about_as_often_as_it_says(self):
        """In 300 series of noise that is alike from look to look; 95 % of 300 are 285."""
        inside = 0
        for seed in range(300):
            found = trend(list(noisy(0.001, seed)))
            inside += abs(found.slope - 0.001) <= found.half
        self.assertGreater(inside, 255)

    def test_a_leak_is_told_from_noise(self):
        leaks = sum(grows(trend(list(noisy(1 / 300, seed))), allowed=2) for seed in range(50))  # 10 in 50 minutes
        still = sum(grows(trend(list(noisy(0, seed))), allowed=2) for seed in range(50))
        self.assertEqual((leaks, still), (50, 0))

    def test_few_looks_are_refused(self):
        with self.assertRaisesRegex(ValueError, "5 looks"):
            trend([(t, 0) for t in range(5)])


class JudgeTest(unittest.TestCase):
    def _looks(self, **grown):
        """An hour of them; `grown`: what a number has more at the end."""
        looks = []
        for number in range(720):
            look = {"t": 5.0 * number, "updates": 10 * number, "env steps": 2048 * number, "workers": 2}
            look |= {"learner processor": 0.01 * number, "folder size": 0.01 * number}
            look |= {what: 20 for what in SEEN}
            for what, growth in grown.items():
                look[what] += growth * number / 719
            looks.append(look)
        return looks

    def test_what_is_flat_passes(self):
        self.assertEqual(judge("plain", self._looks(), 0.25, io.StringIO()), [])

    def test_each_number_that_grows_is_named(self):
        for what in SEEN:
            found = judge("plain", self._looks(**{what: 30}), 0.25, io.StringIO())
            self.assertTrue(found and all(f"plain: {what} " in line for line in found), (what, found))

    def test_what_an_update_costs_more_and_more_is_named(self):
        looks = self._looks()
        for number, look in enumerate(looks):
            look["learner processor"] = 0.01 * number + 0.0001 * number * number
        self.assertRegex(judge("plain", looks, 0.25, io.StringIO())[0], "processor ms an update grew")

    def test_an_update_that_leaves_too_much_behind_is_named(self):
        looks = self._looks()
        for look in looks:
            look["folder size"] *= 10
        self.assertRegex(judge("plain", looks, 0.25, io.StringIO())[0], "folder KiB an update was 10")

    def test_workers_come_and_go_without_being_taken_for_a_leak(self):
        looks = self._looks()
        for number, look in enumerate(looks):
            look["workers"] = 1 + number * 4 // 720
            look["learner files"] = 16 + 2 * look["workers"]
        self.assertEqual(judge("plain", looks, 0.25, io.StringIO()), [])


SETTLING = ["folder KiB an update"]  # of a few updates: the first checkpoint is much of it


class ShortSoak(unittest.TestCase):
    def test_workers_come_and_go_and_the_learner_stays(self):
        with tempfile.TemporaryDirectory(prefix="soak.") as folder:
            found = soak(BIN, folder, seconds=8, every=0.5, gap=0.4, runs=("plain", "mutual_tls"))
        for name, (looks, tally) in found.items():
            self.assertGreater(looks[-1]["updates"], looks[0].get("updates", 0), name)
            self.assertGreater(sum(tally.values()), 3, name)
            for what, (_, _, most) in BOUNDS.items():
                if most is not None:
                    seen = max(look.get(what, 0) for look in completed(looks)[2:])
                    self.assertLess(seen, math.inf if what in SETTLING else most, f"{name}: {what}")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
