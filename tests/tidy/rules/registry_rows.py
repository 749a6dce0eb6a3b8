"""Every row of a registry has a test that names it; every environment is in an experiment or on a page of docs.

A registry is a file registry.cc whose function All…() makes a vector of …Entry. Its rows are calls of functions that
return one, or braces that begin with the name.
"""

import collections
import re

from tree import Finding, line_of

# name: None where it was not found; function: what is called for the row, "" where it is braces.
_Row = collections.namedtuple("_Row", "kind entry_type line name function")

_TABLE = re.compile(r"All(\w+)\(\) \{.*?new std::vector<(\w+)>\s*\{(.*?)\n\s*\};", re.DOTALL)
_ROW = re.compile(r'\b(\w+)\(\)|\{\s*(?:\.name = )?"([^"]+)"')
_COMMENT = re.compile(r"//.*")


def _name_in_definition(tree, entry_type, function):
    """The first string of the function's definition."""
    definition = re.compile(rf'\b{entry_type} {function}\(\) \{{[^"]*"([^"]+)"')
    matches = (definition.search(tree.text(f)) for f in tree.with_suffix(".cc", under=("actor_worker/", "learner/")))
    return next((match[1] for match in matches if match), None)


def _rows(tree, path):
    text = tree.text(path)
    for table in _TABLE.finditer(text):
        kind, entry_type, body = table.groups()
        for row in _ROW.finditer(body):
            function, name = row[1] or "", row[2]
            line = line_of(text, table.start(3) + row.start())
            yield _Row(kind, entry_type, line, name or _name_in_definition(tree, entry_type, function), function)


def _is_tested(tree, row):
    # The name as a string, which may stand within another one; or the function, called and not declared.
    words = rf'"{re.escape(row.name)}\\?"'
    if row.function:
        words += rf"|(?<!{row.entry_type} )\b{row.function}\(\)"
    tests = tree.with_suffix("_test.cc", under=("tests/",))
    return any(re.search(words, _COMMENT.sub("", line)) for path in tests for line in tree.lines(path))


def _is_played(tree, name):
    experiment = re.compile(rf'\benvironment\s*:?\s*\{{[^}}]*?\bname:\s*"{re.escape(name)}"')
    if any(experiment.search(tree.text(f)) for f in tree.with_suffix(".textproto", under=("deploy/experiments/",))):
        return True
    return any(f"`{name}`" in tree.text(f) for f in tree.with_suffix(".md", under=("docs/", "README.md")))


def check(tree):
    for path in tree.files:
        if not path.endswith("/registry.cc"):
            continue
        rows = list(_rows(tree, path))
        if not rows:
            yield Finding(path, 1, "no rows found; this rule reads `All…() { … new std::vector<…Entry>{ … }; `")
        for row in rows:
            if row.name is None:
                yield Finding(path, row.line, f"no definition of {row.function}() with the row's name found")
                continue
            if not _is_tested(tree, row):
                yield Finding(path, row.line, f'no test (tests/…/*_test.cc) names "{row.name}"')
            if row.kind == "Environments" and not _is_played(tree, row.name):
                yield Finding(path, row.line, f"`{row.name}` has neither an experiment nor a page of docs")
