"""C++ files are as clang-format 14 with the repository's .clang-format leaves them."""

import pathlib
import re
import shutil
import subprocess

from tree import Finding, Skipped

# Other versions break lines otherwise.
VERSION = "14"
_WARNING = re.compile(r"(.+?):(\d+):\d+: (?:warning|error): (.*) \[-W")


def find_program(tree):
    """PyPI's (tests/requirements.txt), Debian's, or whatever has the version; None without one."""
    for name in (tree.root / ".deps/test_python/bin/clang-format", f"clang-format-{VERSION}", "clang-format"):
        program = shutil.which(name)
        if program is None:
            continue
        # One of a checkout that was moved fails, and is none.
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60).stdout
        if re.search(rf"version {VERSION}\.", told):
            return program
    return None


def check(tree):
    program = find_program(tree)
    if program is None:
        raise Skipped(f"no clang-format {VERSION}; deploy/setup.sh --tests brings it")
    files = [f for f in tree.files if pathlib.PurePath(f).suffix in (".cc", ".h")]
    if not files:
        return
    done = subprocess.run(
        [program, "--dry-run", "--style=file", *files], cwd=tree.root, stderr=subprocess.PIPE, text=True, timeout=300
    )
    found = set()
    for line in done.stderr.split("\n"):
        match = _WARNING.match(line)
        if match and (match[1], match[2]) not in found:
            found.add((match[1], match[2]))
            yield Finding(match[1], int(match[2]), f"{match[3]} (clang-format-{VERSION} -i {match[1]})")
    if done.returncode != 0 and not found:
        yield Finding(".clang-format", 1, f"clang-format failed: {done.stderr.strip()}")
