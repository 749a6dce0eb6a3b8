"""hadolint finds nothing in any Dockerfile, by .hadolint.yaml."""

import json
import pathlib
import subprocess

from tree import Finding, Skipped, find_tool


def find_program(tree):
    return find_tool(tree, "hadolint")


def check(tree):
    program = find_program(tree)
    if program is None:
        raise Skipped("no hadolint; deploy/setup.sh --tests brings it")
    files = [f for f in tree.files if pathlib.PurePath(f).name == "Dockerfile" or f.endswith(".Dockerfile")]
    if not files:
        return
    done = subprocess.run(
        [program, "--no-fail", "--format=json", *files], cwd=tree.root, capture_output=True, text=True, timeout=300
    )
    # With settings that it cannot read it says so and ends with 0.
    if done.returncode != 0 or done.stderr.strip() or not done.stdout.startswith("["):
        yield Finding(".hadolint.yaml", 1, f"hadolint failed: {(done.stderr or done.stdout).strip()}")
        return
    for found in json.loads(done.stdout):
        yield Finding(found["file"], found["line"], f"{found['code']}: {found['message']}")
