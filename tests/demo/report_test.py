#!/usr/bin/env python3
"""report_test.py [BIN_FOLDER]: pages of made-up runs, and, with programs, a demonstration from beginning to end."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
sys.path[:0] = [str(SOURCE / "deploy/demo"), str(SOURCE / "python/tests")]
sys.dont_write_bytecode = True

from demos import DEMOS  # noqa: E402
from page_links import PageLinks  # noqa: E402

NAMES = ("cost", "stock_out_percent", "transfers", "holding", "imbalance")


def player(name, values, trained=False):
    summary = {figure: {"mean": value, "half_width_95": 0.5} for figure, value in zip(NAMES, values)}
    return {"name": name, **({"actor_file": "final.safetensors"} if trained else {}), "summary": summary}


def made_up_run(folder, costs=(180, 120, 90)):
    (folder / "run").mkdir(parents=True)
    lines = []
    for update, cost in enumerate(costs, 1):
        episodes = {"count": 8, "episode_return": -cost, "statistics": {"cost": cost, "stock_out_percent": cost / 6}}
        lines += [
            {"update": update, "env_steps": update * 1000, "episodes": episodes},
            {"update": update, "env_steps": update * 1000 + 1, "evaluation": episodes},
        ]
    lines.append({"update": 9, "env_steps": 9000, "episodes": {"count": 0}})
    (folder / "run/metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    players = [
        player("final", (75, 4, 3, 8, 2), True),
        player("random", (180, 30, 1, 2, 3)),
        player("base_stock", (95, 7, 0, 9, 4)),
    ]
    (folder / "run/evaluation.json").write_text(
        json.dumps({"episodes": 500, "first_seed": 2000000, "players": players})
    )


def report(name, folder):
    return subprocess.run(
        [sys.executable, "-B", SOURCE / "deploy/demo/report.py", name, folder, "--command=deploy/demo.sh <retail>"],
        capture_output=True,
        text=True,
        timeout=60,
    )


class ReportTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp()) / "retail"
        self.addCleanup(shutil.rmtree, self.folder.parent)

    def check_page(self):
        page = (self.folder / "index.html").read_text()
        links = PageLinks()
        links.feed(page)
        self.assertEqual((links.fetched, links.open, links.unbalanced), ([], [], []))
        self.assertNotIn("url(", page)
        self.assertTrue(xml.fromstring((self.folder / "curve.svg").read_text()).tag.endswith("svg"))
        return page

    def test_writes_table_picture_and_page(self):
        made_up_run(self.folder)
        result = report("retail", self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        table = (self.folder / "table.md").read_text()
        self.assertIn("| trained agents | **75.00 ± 0.50** | **4.00 ± 0.50** | 3.00 ± 0.50 |", table)
        self.assertIn("| random play | 180 ± 0 | 30.00 ± 0.50 |", table)
        self.assertIn(
            "Cost: trained $75.00, random play $180, best hand-written rule (base stock, tuned) $95.00.", table
        )
        page = self.check_page()
        self.assertIn("deploy/demo.sh &lt;retail&gt;", page)
        self.assertIn("3,001 environment steps", page)
        self.assertIn("<b>75.00 ± 0.50</b>", page)

    def test_the_curve_has_every_point_where_it_belongs(self):
        made_up_run(self.folder, costs=(200, 150, 100))
        self.assertEqual(report("retail", self.folder).returncode, 0)
        svg = (self.folder / "curve.svg").read_text()
        points = re.findall(r"<polyline points='([^']+)'", svg)
        training, evaluations = ([tuple(map(float, at.split(","))) for at in line.split()] for line in points)
        self.assertEqual(len(training), 3)
        self.assertEqual(len(evaluations), 3)
        # Equal steps to the right and, as cost falls evenly, down the page.
        for line in (training, evaluations):
            (x0, y0), (x1, y1), (x2, y2) = line
            self.assertAlmostEqual(x1 - x0, x2 - x1, delta=0.2)
            self.assertAlmostEqual(y1 - y0, y2 - y1, delta=0.2)
            self.assertGreater(y1, y0)
        bars = [
            float(height) for height in re.findall(r"<rect x='[^']+' y='[^']+' width='[^']+' height='([^']+)'", svg)
        ]
        self.assertAlmostEqual(bars[0] / bars[1], 180 / 75, delta=0.02)

    def test_bursts_have_tables_of_their_own(self):
        made_up_run(self.folder)
        shutil.copy(self.folder / "run/evaluation.json", self.folder / "burst_1.json")
        self.assertEqual(report("retail", self.folder).returncode, 0)
        self.assertEqual((self.folder / "table.md").read_text().count("| trained agents |"), 2)
        self.assertIn("A burst in every episode", self.check_page())

    def test_says_what_is_missing(self):
        made_up_run(self.folder)
        result = report("traffic", self.folder)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("has no figure mean_waiting_seconds", result.stderr)


@unittest.skipUnless(BIN, "no programs")
class DemoTest(unittest.TestCase):
    """deploy/demo.sh in a checkout that is set up and built."""

    def setUp(self):
        self.checkout = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.checkout)
        (self.checkout / "deploy").mkdir()
        shutil.copytree(SOURCE / "python", self.checkout / "python")
        for name in ("demo.sh", "demo", "experiments"):
            source = SOURCE / "deploy" / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, self.checkout / "deploy" / name)
        for name in ("setup.sh", "build.sh"):
            script = self.checkout / "deploy" / name
            script.write_text("#!/bin/sh\n")
            script.chmod(0o755)
        (self.checkout / "build/release").mkdir(parents=True)
        (self.checkout / "build/release/bin").symlink_to(BIN)

    def demo(self, *words):
        return subprocess.run([self.checkout / "deploy/demo.sh", *words], capture_output=True, text=True, timeout=280)

    def test_every_demonstration_in_its_shortest_form(self):
        short = ["--workers=1"]
        for setting in (
            "total_env_steps=6000",
            "collection.copies_per_shard=4",
            "evaluation.interval_env_steps=3000",
            "evaluation.episodes=2",
            "evaluation.final_episodes=2",
            "evaluation.baselines=all",
            "compute.learner_threads=1",
        ):
            short += ["--set", setting]
        for name in DEMOS:
            with self.subTest(name):
                result = self.demo(name, f"--results={self.checkout}/shown", *short)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                shown = self.checkout / "shown" / name
                self.assertIn("| trained agents |", (shown / "table.md").read_text())
                self.assertTrue(xml.fromstring((shown / "curve.svg").read_text()).tag.endswith("svg"))
                self.assertIn("</html>", (shown / "index.html").read_text())
                self.assertEqual((shown / "burst_1.json").exists(), name == "payments")

    def test_refuses_names_that_it_does_not_know(self):
        for words, said in (
            (("retial",), "there are: retail payments grid traffic"),
            ((), "which one?"),
            (("grid", "--workers=0"), "--workers=0: expected a whole number"),
        ):
            result = self.demo(*words)
            self.assertEqual(result.returncode, 2)
            self.assertIn(said, result.stderr)


if __name__ == "__main__":
    unittest.main()
