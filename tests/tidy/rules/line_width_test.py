from made_up_tree import RuleTest


class LineWidth(RuleTest):
    def test_characters_count_not_bytes(self):
        files = {"a.cc": "é" * 120, "b.py": "#" * 120, "c.md": "m" * 121, "data": "d" * 121, "d.textproto": "t" * 121}
        self.assertEqual(self.found(files), [])

    def test_wide_lines_of_every_language(self):
        wide = "\n" + "é" * 121
        files = {"a.cc": wide, "b.h": wide, "c.py": wide, "d/e.sh": wide, "f/program": "#!/bin/sh\n" + "g" * 130}
        found = self.found(files)
        self.assert_places(found, ["a.cc:2", "b.h:2", "c.py:2", "d/e.sh:2", "f/program:2"])
        self.assertIn("130 characters", found[4])
