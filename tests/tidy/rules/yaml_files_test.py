import unittest
from unittest import mock

from made_up_tree import RuleTest
from rules import yaml_files
from tree import Skipped


class YamlFiles(RuleTest):
    @unittest.skipIf(yaml_files.find_program() is None, "needs yamllint")
    def test_what_yamllint_finds_is_found(self):
        style = {".yamllint": "extends: default\nrules: {document-start: disable}"}
        files = {**style, "good.yml": "a: 1", "deploy/twice.yaml": "a: 1\na: 2", "note.txt": "a: 1\na: 2"}
        found = self.found(files)
        self.assert_places(found, ["deploy/twice.yaml:2"])
        self.assertIn("duplication", found[0])

    def test_skipped_with_a_word_without_the_program(self):
        with mock.patch.object(self.rule, "find_program", return_value=None):
            with self.assertRaisesRegex(Skipped, "setup.sh --tests"):
                self.found({"a.yml": "a: 1"})
