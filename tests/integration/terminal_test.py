#!/usr/bin/env python3
"""terminal_test.py BIN_FOLDER: the learner and deploy/train.sh in a real terminal: Ctrl-C, a terminal that is closed,
signals, mistaken words. train.sh runs in a checkout of its own, in which nothing is to be installed or compiled."""
import fcntl
import glob
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time
import unittest

BIN = pathlib.Path(sys.argv.pop(1)).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 120

# 256 environment steps per update; no checkpoint but the one of an end.
EXPERIMENT = """
name: 'NAME' seed: 7 total_env_steps: STEPS
environment { name: 'grid_world' settings { key: 'size' value: '3' } }
collection { mode: PIPELINED num_shards: 4 copies_per_shard: 4 rollout_length: 16 }
policy { hidden_sizes: [16] } critic { hidden_sizes: [16] }
ppo { epochs: 2 minibatch_size: 128 }
evaluation { final_episodes: 2 baselines: 'greedy' }
compute { device: CPU learner_threads: 1 precision: F32 }
checkpoint { interval_env_steps: 1000000000 }
"""
ENDLESS = 10**9


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, command, cwd, ignored=(), columns=0):
        self.output, self.status = "", None
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            if columns:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
            os.execvp(command[0], [str(word) for word in command])

    def read(self):
        """What is printed within a moment; False when there is nobody to print."""
        if not select.select([self.master], [], [], 0.05)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += data.decode(errors="replace")
        return bool(data)

    def until(self, condition):
        """Reads until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {PATIENCE} s; printed:\n{self.output}")
            if self.master is not None:
                self.read()
            else:
                time.sleep(0.01)

    def type(self, text):
        os.write(self.master, text)

    def close(self):
        """As a terminal window that is closed, or a connection that breaks."""
        os.close(self.master)
        self.master = None

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait(self):
        self.until(self.ended)
        while self.master is not None and select.select([self.master], [], [], 0)[0] and self.read():
            pass
        return self.status

    def end(self):
        if not self.ended():
            for pid in descendants(self.pid) + [self.pid]:
                os.kill(pid, signal.SIGKILL)
            self.until(self.ended)
        if self.master is not None:
            self.close()


def descendants(pid):
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            children = pathlib.Path(path).read_text().split()
        except OSError:
            continue
        for child in children:
            found += [int(child)] + descendants(int(child))
    return found


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class TerminalTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # A checkout that is set up and built.
        self.checkout = self.folder / "checkout"
        (self.checkout / "deploy/experiments").mkdir(parents=True)
        shutil.copy(SOURCE / "deploy/train.sh", self.checkout / "deploy/train.sh")
        for name in ("setup.sh", "build.sh"):
            script = self.checkout / "deploy" / name
            script.write_text("#!/bin/sh\n")
            script.chmod(0o755)
        (self.checkout / "build/release").mkdir(parents=True)
        (self.checkout / "build/release/bin").symlink_to(BIN)
        # Where the user stands.
        self.home = self.folder / "home"
        self.home.mkdir()

    def experiment(self, name, steps):
        path = self.home / f"{name}.textproto"
        path.write_text(EXPERIMENT.replace("NAME", name).replace("STEPS", str(steps)))
        return path

    def start(self, *command, **how):
        terminal = Terminal([str(word) for word in command], cwd=self.home, **how)
        self.addCleanup(terminal.end)
        return terminal

    def train(self, *words, **how):
        return self.start(self.checkout / "deploy/train.sh", *words, **how)

    def learner(self, run, **how):
        experiment = self.experiment("endless", ENDLESS)
        return self.start(BIN / "learner", f"--experiment={experiment}", f"--run_dir={run}", "--local_workers=1", **how)

    @staticmethod
    def updates(run):
        try:
            lines = (run / "metrics.jsonl").read_text().splitlines()
        except OSError:
            return 0
        return json.loads(lines[-1])["update"] if lines else 0

    def assert_stopped_with_checkpoint(self, run, at_least):
        kept = sorted(int(path.stem) for path in (run / "checkpoints").glob("[0-9]*.safetensors"))
        self.assertTrue(kept, "no checkpoint")
        self.assertGreaterEqual(kept[-1], at_least)
        self.assertIn("stopped by request", (run / "log.txt").read_text())

    # The learner.

    def test_a_closed_terminal_stops_a_learner_with_a_checkpoint(self):
        run = self.home / "run"
        terminal = self.learner(run)
        terminal.until(lambda: self.updates(run) >= 3)
        children = descendants(terminal.pid)
        self.assertTrue(children)
        terminal.close()
        self.assertEqual(terminal.wait(), 0)
        self.assert_stopped_with_checkpoint(run, 3)
        self.assertFalse([pid for pid in children if alive(pid)])

    def test_a_terminal_of_80_columns_rewrites_its_line_of_progress(self):
        run = self.home / "runs/narrow"
        flags = [f"--experiment={self.experiment('narrow', 20480)}", f"--run_dir={run}", "--local_workers=1"]
        terminal = self.start(BIN / "learner", *flags, "--no_final_evaluation", columns=80)
        self.assertEqual(terminal.wait(), 0, terminal.output)
        self.assertIn("weights sha256", terminal.output)
        shown = re.findall(r"\r\x1b\[2K([^\r\n]*)", terminal.output)
        progress = [line for line in shown if " of 20.5 k steps" in line]
        self.assertTrue(progress, terminal.output)
        for line in progress:
            self.assertLess(len(line), 80)
        help_of = self.start(BIN / "actor_worker", "evaluate", "--help", columns=80)
        self.assertEqual(help_of.wait(), 0)
        prose = help_of.output.partition("examples")[0]  # which are command lines, to be copied
        self.assertLessEqual(max(map(len, prose.splitlines())), 80)

    def test_a_learner_that_was_told_to_ignore_hang_ups_does(self):
        run = self.home / "run"
        terminal = self.learner(run, ignored=[signal.SIGHUP])
        terminal.until(lambda: self.updates(run) >= 1)
        os.kill(terminal.pid, signal.SIGHUP)
        terminal.until(lambda seen=self.updates(run): self.updates(run) >= seen + 3)
        os.kill(terminal.pid, signal.SIGTERM)
        self.assertEqual(terminal.wait(), 0)

    def test_a_worker_whose_terminal_is_closed_leaves_in_peace(self):
        run = self.home / "run"
        experiment = self.experiment("endless", ENDLESS)
        learner = self.start(
            BIN / "learner", f"--experiment={experiment}", f"--run_dir={run}", "--no_final_evaluation"
        )
        learner.until(lambda: re.search(r"connect to [0-9.:]+\s", learner.output))
        address = re.search(r"connect to ([0-9.:]+)", learner.output)[1]
        worker = self.start(BIN / "actor_worker", f"--learner={address}")
        learner.until(lambda: self.updates(run) >= 1)
        worker.close()
        self.assertEqual(worker.wait(), 0)
        learner.until(lambda: re.search(r"worker-\S+ left", (run / "log.txt").read_text()))

    # deploy/train.sh.

    def test_ctrl_c_stops_train_sh_and_says_how_to_go_on(self):
        first, second = self.experiment("first", ENDLESS), self.experiment("second", ENDLESS)
        terminal = self.train(first, second, "--workers=1")
        run = self.checkout / "runs/first"
        terminal.until(lambda: self.updates(run) >= 3)
        terminal.type(b"\x03")
        self.assertEqual(terminal.wait(), 130)
        self.assertIn("the same command goes on from the last checkpoint", terminal.output)
        self.assertIn(str(first), terminal.output.split("last checkpoint:")[1])
        self.assert_stopped_with_checkpoint(run, 3)
        self.assertFalse((self.checkout / "runs/second").exists())

    def test_a_closed_terminal_stops_train_sh_before_the_next_seed(self):
        terminal = self.train(self.experiment("e", ENDLESS), "--seeds=2", "--workers=1")
        run = self.checkout / "runs/e-seed1"
        terminal.until(lambda: self.updates(run) >= 3)
        children = descendants(terminal.pid)
        terminal.close()
        self.assertEqual(terminal.wait(), 129)
        self.assert_stopped_with_checkpoint(run, 3)
        self.assertFalse((self.checkout / "runs/e-seed2").exists())
        self.assertFalse([pid for pid in children if alive(pid)])

    def test_sigterm_to_train_sh_alone_stops_its_learner(self):
        terminal = self.train(self.experiment("e", ENDLESS), "--workers=1")
        run = self.checkout / "runs/e"
        terminal.until(lambda: self.updates(run) >= 3)
        os.kill(terminal.pid, signal.SIGTERM)
        self.assertEqual(terminal.wait(), 143)
        self.assert_stopped_with_checkpoint(run, 3)

    def test_a_learner_stopped_alone_stops_train_sh(self):
        terminal = self.train(self.experiment("e", ENDLESS), "--seeds=2", "--workers=1")
        run = self.checkout / "runs/e-seed1"
        terminal.until(lambda: self.updates(run) >= 3)
        learner = descendants(terminal.pid)[0]
        os.kill(learner, signal.SIGTERM)
        self.assertEqual(terminal.wait(), 130)
        self.assertFalse((self.checkout / "runs/e-seed2").exists())

    def test_seeds_end_in_one_table_and_flags_may_be_apart_from_their_values(self):
        self.experiment("e", 512)
        # The experiment is looked up where the user stands.
        terminal = self.train("e.textproto", "--workers", "1", "--seeds", "2", "--device", "cpu")
        self.assertEqual(terminal.wait(), 0, terminal.output)
        self.assertIn("mean of the 2", terminal.output)
        self.assertIn("2 episodes each", terminal.output)
        self.assertIn("1 local", terminal.output)

    def test_another_experiment_in_the_same_folder_is_told_how_to_start_anew(self):
        self.experiment("e", 512)
        self.assertEqual(self.train("e.textproto", "--workers=1").wait(), 0)
        terminal = self.train("e.textproto", "--workers=1", "--set", "environment.settings.size=4")
        self.assertNotIn(terminal.wait(), (0, None))
        self.assertIn("size", terminal.output)
        self.assertIn("To start anew", terminal.output)
        terminal = self.train("e.textproto", "--workers=1", "--set", "environment.settings.size=4", "--run_dir=other")
        self.assertEqual(terminal.wait(), 0, terminal.output)
        self.assertTrue((self.home / "other/actors/final.safetensors").exists())

    def test_mistaken_words_get_straight_answers(self):
        shutil.copy(SOURCE / "deploy/experiments/grid_world.textproto", self.checkout / "deploy/experiments")
        for words, answer in {
            ("--seeds=abc",): "--seeds=abc: expected a whole number",
            ("--workers", "0"): "--workers=0: expected a whole number",
            ("--seeds",): "--seeds: expected a value after it",
            ("--local_workers=3",): "here it is --workers=3",
            ("none.textproto",): f"no experiment file '{self.home}/none.textproto'",
            ("grid_world",): f"did you mean {self.checkout}/deploy/experiments/grid_world.textproto",
        }.items():
            terminal = self.train(*words)
            self.assertEqual(terminal.wait(), 2, words)
            self.assertIn(answer, terminal.output.replace("\r\n", "\n"), words)


if __name__ == "__main__":
    try:
        for descriptor in pty.openpty():
            os.close(descriptor)
    except OSError as error:
        print(f"skipped: this system has no pseudo-terminal ({error})")
        sys.exit(77)
    unittest.main()
