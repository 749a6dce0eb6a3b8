"""The source tree as the rules see it: its files, their lines and what they include."""

import collections
import functools
import os
import pathlib
import re
import shutil
import subprocess

# Where something is wrong, and what: a path from the tree's root, a line from 1, a sentence.
Finding = collections.namedtuple("Finding", "path line what")

# An #include: the line it stands on, "<" or '"', the words between.
Include = collections.namedtuple("Include", "line bracket target")

# The folders whose files are included by their path from the root.
SOURCE_FOLDERS = ("tests", "actor_worker", "learner", "common", "proto")

_INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
# Looked into only where there is no git to ask.
_NOT_SOURCE = {".deps", ".git", "build", "runs", "__pycache__"}


class Skipped(Exception):
    """Raised by a rule that cannot be checked here; says what it lacks."""


class Tree:
    """Files are named by their path from `root`, with slashes: those that git has or would take, or, without git, all
    but what is built, installed or a run. `programs` is the folder of built programs."""

    def __init__(self, root, programs=None):
        self.root = pathlib.Path(root).resolve()
        self.programs = pathlib.Path(programs).resolve() if programs else self.root / "build" / "release" / "bin"
        names = self._from_git() if (self.root / ".git").exists() else self._from_disk()
        self.files = sorted(names)

    def _from_git(self):
        # Whoever owns the checkout: a container's root may look at another user's.
        git = ["git", "-c", f"safe.directory={self.root}", "ls-files", "-z"]
        listed = subprocess.run(
            [*git, "--cached", "--others", "--exclude-standard"], cwd=self.root, stdout=subprocess.PIPE, check=True
        )
        names = {os.fsdecode(name) for name in listed.stdout.split(b"\0") if name}
        return {name for name in names if (self.root / name).is_file()}

    def _from_disk(self):
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in _NOT_SOURCE]
            for name in files:
                yield (pathlib.Path(folder) / name).relative_to(self.root).as_posix()

    def with_suffix(self, *suffixes, under=("",)):
        """The files that end so, in folders that begin so."""
        return [f for f in self.files if f.endswith(suffixes) and f.startswith(tuple(under))]

    def sources(self):
        """C++ files of the source folders."""
        return self.with_suffix(".h", ".cc", under=[folder + "/" for folder in SOURCE_FOLDERS])

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def lines(self, path):
        return self.text(path).split("\n")

    @functools.lru_cache(maxsize=None)
    def includes(self, path):
        found = []
        for number, line in enumerate(self.lines(path), 1):
            match = _INCLUDE.match(line)
            if match:
                found.append(Include(number, *match.groups()))
        return found

    def own_includes(self, path):
        """Those of the project's own headers, by their path from the root."""
        return [include for include in self.includes(path) if include.target.split("/")[0] in SOURCE_FOLDERS]


def find_tool(tree, name):
    """The program that tests/requirements.txt brings, or the machine's; None without one."""
    return shutil.which(tree.root / ".deps/test_python/bin" / name) or shutil.which(name)


def this_tree():
    return Tree(pathlib.Path(__file__).resolve().parents[2])


def folder_of(path):
    """"" for files of the root."""
    return path.rpartition("/")[0]


def line_of(text, position):
    return text.count("\n", 0, position) + 1
