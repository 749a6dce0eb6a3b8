"""The program itself: what it prints, and with which status it ends."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

from tree import Tree

_RUN = pathlib.Path(__file__).resolve().parent / "run"


def run(*arguments):
    return subprocess.run([sys.executable, _RUN, *arguments], capture_output=True, text=True, timeout=120)


class Run(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def test_every_finding_is_a_line_and_the_status_says_so(self):
        self.write("common/a.cc", '#include "learner/b.h"\n' + "x" * 121 + "\n")
        done = run("--root", self.root, "layers", "line_width")
        lines = done.stdout.splitlines()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertTrue(lines[0].startswith("common/a.cc:1: layers: common includes "), lines)
        self.assertEqual(lines[1], "common/a.cc:2: line_width: 121 characters wide, 120 is the most")
        self.assertEqual(lines[2], "tidy: 1 files, 2 rules, 2 findings")

    def test_a_tree_without_files_is_a_mistake(self):
        self.assertEqual(run("--root", self.root).returncode, 2)

    def test_nothing_found_nothing_checked_and_no_such_rule(self):
        self.write("common/a.cc", "int x;\n")
        self.assertEqual(run("--root", self.root, "layers").returncode, 0)
        skipped = run("--root", self.root, "program_libraries")
        self.assertEqual(skipped.returncode, 77)
        self.assertIn("skipped program_libraries: ", skipped.stdout)
        wrong = run("layer")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("no such rule: layer", wrong.stderr)

    def test_every_rule_has_its_test_and_a_line_of_the_list(self):
        rules = {path.stem for path in (_RUN.parent / "rules").glob("[!_]*.py")}
        names = {name for name in rules if not name.endswith("_test")}
        self.assertEqual({name + "_test" for name in names}, rules - names)
        self.assertEqual({line.split()[0] for line in run("--list").stdout.splitlines()}, names)

    def test_git_says_what_belongs_to_the_tree(self):
        for path in ("common/a.cc", "common/new.cc", "build/b.cc", "gone.cc"):
            self.write(path, "")
        self.write(".gitignore", "/build/\n")
        git = ["git", "-C", self.root]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "add", "common/a.cc", "gone.cc"], check=True)
        (self.root / "gone.cc").unlink()
        self.assertEqual(Tree(self.root).files, [".gitignore", "common/a.cc", "common/new.cc"])
