import subprocess
import unittest
from unittest import mock

from made_up_tree import RuleTest
from rules import wire_compatible
from tree import Skipped, this_tree

HERE = wire_compatible.find_program(this_tree())

HEAD = 'syntax = "proto3";\npackage p;\nmessage M {\n'
BEFORE = "  int32 a = 1;\n  string b = 2;"


@unittest.skipIf(HERE is None, "needs buf")
class WireCompatible(RuleTest):
    def setUp(self):
        super().setUp()
        self.write({"proto/m.proto": HEAD + BEFORE + "\n}"})
        subprocess.run([HERE, "build", "-o", "before.binpb"], cwd=self.root, check=True)
        (self.root / "tests/golden/proto").mkdir(parents=True)
        (self.root / "before.binpb").rename(self.root / wire_compatible.LAST_VERSION)

    def breaches(self, fields):
        with mock.patch.object(self.rule, "find_program", return_value=HERE):
            return self.found({"proto/m.proto": HEAD + fields + "\n}"})

    def test_a_new_field_breaks_nothing(self):
        self.assertEqual(self.breaches(BEFORE + "\n  bool c = 4;"), [])

    def test_another_type_name_or_number_is_found_where_it_stands(self):
        found = self.breaches("  bool a = 1;\n  string b = 2;")
        self.assert_places(found, ["proto/m.proto:4"])
        self.assertIn("bool", found[0])
        self.assert_places(self.breaches("  int32 renamed = 1;\n  string b = 2;")[:1], ["proto/m.proto:4"])
        found = self.breaches("  int32 a = 1;")
        self.assert_places(found, ["proto/m.proto:3", "proto/m.proto:3"])  # neither name nor number is reserved
        self.assertIn('Previously present field "2" with name "b"', found[0])
        self.assertEqual(self.breaches('  int32 a = 1;\n  reserved 2;\n  reserved "b";'), [])

    def test_what_cannot_be_read_is_found(self):
        self.assertIn("proto/m.proto:4", self.breaches("  int32 a = ;")[0])

    def test_skipped_with_a_word_without_the_program(self):
        with mock.patch.object(self.rule, "find_program", return_value=None):
            with self.assertRaisesRegex(Skipped, "setup.sh --tests"):
                self.found({"proto/m.proto": HEAD + "}"})
