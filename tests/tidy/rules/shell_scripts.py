"""shellcheck finds nothing in any shell script; what it is to overlook is said beside the line, with the reason."""

import re
import shutil
import subprocess

from tree import Finding, Skipped

_SHEBANG = re.compile(rb"#!\S*(/|env )(ba|da)?sh\b")
_FINDING = re.compile(r"(.+?):(\d+):\d+: \w+: (.*)")


def find_program():
    return shutil.which("shellcheck")


def _is_script(tree, path):
    with open(tree.root / path, "rb") as file:
        return bool(_SHEBANG.match(file.readline(200)))


def check(tree):
    program = find_program()
    if program is None:
        raise Skipped("no shellcheck; deploy/setup.sh --tests brings it")
    scripts = [path for path in tree.files if _is_script(tree, path)]
    if not scripts:
        return
    done = subprocess.run(
        [program, "--format=gcc", *scripts], cwd=tree.root, capture_output=True, text=True, timeout=300
    )
    for line in done.stdout.split("\n"):
        match = _FINDING.match(line)
        if match:
            yield Finding(match[1], int(match[2]), match[3])
    if done.returncode > 1:
        yield Finding("tests/tidy/rules/shell_scripts.py", 1, f"shellcheck failed: {done.stderr.strip()}")
