#!/usr/bin/env python3
"""libraries_test.py BIN_FOLDER LIBRARY_FOLDER: what the C libraries export and need, and docs/clients/act.c, which
answers as `actor_worker act` does for every network with every distribution."""

import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN, LIBRARIES = (pathlib.Path(argument).resolve() for argument in (sys.argv.pop(1), sys.argv.pop(1)))
NAMES = ("policy", "environments")


def told_by(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@unittest.skipUnless(shutil.which("readelf") and shutil.which("nm"), "readelf and nm are not installed")
class ObjectTest(unittest.TestCase):
    def test_a_library_exports_what_its_header_declares_and_nothing_else(self):
        for name in NAMES:
            header = (SOURCE / f"actor_worker/libraries/troupe_{name}.h").read_text()
            declared = re.findall(r"TROUPE_API [^;(]*?(troupe_\w+)\(", header)
            listed = told_by("nm", "-D", "--defined-only", LIBRARIES / f"libtroupe_{name}.so")
            self.assertEqual(sorted(line.split()[2] for line in listed.splitlines()), sorted(declared))

    def test_a_library_needs_the_c_and_cpp_libraries_and_abseil_alone(self):
        for name in NAMES:
            told = told_by("readelf", "-dW", LIBRARIES / f"libtroupe_{name}.so")
            needed = re.findall(r"\(NEEDED\).*\[(.+)\]", told)
            self.assertIn("libstdc++.so.6", needed)
            other = [of for of in needed if not re.match(r"lib(stdc\+\+|m|gcc_s|c|absl_\w+)\.so|ld-linux", of)]
            self.assertEqual(other, [])
            self.assertIn(f"[libtroupe_{name}.so.1]", told)


class ActTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        subprocess.run([BIN / "onnx_cases", cls.folder], check=True, timeout=60)
        cls.actors = cls.folder / "actors.safetensors"
        cls.cases = json.loads((cls.folder / "cases.json").read_text())

    def lines(self, policy, agent):
        """A few turns: an episode begins, masks of some actions, messages of some neighbours, numbers in brackets."""
        draw = random.Random(policy["group"])
        stack = policy["stack"]
        sizes = policy.get("action_sizes", [policy["action_size"]])
        for step in range(8):
            if step in (0, 5):
                yield "begin"
            numbers = [draw.uniform(-2, 2) for _ in range(policy["observation_size"])]
            line = " ".join(map(str, numbers)) if step % 2 else str(numbers)
            if policy["action_kind"] != "continuous" and step % 3:
                mask = [bit for size in sizes for bit in draw.sample([1] + [draw.randint(0, 1)] * (size - 1), size)]
                line += " | " + ",".join(map(str, mask))
            for i in range(len(policy["neighbours"][agent]) if "message_size" in stack else 0):
                said = [draw.uniform(-1, 1) for _ in range(stack["message_size"])]
                line += " ; " + (" ".join(map(str, said)) if (step + i) % 3 else "")
            yield line

    def answers(self, lines, *command):
        done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines(), done.stderr

    def test_the_program_in_c_answers_as_the_worker_does(self):
        kept = [group for group in self.cases if group.endswith("_sets")]  # of each network and distribution
        self.assertGreaterEqual(len(kept), 63)
        for number, group in enumerate(kept):
            policy = self.cases[group]["policy"]
            agent = f"{group}/{number % 3}"
            lines = list(self.lines(policy, number % 3))
            with self.subTest(agent):
                # Greedy, or drawn by a seed: there are nine distributions, so that each is followed both ways.
                seed, how = ([], ["--greedy"]) if number % 2 else (["17"], ["--seed=17", "--sample"])
                worker, _ = self.answers(lines, BIN / "actor_worker", "act", f"--actors={self.actors}",
                                         f"--agent={agent}", *how)
                own, refused = self.answers(lines, BIN / "act_client", self.actors, agent, *seed)
                self.assertEqual((own, refused), (worker, ""))
                self.assertEqual(len(own), 8)

    def test_what_cannot_be_acted_on_is_said(self):
        group = next(iter(self.cases))
        done = subprocess.run([BIN / "act_client", self.actors, "nobody"], input="", capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn('has no agent "nobody"', done.stderr)
        done = subprocess.run([BIN / "act_client", self.folder / "cases.json", "nobody"], input="", capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cases.json", done.stderr)
        own, refused = self.answers(["1 2 3", "nan 0 0 0 0", "0 0 0 0 0"], BIN / "act_client", self.actors,
                                    f"{group}/0")
        self.assertEqual(len(own), 1)
        self.assertIn("line 1: not the numbers", refused)
        self.assertIn("line 2: observation 0 is nan", refused)


if __name__ == "__main__":
    unittest.main()
