"""Every folder with files in it has its line in docs/house.md, and every line a folder."""

from house import HOUSE, folders_in_house
from tree import Finding, folder_of


def check(tree):
    if HOUSE not in tree.files:
        yield Finding(HOUSE, 1, "there is no such file")
        return
    folders = {folder_of(path) for path in tree.files} - {""}
    lines = folders_in_house(tree)
    told = {}
    for folder, line, words in lines:
        if folder not in folders:
            yield Finding(HOUSE, line, f"{folder}/ is not there, or has no file of its own")
        if folder in told:
            yield Finding(HOUSE, line, f"{folder}/ has a line already: {told[folder]}")
        if not words:
            yield Finding(HOUSE, line, f"nothing is said of {folder}/")
        told.setdefault(folder, line)
    for folder in sorted(folders - set(told)):
        first = next(path for path in tree.files if folder_of(path) == folder)
        yield Finding(first, 1, f"{folder}/ has no line in {HOUSE}")
