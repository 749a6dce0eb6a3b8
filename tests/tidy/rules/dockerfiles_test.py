import unittest
from unittest import mock

from made_up_tree import RuleTest
from rules import dockerfiles
from tree import Skipped, this_tree

HERE = dockerfiles.find_program(this_tree())


class Dockerfiles(RuleTest):
    @unittest.skipIf(HERE is None, "needs hadolint")
    def test_what_hadolint_finds_is_found_by_the_style_of_the_tree(self):
        files = {
            ".hadolint.yaml": "ignored: [DL3008]",
            "deploy/Dockerfile": "FROM debian:12\nRUN apt-get update && apt-get install -y gcc\nRUN cd /tmp || exit",
            "tests/good.Dockerfile": "FROM debian:12\nRUN true",
            "note.txt": "FROM debian",
        }
        with mock.patch.object(self.rule, "find_program", return_value=HERE):
            found = self.found(files)
        self.assert_places(found, ["deploy/Dockerfile:2", "deploy/Dockerfile:2", "deploy/Dockerfile:3"])
        self.assertIn("DL3003", found[2])

    @unittest.skipIf(HERE is None, "needs hadolint")
    def test_a_style_that_cannot_be_read_is_found(self):
        with mock.patch.object(self.rule, "find_program", return_value=HERE):
            found = self.found({".hadolint.yaml": "ignored: 3: 4", "Dockerfile": "FROM debian:12"})
        self.assert_places(found, [".hadolint.yaml:1"])

    def test_skipped_with_a_word_without_the_program(self):
        with mock.patch.object(self.rule, "find_program", return_value=None):
            with self.assertRaisesRegex(Skipped, "setup.sh --tests"):
                self.found({"Dockerfile": "FROM debian:12"})
