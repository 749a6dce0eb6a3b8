#!/usr/bin/env python3
"""report_test.py: pages and pictures of made-up runs, and what is told to other trackers."""

import contextlib
import io
import pathlib
import re
import sys
import tempfile
import types
import unittest
import xml.etree.ElementTree as xml
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
sys.dont_write_bytecode = True

from made_up import write_run  # noqa: E402
from page_links import PageLinks  # noqa: E402

from troupe.__main__ import main  # noqa: E402
from troupe.report import report_runs  # noqa: E402
from troupe.report.chart import Bars, Rule, in_reach, spread, ticks  # noqa: E402
from troupe.report.groups import mean_and_half_width  # noqa: E402
from troupe.runs import find_runs, load_run  # noqa: E402


class WithRuns(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def sweep(self, **how):
        for clip in (0.1, 0.3):
            for seed in (1, 2, 3):
                write_run(self.folder / f"runs/clip{clip}/seed{seed}", seed=seed, clip=clip, **how)
        return find_runs(self.folder / "runs")

    def command(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main([str(word) for word in words])
        return status, out.getvalue(), err.getvalue()


class PageTest(WithRuns):
    def test_a_page_needs_nothing_else(self):
        page = report_runs(self.sweep(name="<b>&'")).page
        links = PageLinks()
        links.feed(page)
        self.assertEqual((links.fetched, links.open, links.unbalanced), ([], [], []))
        self.assertNotIn("url(", page)
        self.assertNotIn("<b>&", page)
        self.assertIn("&lt;b&gt;&amp;&#x27;", page)
        for picture in re.findall(r"<svg xmlns.*?</svg>", page):
            xml.fromstring(picture)

    def test_runs_that_differ_in_the_seed_alone_are_one_line(self):
        made = report_runs(self.sweep())
        chart = made.charts[0]
        self.assertEqual(chart.title, "waiting (less is better)")
        self.assertEqual([line.label for line in chart.lines], ["clip=0.1", "clip=0.3"] * 2)
        runs = [run for run in find_runs(self.folder / "runs") if "clip0.1" in str(run.folder)]
        last = [run.evaluations[-1]["statistics"]["waiting"] for run in runs]
        evaluated = chart.lines[2]
        self.assertTrue(evaluated.dots and chart.lines[0].faint)
        self.assertEqual(evaluated.band.steps, [20000, 40000, 60000, 80000, 100000])
        self.assertAlmostEqual(evaluated.band.mean[-1], sum(last) / 3)
        self.assertEqual((evaluated.band.low[-1], evaluated.band.high[-1]), (min(last), max(last)))
        self.assertIn("<tr><td>ppo.clip</td><td>0.1</td><td>0.3</td></tr>", made.page)

    def test_tables_hold_the_runs_numbers(self):
        page = report_runs(self.sweep()).page
        # Of 4.3, 4.4, 4.5: 4.303 · 0.1 / √3 = 0.248.
        self.assertIn("<td><b>4.40 ± 0.25</b></td>", page)
        self.assertIn("<tr><td>fixed time</td><td>-28.50 ± 0.15</td><td>9.50 ± 0.15</td>", page)
        self.assertIn("<td>3 (seeds 1, 2, 3)</td>", page)

    def test_where_the_time_went_adds_up(self):
        bars = next(chart for chart in report_runs(self.sweep()).charts if isinstance(chart, Bars))
        self.assertEqual(bars.parts, ("wait", "update", "publish", "other"))
        for _, seconds in bars.rows:
            for found, expected in zip(seconds, (10, 12.5, 0.5, 2)):
                self.assertAlmostEqual(found, expected)

    def test_a_run_that_has_just_begun_has_a_page(self):
        folder = write_run(self.folder / "run", updates=1, table=False)
        (folder / "experiment.textproto").unlink()
        page = report_runs([load_run(folder)]).page
        self.assertIn("1 (seed 1)", page)
        self.assertNotIn("Against baselines", page)

    def test_points_lie_where_they_belong(self):
        picture = re.search(r"<svg xmlns.*?</svg>", report_runs([load_run(write_run(self.folder / "run"))]).page)[0]
        circles = re.findall(r"cx='([^']+)' cy='([^']+)'", picture)
        across, down = [float(x) for x, _ in circles], [float(y) for _, y in circles]
        for (a, b), step in zip(zip(across, across[1:]), [across[1] - across[0]] * 4):
            self.assertAlmostEqual(b - a, step, delta=0.2)
        self.assertEqual(down, sorted(down))  # waiting falls, and down is more

    def test_too_many_groups_are_refused(self):
        runs = [load_run(write_run(self.folder / str(k), clip=k / 10, updates=1)) for k in range(1, 10)]
        with self.assertRaisesRegex(ValueError, "9 groups .* a page shows 8 at most"):
            report_runs(runs)


class CommandTest(WithRuns):
    def test_writes_page_and_pictures(self):
        self.sweep()
        words = ["report", self.folder / "runs", "--out", self.folder / "r.html", "--title", "Two clips"]
        status, out, _ = self.command(*words)
        self.assertEqual((status, out), (0, f"{self.folder}/r.html: 6 runs, 13 charts\n"))
        self.assertIn("<h1>Two clips</h1>", (self.folder / "r.html").read_text())
        try:
            import matplotlib  # noqa: F401
        except ImportError as error:
            self.skipTest(str(error))
        self.assertEqual(self.command(*words, "--png", self.folder / "png")[0], 0)
        pictures = sorted((self.folder / "png").iterdir())
        self.assertEqual(len(pictures), 13)
        for picture in pictures:
            self.assertEqual(picture.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")

    def test_says_what_is_wrong(self):
        (self.folder / "empty").mkdir()
        status, _, err = self.command("report", self.folder / "empty")
        self.assertEqual(status, 2)
        self.assertIn("empty: no metrics.jsonl in it or below", err)
        self.assertEqual(self.command("reprot")[0], 2)


class ChartTest(unittest.TestCase):
    def test_ticks_are_round_and_within(self):
        self.assertEqual(ticks(0, 10), [0, 2, 4, 6, 8, 10])
        self.assertEqual(ticks(-3, 17), [0, 5, 10, 15])
        self.assertEqual(ticks(5, 5.5), [5, 5.1, 5.2, 5.3, 5.4, 5.5])

    def test_labels_are_moved_apart_and_kept_within(self):
        self.assertEqual(spread([50, 10, 52], 13, 0, 100), [50, 10, 63])
        self.assertEqual(spread([98, 99], 13, 0, 100), [87, 100])

    def test_rules_that_would_flatten_the_lines_are_left_out(self):
        line = types.SimpleNamespace(band=types.SimpleNamespace(low=[1], high=[3]))
        rules = [Rule("near", 4.9), Rule("far", 5.1), Rule("below", -0.9)]
        self.assertEqual([rule.label for rule in in_reach(rules, [line])], ["near", "below"])

    def test_half_widths_are_students(self):
        try:
            from scipy import stats
        except ImportError as error:
            self.skipTest(str(error))
        for count in (2, 3, 12, 31, 60):
            values = [k * 1.7 for k in range(count)]
            expected = stats.t.ppf(0.975, count - 1) * stats.sem(values)
            self.assertAlmostEqual(mean_and_half_width(values)[1] / expected, 1, delta=0.03 if count > 31 else 0.001)
        self.assertEqual(mean_and_half_width([4]), (4, None))


class FakeWandbRun:
    def __init__(self):
        self.logged, self.metrics, self.closed = [], [], False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def define_metric(self, name, step_metric):
        self.metrics.append((name, step_metric))

    def log(self, numbers):
        self.logged.append(numbers)


class TrackTest(WithRuns):
    """Packages that note what they are given."""

    def setUp(self):
        super().setUp()
        write_run(self.folder / "run", seed=4)

    def tracked(self, name, package):
        with mock.patch.dict(sys.modules, {name: package}):
            status, out, err = self.command("track", name, self.folder / "run", "--project=crossings")
        self.assertEqual((status, out), (0, f"{self.folder}/run: 50 records\n"), err)

    def check_numbers(self, numbers):
        self.assertAlmostEqual(numbers["statistics/entropy"], 1.3 - 10 / 80)
        self.assertEqual(numbers["evaluation/statistics/waiting"], numbers["episodes/statistics/waiting"])
        self.assertNotIn("statistics/approx_kl", numbers)

    def test_wandb(self):
        run, begun = FakeWandbRun(), []
        self.tracked("wandb", types.SimpleNamespace(init=lambda **how: begun.append(how) or run))
        self.assertEqual((begun[0]["project"], begun[0]["name"]), ("crossings", "crossing-seed4"))
        self.assertEqual(begun[0]["config"]["ppo.clip"], "0.2")
        self.assertEqual((run.metrics, run.closed), ([("*", "env_steps")], True))
        self.assertEqual([of["env_steps"] for of in run.logged], [2000 * k for k in range(1, 51)])
        self.check_numbers(run.logged[9])

    def test_mlflow(self):
        fake = mock.MagicMock()
        self.tracked("mlflow", fake)
        fake.set_experiment.assert_called_once_with("crossings")
        fake.start_run.assert_called_once_with(run_name="crossing-seed4")
        self.assertEqual(fake.log_params.call_args.args[0]["environment.settings.rate"], "5400")
        self.assertEqual([call.kwargs["step"] for call in fake.log_metrics.call_args_list][-1], 100000)
        self.check_numbers(fake.log_metrics.call_args_list[9].args[0])

    def test_aim(self):
        fake = mock.MagicMock()
        self.tracked("aim", fake)
        fake.Run.assert_called_once_with(experiment="crossings")
        sent = fake.Run.return_value
        sent.close.assert_called_once_with()
        at = [call for call in sent.track.call_args_list if call.kwargs["step"] == 20000]
        self.check_numbers({call.kwargs["name"]: call.args[0] for call in at})

    def test_a_package_that_is_not_there_is_told(self):
        with mock.patch.dict(sys.modules, {"wandb": None}):
            status, _, err = self.command("track", "wandb", self.folder / "run")
        self.assertEqual(status, 2)
        self.assertIn("wandb", err)


if __name__ == "__main__":
    unittest.main()
