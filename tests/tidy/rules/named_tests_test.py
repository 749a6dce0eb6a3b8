from made_up_tree import RuleTest

TABLE = "## Threats\n\n| threat | what stops it | test |\n|---|---|---|\n"


class NamedTests(RuleTest):
    TESTS = {"tests/learner/door_test.cc": "TEST_F(DoorTest, StrangersStayOutside) {}\nTEST(Key, IsTurnedTwice) {}"}

    def test_tests_that_exist_are_free(self):
        rows = (
            "| a | b | `door_test.cc` |\n| a | b | `tests/learner/door_test.cc` `StrangersStayOutside` |\n"
            "| a | b | D `DoorTest.StrangersStayOutside` |\n| a | b | D `StrangersStay…` |\n| a | b | D |"
        )
        self.assertEqual(self.found({**self.TESTS, "docs/security.md": TABLE + rows}), [])

    def test_tests_that_do_not_exist_are_found(self):
        rows = "| a | b | `gate_test.cc` |\n| a | b | D `StrangersStayOutsideForever` |\n| a | b | D `NobodyKnows…` |"
        found = self.found({**self.TESTS, "docs/security.md": TABLE + rows, "README.md": "see `tests/no_test.py`"})
        self.assert_places(found, ["README.md:1", "docs/security.md:5", "docs/security.md:6", "docs/security.md:7"])
        self.assertIn("no test has this name", found[2])

    def test_threats_without_a_test_are_found(self):
        rows = "| a | b | |\n| a | b | we looked |\n## Cost\n| x |"
        found = self.found({**self.TESTS, "docs/security.md": TABLE + rows})
        self.assert_places(found, ["docs/security.md:5", "docs/security.md:6"])
        self.assertIn("names no test", found[0])
