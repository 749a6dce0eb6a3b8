#!/usr/bin/env python3
"""runs_test.py: run folders in Python, aggregates over them, and the notebook that shows them."""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
sys.dont_write_bytecode = True

from made_up import write_run  # noqa: E402

import troupe  # noqa: E402
from troupe.runs import band, find_runs, load_sweep, parse_settings, points, thinned  # noqa: E402


class WithFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class RunTest(WithFolder):
    def test_records_come_apart_by_their_kind(self):
        run = troupe.load_run(write_run(self.folder / "run", seed=3))
        self.assertEqual((len(run.updates), len(run.evaluations)), (50, 5))
        self.assertEqual((run.name, run.seed, run.env_steps, run.wall_seconds), ("crossing", 3, 100000, 25.0))
        self.assertEqual(run.best_by, ("waiting", True))
        self.assertEqual([e["best"] for e in run.evaluations], [False] * 4 + [True])
        self.assertEqual(run.table["figures"], ["episode_return", "waiting", "delay"])
        self.assertEqual(points(run.updates, "statistics", "entropy")[0], (2000.0, 1.3 - 1 / 80))
        self.assertEqual(points(run.updates, "statistics", "approx_kl"), [])  # null: was not finite
        self.assertEqual(len(points(run.evaluations, "statistics", "waiting")), 5)

    def test_a_line_cut_short_at_the_end_is_left_out_and_one_in_the_middle_is_told(self):
        metrics = write_run(self.folder / "run") / "metrics.jsonl"
        whole = metrics.read_text()
        metrics.write_text(whole + '{"update": 51, "env_st')
        self.assertEqual(len(troupe.load_run(self.folder / "run").updates), 50)
        metrics.write_text('{"update": 51, "env_st\n' + whole)
        with self.assertRaisesRegex(ValueError, "metrics.jsonl:1: "):
            troupe.load_run(self.folder / "run")
        metrics.write_text("[1]\n" + whole)
        with self.assertRaisesRegex(ValueError, "metrics.jsonl:1: no record of a run"):
            troupe.load_run(self.folder / "run")

    def test_runs_below_a_folder_are_found_by_row_and_seed(self):
        for clip in (0.1, 0.3):
            for seed in (10, 2):
                write_run(self.folder / f"crossing/clip{clip}/seed{seed}", seed=seed, clip=clip)
        found = [run.folder.relative_to(self.folder).as_posix() for run in find_runs(self.folder)]
        self.assertEqual(found, [f"crossing/clip{clip}/seed{seed}" for clip in (0.1, 0.3) for seed in (2, 10)])

    def test_records_become_a_frame(self):
        try:
            import pandas  # noqa: F401
        except ImportError as error:
            self.skipTest(str(error))
        from troupe.runs import frame

        table = frame(troupe.load_run(write_run(self.folder / "run")).updates)
        self.assertEqual(len(table), 50)
        self.assertEqual(table["stage_seconds.update"].sum(), 12.5)


class SettingsTest(unittest.TestCase):
    def test_text_format_reads_as_set_names_it(self):
        settings = parse_settings("""
            # a comment { that opens nothing
            name: "a \\"b\\" # no comment" seed: 7
            policy { hidden_sizes: 64 hidden_sizes: 32 activation: TANH }
            environment { settings { key: "size" value: "5" } settings: { key: 'x' value: '' } }
            group_policies { key: "junction" value { sharing: PER_AGENT } }
            evaluation < baselines: ["random", "fixed"]; best_by: "won" >
        """)
        self.assertEqual(
            settings,
            {
                "name": 'a "b" # no comment',
                "seed": "7",
                "policy.hidden_sizes": "64,32",
                "policy.activation": "TANH",
                "environment.settings.size": "5",
                "environment.settings.x": "",
                "group_policies.junction.sharing": "PER_AGENT",
                "evaluation.baselines": "random,fixed",
                "evaluation.best_by": "won",
            },
        )

    def test_what_is_no_text_format_is_told_with_its_line(self):
        for text, words in (
            ("a {\n b: 1\n", "line 2: braces"),
            ("}", "line 1: braces"),
            ("a:", 'line 1: "a" has no'),
            ('a: "b', "does not end"),
            ("a{" * 100, "too deep"),
        ):
            with self.assertRaisesRegex(ValueError, words):
                parse_settings(text)

    def test_every_shipped_experiment_reads(self):
        for path in (HERE.parents[1] / "deploy/experiments").glob("*.textproto"):
            self.assertIn("environment.name", parse_settings(path.read_text()), path)


