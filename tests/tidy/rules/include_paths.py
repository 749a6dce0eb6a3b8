"""Own headers are included in quotes and by their path from the root."""

import posixpath

from tree import SOURCE_FOLDERS, Finding, folder_of


def check(tree):
    files = set(tree.files)
    for path in tree.sources():
        for include in tree.includes(path):
            target = include.target
            beside = posixpath.normpath(posixpath.join(folder_of(path), target))
            if include.bracket == '"' and target not in files and (target.startswith(".") or beside in files):
                yield Finding(path, include.line, f'"{target}": by its path from the root, "{beside}"')
            elif include.bracket == "<" and target.split("/")[0] in SOURCE_FOLDERS:
                yield Finding(path, include.line, f'<{target}>: in quotes, "{target}"')
