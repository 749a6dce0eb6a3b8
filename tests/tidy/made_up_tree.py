"""Small trees that are made up for the tests of the rules."""

import importlib
import pathlib
import tempfile
import unittest

from tree import Tree


class RuleTest(unittest.TestCase):
    """For a test of the rule of the same file name without _test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.rule = importlib.import_module(type(self).__module__.removesuffix("_test"))

    def write(self, files):
        """{path: text}; whole lines, the last newline is put there."""
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text + "\n", encoding="utf-8")

    def found(self, files, **more):
        """What the rule finds in a tree of these files, as "PATH:LINE: WHAT"."""
        self.write(files)
        return [f"{f.path}:{f.line}: {f.what}" for f in sorted(self.rule.check(Tree(self.root), **more))]

    def assert_places(self, found, places):
        """That just these "PATH:LINE" were found."""
        self.assertEqual([":".join(line.split(":")[:2]) for line in found], places, "\n".join(found))