class CurvesTest(unittest.TestCase):
    def test_a_band_holds_runs_that_were_measured_at_other_steps(self):
        found = band([[(0, 0), (100, 10), (200, 20)], [(50, 25), (150, 35), (200, 40)]])
        self.assertEqual((found.steps, found.mean), ([100, 200], [20, 30]))  # before 50 there is one of them only
        self.assertEqual((found.low, found.high), ([10, 20], [30, 40]))

    def test_runs_that_end_early_leave_the_others(self):
        found = band([[(1, 1), (2, 2)], [(1, 3), (2, 4), (3, 8)]])
        self.assertEqual((found.steps, found.mean), ([1, 2, 3], [2, 3, 8]))

    def test_nothing_is_an_empty_band(self):
        self.assertEqual(band([[], []]).steps, [])

    def test_long_curves_are_thinned_to_means(self):
        curve = thinned([(step, step % 2) for step in range(1000)], 100)
        self.assertEqual((len(curve), curve[0]), (100, (9, 0.5)))


class StatisticsTest(unittest.TestCase):
    def test_interquartile_means_are_rliables(self):
        import numpy
        from scipy import stats

        from troupe.runs.statistics import interquartile_interval, interquartile_mean

        scores = numpy.random.default_rng(1).normal(size=(7, 3)) * 4 + 10
        self.assertAlmostEqual(interquartile_mean(scores), stats.trim_mean(scores, 0.25, axis=None))
        self.assertEqual(interquartile_mean([1, 2, 9]), 4)
        found = interquartile_interval(scores)
        self.assertEqual(found, interquartile_interval(scores))
        # scipy's percentile bootstrap of one task, whose draws are others.
        one = scores[:, :1]
        drawn = stats.bootstrap(
            (one[:, 0],),
            lambda x, axis: stats.trim_mean(x, 0.25, axis=axis),
            method="percentile",
            n_resamples=20000,
            rng=numpy.random.default_rng(2),
        ).confidence_interval
        found = interquartile_interval(one)
        self.assertAlmostEqual(found.low, drawn.low, delta=0.15)
        self.assertAlmostEqual(found.high, drawn.high, delta=0.15)

    def test_runs_are_drawn_within_their_task(self):
        from troupe.runs.statistics import interquartile_interval

        # Two tasks without any spread: however it is drawn, half of the numbers are of either.
        self.assertEqual(tuple(interquartile_interval([[0, 10]] * 4)), (5, 5, 5))
        with self.assertRaisesRegex(ValueError, r"expected \[runs, tasks\], came \[3\]"):
            interquartile_interval([1, 2, 3])


class NotebookTest(WithFolder):
    """The cells one after the other, as a kernel runs them."""

    def test_the_notebook_ends_in_a_plot(self):
        try:
            import matplotlib
            import pandas  # noqa: F401
        except ImportError as error:
            self.skipTest(str(error))
        matplotlib.use("Agg")
        import matplotlib.pyplot as plt

        rows, seeds = {"ppo.clip=0.1": 0.1, "ppo.clip=0.3": 0.3}, [1, 2, 3, 4]
        for row, clip in rows.items():
            for seed in seeds:
                write_run(self.folder / "crossing" / row / f"seed{seed}", seed=seed, clip=clip)
        scores = {row: [[seed + 10 * clip] for seed in seeds] for row, clip in rows.items()}
        (self.folder / "scores.json").write_text(
            json.dumps({"statistic": "waiting", "tasks": ["crossing"], "seeds": seeds, "scores": scores})
        )
        (self.folder / "results.json").write_text("{}")
        self.assertEqual(load_sweep(self.folder).tasks, ["crossing"])
        self.assertEqual(len(load_sweep(self.folder).runs()), 8)

        notebook = json.loads((HERE.parent / "notebooks/compare.ipynb").read_text())
        names, printed, shown = {}, io.StringIO(), []
        with mock.patch.dict(os.environ, {"TROUPE_SWEEP": str(self.folder)}), mock.patch.object(
            plt, "show", lambda: shown.append(plt.gcf())
        ), contextlib.redirect_stdout(printed):
            for i, cell in enumerate(notebook["cells"]):
                self.assertFalse(cell.get("outputs"), "no outputs in the repository")
                if cell["cell_type"] == "code":
                    exec(compile("".join(cell["source"]), f"cell {i}", "exec"), names)
        self.assertIn("crossing/ppo.clip=0.1/seed1: 5 evaluations, the last at 100,000 steps", printed.getvalue())
        self.assertRegex(printed.getvalue(), r"ppo\.clip=0\.3 +5\.5 +\[")  # the mean of 5 and 6, without 4 and 7
        (figure,) = shown
        bars = figure.axes[0].patches
        self.assertEqual(len(bars), 2)
        self.assertAlmostEqual(bars[1].get_x() - bars[0].get_x(), 2, delta=0.3)


class ImportTest(unittest.TestCase):
    def test_runs_and_reports_need_nothing_installed(self):
        code = "import sys; sys.path.insert(0, sys.argv[1]); import troupe, troupe.report.command; troupe.load_run"
        for package in ("numpy", "pandas", "matplotlib"):
            code += f"; assert {package!r} not in sys.modules"
        subprocess.run([sys.executable, "-c", code, HERE.parent], check=True, timeout=60)


if __name__ == "__main__":
    unittest.main()
