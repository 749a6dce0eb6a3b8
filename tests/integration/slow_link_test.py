#!/usr/bin/env python3
"""slow_link_test.py BIN_FOLDER: a worker behind a link on which one chunk takes three quarters of a minute, twice as
long as a silent worker keeps its leases: it arrives, over one connection; a link that is dead is noticed. Two network
namespaces of the test's own, joined by a veth pair that is slowed down (tc); exit status 77 (skipped) where that is not
allowed."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BIN = pathlib.Path(sys.argv.pop(1)).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 200
NOTICED = 60  # a heartbeat and half a minute
RATE = "200kbit"
LEARNER, WORKER = f"troupe_l{os.getpid()}", f"troupe_w{os.getpid()}"
SETTINGS = {"total_env_steps": 1000000000, "collection.num_shards": 1, "collection.copies_per_shard": 16,
            "evaluation.interval_env_steps": 0, "compute.learner_threads": 1}


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, timeout=60)


def remove_namespaces():
    for name in (LEARNER, WORKER):
        ip("netns", "del", name)


def make_namespaces():
    """Whether they are there."""
    lines = [["netns", "add", LEARNER], ["netns", "add", WORKER], ["-n", LEARNER, "link", "set", "lo", "up"],
             ["-n", LEARNER, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", WORKER],
             ["-n", LEARNER, "addr", "add", "10.77.0.1/24", "dev", "v0"], ["-n", LEARNER, "link", "set", "v0", "up"],
             ["-n", WORKER, "addr", "add", "10.77.0.2/24", "dev", "v1"], ["-n", WORKER, "link", "set", "v1", "up"],
             ["netns", "exec", WORKER, "tc", "qdisc", "add", "dev", "v1", "root", "tbf", "rate", RATE, "burst", "32k",
              "latency", "1s"]]
    try:
        return all(ip(*line).returncode == 0 for line in lines)
    except FileNotFoundError:
        return False


class SlowLinkTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-slow-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, namespace, name, *words):
        output = open(self.folder / f"{name}.txt", "w", encoding="utf-8")
        self.addCleanup(output.close)
        process = subprocess.Popen(["ip", "netns", "exec", namespace, *map(str, words)], stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGKILL)

    def said(self, name):
        return (self.folder / f"{name}.txt").read_text(encoding="utf-8", errors="replace")

    def test_a_chunk_that_takes_longer_than_a_lease_arrives_and_a_dead_link_is_noticed(self):
        settings = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
        self.start(LEARNER, "learner", BIN / "learner",
                   f"--experiment={SOURCE}/deploy/experiments/traffic_grid.textproto", f"--run_dir={self.folder}/run",
                   "--listen=10.77.0.1:7070", "--insecure", "--no_final_evaluation", *settings)
        self.start(WORKER, "worker", BIN / "actor_worker", "--learner=10.77.0.1:7070", "--insecure")
        records = self.folder / "run/metrics.jsonl"
        deadline = time.monotonic() + PATIENCE
        while not (records.exists() and records.read_text(encoding="utf-8").strip()):
            self.assertLess(time.monotonic(), deadline, self.said("learner") + self.said("worker"))
            time.sleep(0.1)
        self.assertIsNone(re.search("is lost|disconnected", self.said("learner")), self.said("learner"))
        registered = self.said("worker").find(" at 10.77.0.1:7070\n")
        self.assertGreater(registered, 0, self.said("worker"))
        self.assertNotIn("trying again", self.said("worker")[registered:])
        # Nothing passes any more, and nobody says so.
        self.assertEqual(ip("-n", LEARNER, "link", "set", "v0", "down").returncode, 0)
        deadline = time.monotonic() + NOTICED
        while "trying again" not in self.said("worker")[registered:]:
            self.assertLess(time.monotonic(), deadline, "a dead link is not noticed")
            time.sleep(0.1)


if __name__ == "__main__":
    try:
        if not make_namespaces():
            print("skipped: no network namespaces, or no tc, to be had")
            sys.exit(77)
        unittest.main()
    finally:
        remove_namespaces()
