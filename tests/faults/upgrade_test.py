#!/usr/bin/env python3
"""upgrade_test.py BIN_FOLDER: a run of an earlier version (tests/golden/version_*) goes on with these programs, and
files of a later one are refused by name and left as they are."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from foreign import of_another_version

BIN = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
PATIENCE = 120


def later_format(header):
    header["__metadata__"]["format"] = header["__metadata__"]["format"].split("/")[0] + "/2"


def later_field(header):
    header["__metadata__"]["experiment"] += "\nof_the_future: 1\n"


def later_numbers(header):
    """A type that this version does not know, half as wide."""
    tensor = next(value for name, value in header.items() if name != "__metadata__")
    tensor["dtype"], tensor["shape"] = "BF16", [*tensor["shape"], 2]


def run(*command):
    command = [str(word) for word in command]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def contents(folder):
    """Of all files but the logs, which learners may add to, and the lock."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and path.name not in ("log.txt", "lock") and "workers" not in path.parts}


class UpgradeTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def copy(self, version):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / version.name
        (folder / "checkpoints").mkdir(parents=True)
        shutil.copy(version / "run_id", folder)
        shutil.copy(version / "checkpoint.safetensors", folder / "checkpoints/000000000016.safetensors")
        return folder

    def train(self, version, folder, *more):
        return run(BIN / "learner", "train", f"--experiment={version / 'experiment.textproto'}", f"--run_dir={folder}",
                   "--local_workers=1", "--no_final_evaluation", "--set=total_env_steps=1024", *more)

    def versions(self):
        found = sorted(GOLDEN.glob("version_*"))
        self.assertTrue(found)
        return found

    def test_an_earlier_versions_run_goes_on(self):
        for version in self.versions():
            with self.subTest(version.name):
                folder = self.copy(version)
                ended = self.train(version, folder)
                self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
                self.assertRegex(ended.stdout, "goes on from update 16")
                self.assertRegex(ended.stdout, "trained on 1,024 environment steps in 32 updates")

    def test_an_earlier_versions_actors_play(self):
        for version in self.versions():
            with self.subTest(version.name):
                actors = version / "actors.safetensors"
                flags = [f"--actors={actors}", "--episodes=2", "--baselines=random"]
                ended = run(BIN / "actor_worker", "evaluate", *flags)
                self.assertEqual(ended.returncode, 0, ended.stderr)
                self.assertRegex(ended.stdout, "random")

    def test_a_later_versions_checkpoint_is_refused_by_name_and_left_alone(self):
        version = self.versions()[-1]
        for change in (later_format, later_field, later_numbers):
            with self.subTest(change.__name__):
                folder = self.copy(version)
                old = folder / "checkpoints/000000000016.safetensors"
                later = folder / "checkpoints/000000000024.safetensors"
                later.write_bytes(of_another_version(old.read_bytes(), change))
                before = contents(folder)
                ended = self.train(version, folder)
                self.assertEqual(ended.returncode, 1, ended.stdout + ended.stderr)
                self.assertRegex(ended.stdout + ended.stderr, "000000000024.safetensors: .*version of Troupe")
                self.assertEqual(contents(folder), before)
                later.unlink()
                self.assertEqual(self.train(version, folder).returncode, 0, "without it, the older one is gone on from")

    def test_a_later_versions_best_is_not_replaced(self):
        version = self.versions()[-1]
        folder = self.copy(version)
        old = folder / "checkpoints/000000000016.safetensors"
        best = folder / "checkpoints/best.safetensors"
        best.write_bytes(of_another_version(old.read_bytes(), later_format))
        before = best.read_bytes()
        self.train(version, folder, "--set=evaluation.interval_env_steps=64", "--set=evaluation.episodes=1")
        self.assertIn(before, [path.read_bytes() for path in best.parent.glob("best*")])

    def test_a_later_versions_actors_are_refused_by_name(self):
        actors = self.versions()[-1] / "actors.safetensors"
        later = self.folder / "later.safetensors"
        for change in (later_format, later_field, later_numbers):
            with self.subTest(change.__name__):
                later.write_bytes(of_another_version(actors.read_bytes(), change))
                for command in (["evaluate"], ["replay"], ["act", "--agent=0"]):
                    ended = run(BIN / "actor_worker", command[0], f"--actors={later}", *command[1:])
                    self.assertNotEqual(ended.returncode, 0)
                    self.assertRegex(ended.stderr, re.escape(str(later)) + ": .*version of Troupe")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
