"""proto/ still reads what the last version wrote: buf, against tests/golden/proto/last_version.binpb."""

import json
import subprocess

from tree import Finding, Skipped, find_tool

# What the messages of the last version are, as protoc describes them.
LAST_VERSION = "tests/golden/proto/last_version.binpb"
# Numbers and types, as peers and files of the last version have them, and names: experiments are text.
CONFIG = json.dumps({"version": "v2", "breaking": {"use": ["WIRE_JSON"]}})


def find_program(tree):
    return find_tool(tree, "buf")


def check(tree):
    if LAST_VERSION not in tree.files:
        return
    program = find_program(tree)
    if program is None:
        raise Skipped("no buf; deploy/setup.sh --tests brings it")
    done = subprocess.run(
        [program, "breaking", ".", "--path=proto", f"--against={LAST_VERSION}", f"--config={CONFIG}"]
        + ["--error-format=json"],
        cwd=tree.root,
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for breach in found:
        yield Finding(breach.get("path", LAST_VERSION), breach.get("start_line", 1), breach["message"])
    if done.returncode != 0 and not found:
        yield Finding(LAST_VERSION, 1, f"buf failed: {done.stderr.strip()}")
