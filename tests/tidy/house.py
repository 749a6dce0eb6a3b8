"""docs/house.md: the map of the tree, a line per folder, in floor order."""

import re

HOUSE = "docs/house.md"
_LINE = re.compile(r"\s*- `([^`]+)/`:?(.*)")


def folders_in_house(tree):
    """(folder, line number, what is said of it) of every line of the map, from the roof down; [] without a map."""
    if HOUSE not in tree.files:
        return []
    matches = [(number, _LINE.match(line)) for number, line in enumerate(tree.lines(HOUSE), 1)]
    return [(match[1], number, match[2].strip()) for number, match in matches if match]
