"""Tests that the documents name exist, and every threat of docs/security.md names one."""

import functools
import posixpath
import re

from tree import Finding

_FILE = re.compile(r"`([a-z0-9_/.]*_test\.(?:cc|py))`")
# `SomeTestsName`, `Suite.SomeTestsName`, `Suite`, `TheBeginningOfSome…`
_CASE = re.compile(r"`(?:\w+\.)?([A-Z][A-Za-z0-9]{9,})(…?)`")
_DEFINED = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)
_TABLE = "docs/security.md"
_THREATS = "## Threats"


@functools.lru_cache(maxsize=None)
def _cases(tree):
    paths = tree.with_suffix("_test.cc", under=["tests/"])
    return {case for path in paths for case in _DEFINED.findall(tree.text(path))}


def _is_case(tree, name, cut):
    return any(name in (suite, case) or cut and case.startswith(name) for suite, case in _cases(tree))


def _files(tree):
    """Whether a name, with folders or without, is a test's file."""
    paths = tree.with_suffix("_test.cc", "_test.py")
    return lambda name: any(path == name or posixpath.basename(path) == name for path in paths)


def _threats(tree):
    """(line number, last cell) of the rows of the threats' table."""
    if _TABLE not in tree.files:
        return
    within = False
    for number, line in enumerate(tree.lines(_TABLE), 1):
        if line.startswith("## "):
            within = line == _THREATS
        elif within and line.startswith("| ") and not line.startswith("| threat |"):
            yield number, re.split(r"(?<!\\)\|", line.strip().strip("|"))[-1].strip()


def check(tree):
    is_file = _files(tree)
    for path in tree.with_suffix(".md"):
        for number, line in enumerate(tree.lines(path), 1):
            for name in _FILE.findall(line):
                if not is_file(name):
                    yield Finding(path, number, f"{name}: there is no such test")
    for number, cell in _threats(tree):
        cases = _CASE.findall(cell)
        for name, cut in cases:
            if not _is_case(tree, name, cut):
                yield Finding(_TABLE, number, f"{name}: no test has this name")
        # A letter stands for a file; the table's introduction says which.
        if not cases and not _FILE.search(cell) and not re.match(r"[A-Z]\b", cell):
            yield Finding(_TABLE, number, "a threat whose row names no test")
