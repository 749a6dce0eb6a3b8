"""No line of C++, Python or shell is wider than 120 characters."""

from tree import Finding

WIDEST = 120


def _is_script(tree, path):
    if "." in path.rpartition("/")[2]:
        return path.endswith((".cc", ".h", ".py", ".sh"))
    with open(tree.root / path, "rb") as file:
        return file.read(2) == b"#!"


def check(tree):
    for path in tree.files:
        if not _is_script(tree, path):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            if len(line) > WIDEST:
                yield Finding(path, number, f"{len(line)} characters wide, {WIDEST} is the most")
