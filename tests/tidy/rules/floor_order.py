"""docs/house.md lists folders in floor order: a folder includes only what has its line further down."""

from house import HOUSE, folders_in_house
from tree import Finding, folder_of


def check(tree):
    line_of_folder = {folder: line for folder, line, _ in folders_in_house(tree)}
    for path in tree.sources():
        here = folder_of(path)
        for include in tree.own_includes(path):
            there = folder_of(include.target)
            # Folders without a line are house_map's business.
            if here == there or here not in line_of_folder or there not in line_of_folder:
                continue
            if line_of_folder[there] < line_of_folder[here]:
                above = f"{HOUSE}:{line_of_folder[there]}, above {here}/ on line {line_of_folder[here]}"
                yield Finding(path, include.line, f'"{include.target}" is upstairs: {there}/ is at {above}')
