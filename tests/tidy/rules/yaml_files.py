"""yamllint finds nothing in any YAML file, by .yamllint."""

import re
import shutil
import subprocess

from tree import Finding, Skipped

_FINDING = re.compile(r"(.+?):(\d+):\d+: (.*)")


def find_program():
    return shutil.which("yamllint")


def check(tree):
    program = find_program()
    if program is None:
        raise Skipped("no yamllint; deploy/setup.sh --tests brings it")
    files = tree.with_suffix(".yml", ".yaml")
    if not files:
        return
    done = subprocess.run(
        [program, "--format=parsable", *files], cwd=tree.root, capture_output=True, text=True, timeout=300
    )
    found = [match for match in map(_FINDING.match, done.stdout.split("\n")) if match]
    for match in found:
        yield Finding(match[1], int(match[2]), match[3])
    if done.returncode != 0 and not found:
        yield Finding(".yamllint", 1, f"yamllint failed: {done.stderr.strip()}")
