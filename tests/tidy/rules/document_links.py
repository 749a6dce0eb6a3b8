"""Links within the documents lead somewhere: to a file of the tree, and to a heading of it where they name one."""

import functools
import posixpath
import re
import urllib.parse

from tree import Finding, folder_of

_LINK = re.compile(r"(?<!\\)\]\(<?([^()\s>]+(?:\([^()\s]*\)[^()\s>]*)*)>?(?:\s+\"[^\"]*\")?\)")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
_FENCE = re.compile(r"\s*(```|~~~)")
_CODE = re.compile(r"`[^`]*`")


def _prose(tree, path):
    """(line number, line) outside of blocks of code."""
    fenced = False
    for number, line in enumerate(tree.lines(path), 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def _anchor(heading):
    """As GitHub makes it of a heading: lower case, letters, digits, hyphens; spaces become hyphens."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    kept = "".join(letter for letter in text.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


@functools.lru_cache(maxsize=None)
def _anchors(tree, path):
    found, uses = set(), {}
    for _, line in _prose(tree, path):
        match = _HEADING.match(line)
        if match:
            anchor = _anchor(match[1])
            count = uses.get(anchor, 0)
            uses[anchor] = count + 1
            found.add(anchor if count == 0 else f"{anchor}-{count}")
    return found


def check(tree):
    for path in tree.with_suffix(".md"):
        for number, line in _prose(tree, path):
            for match in _LINK.finditer(_CODE.sub("", line)):
                link = urllib.parse.unquote(match[1])
                if _ELSEWHERE.match(link):
                    continue
                place, _, anchor = link.partition("#")
                target = posixpath.normpath(posixpath.join(folder_of(path), place)) if place else path
                if target not in tree.files and not (tree.root / target).is_dir():
                    yield Finding(path, number, f"{match[1]}: there is no {target}")
                elif anchor and target.endswith(".md") and anchor not in _anchors(tree, target):
                    yield Finding(path, number, f"{match[1]}: {target} has no heading #{anchor}")
