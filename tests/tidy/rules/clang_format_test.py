import pathlib
import unittest
from unittest import mock

from made_up_tree import RuleTest
from rules import clang_format
from tree import Skipped, Tree

_STYLE = {".clang-format": "BasedOnStyle: Google\nColumnLimit: 120"}
# A made-up tree has no .deps of its own: what this repository has.
_PROGRAM = clang_format.find_program(Tree(pathlib.Path(__file__).resolve().parents[3]))


class ClangFormat(RuleTest):
    def found_by(self, program, files):
        with mock.patch.object(self.rule, "find_program", return_value=program):
            return self.found(files)

    @unittest.skipIf(_PROGRAM is None, "needs clang-format 14")
    def test_its_own_output_is_free(self):
        wide = f"int F(int {'a' * 40}, int {'b' * 40}, int {'c' * 15});"
        files = {**_STYLE, "common/a.h": wide, "tests/b.cc": "int* p;", "c.txt": "int   x;"}
        self.assertEqual(self.found_by(_PROGRAM, files), [])

    @unittest.skipIf(_PROGRAM is None, "needs clang-format 14")
    def test_every_line_of_another_form_is_found_once(self):
        files = {**_STYLE, "common/a.h": "int  p;\nint q;\nint  r ;", "tests/b.cc": "int f( ){return 0;}"}
        self.assert_places(self.found_by(_PROGRAM, files), ["common/a.h:1", "common/a.h:3", "tests/b.cc:1"])

    def test_skipped_with_a_word_without_the_program(self):
        with self.assertRaisesRegex(Skipped, "setup.sh --tests"):
            self.found_by(None, {"common/a.h": "int  p;"})
