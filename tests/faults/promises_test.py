#!/usr/bin/env python3
"""Every promise of docs/reliability.md names tests that try to break it, and these exist."""

import fnmatch
import pathlib
import re
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
DOCUMENT = TESTS.parent / "docs/reliability.md"


def promises():
    """(promise, the names in its row's second column) of the first table."""
    table = DOCUMENT.read_text().split("| promise |")[1].split("\n\n")[0]
    for row in table.split("\n")[2:]:
        promise, tried = row.strip("|").split(" | ")[:2]
        yield promise, re.findall(r"`([A-Za-z_]\w*[.*][\w.*…]*)`", tried)


def tests():
    """As ctest names them."""
    names = set()
    for path in TESTS.rglob("*.cc"):
        for suite, name in re.findall(r"^TEST(?:_[FP])?\((\w+),\s*(\w+)\)", path.read_text(errors="replace"), re.M):
            names.add(f"{suite}.{name}")
    recipe = (TESTS / "CMakeLists.txt").read_text()
    names |= {f"{label}.{name}" for label, name in re.findall(r"troupe_script_test\((\w+) (\w+)", recipe)}
    names |= {"fuzz." + path.name.removesuffix("_target.cc") for path in (TESTS / "fuzz").glob("*_target.cc")}
    return names | set(re.findall(r"add_test\(NAME ([\w.]+)", recipe))


class PromisesTest(unittest.TestCase):
    def test_each_is_tried_by_tests_that_there_are(self):
        known, rows = tests(), list(promises())
        self.assertGreater(len(rows), 5)
        for promise, named in rows:
            self.assertTrue(named, f"nothing tries: {promise}")
            for pattern in named:
                pattern = pattern.replace("…", "*")
                self.assertTrue(fnmatch.filter(known, pattern), f"there is no test {pattern}")


if __name__ == "__main__":
    unittest.main()
