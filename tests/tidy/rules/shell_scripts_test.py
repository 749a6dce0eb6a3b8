import unittest
from unittest import mock

from made_up_tree import RuleTest
from rules import shell_scripts
from tree import Skipped


class ShellScripts(RuleTest):
    @unittest.skipIf(shell_scripts.find_program() is None, "needs shellcheck")
    def test_what_shellcheck_finds_is_found_whatever_the_file_is_called(self):
        files = {
            "deploy/good.sh": '#!/bin/sh\necho "$1"',
            "deploy/bad.sh": "#!/usr/bin/env bash\ncd $1\necho",
            ".ci/bad": "#!/bin/bash\necho $1",
            "a.py": "#!/usr/bin/env python3\nprint($1)",
        }
        found = self.found(files)
        self.assert_places(found, [".ci/bad:2", "deploy/bad.sh:2", "deploy/bad.sh:2"])
        self.assertIn("SC2086", found[0])

    @unittest.skipIf(shell_scripts.find_program() is None, "needs shellcheck")
    def test_what_is_excused_beside_its_line_is_not_found(self):
        self.assertEqual(self.found({"a.sh": "#!/bin/sh\n# shellcheck disable=SC2086  # words\necho $1"}), [])

    def test_skipped_with_a_word_without_the_program(self):
        with mock.patch.object(self.rule, "find_program", return_value=None):
            with self.assertRaisesRegex(Skipped, "setup.sh --tests"):
                self.found({"a.sh": "#!/bin/sh"})
