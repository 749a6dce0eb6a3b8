from made_up_tree import RuleTest

_MAP = """# The house

- `docs/`: for people
- `learner/run/`: the loop
- `common/base/`: the ground"""


class HouseMap(RuleTest):
    def tree(self, house=_MAP, **more):
        return {"docs/house.md": house, "learner/run/a.cc": "", "common/base/b.h": "", "README.md": "", **more}

    def test_a_line_for_every_folder_is_free(self):
        self.assertEqual(self.found(self.tree()), [])

    def test_a_folder_without_a_line(self):
        found = self.found(self.tree(**{"learner/run/more/c.cc": "", "deploy/d.sh": ""}))
        self.assert_places(found, ["deploy/d.sh:1", "learner/run/more/c.cc:1"])

    def test_lines_of_folders_that_are_gone_twice_there_or_say_nothing(self):
        wrong = _MAP + "\n- `common/gone/`: was here\n- `learner/`: holds folders only\n- `docs/`: again\n- `x/`:"
        found = self.found(self.tree(wrong, **{"x/y": ""}))
        self.assert_places(found, [f"docs/house.md:{line}" for line in (6, 7, 8, 9)])
        self.assertIn("line already: 3", found[2])

    def test_no_map_at_all(self):
        self.assert_places(self.found({"common/base/b.h": ""}), ["docs/house.md:1"])
