#!/usr/bin/env python3
"""gateway_attacks_test.py BIN_FOLDER: what peers that break HTTP/2, or stop halfway, do to a learner behind its gateway
while it trains: to its memory, its pace and its worker. With the certificate of a worker and without one.

ATTACK_SECONDS (4) is how long each goes on."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import hostile_frames

BIN = pathlib.Path(sys.argv.pop(1)).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60
SECONDS = float(os.environ.get("ATTACK_SECONDS", "4"))
GROWTH_MIB = 200
# Of the pace without anybody. The attackers run on the same machine, and what else does comes and goes: a learner whose
# own parser they keep busy comes to a hundredth.
LEAST_PACE = float(os.environ.get("ATTACK_LEAST_PACE", "0.4"))
ENVIRONMENT = {**os.environ, "PATH": f"{SOURCE}/.deps/nginx/usr/sbin:{os.environ['PATH']}:/usr/sbin"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    def __init__(self, *words):
        self.file = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=self.file,
                                        stderr=subprocess.STDOUT, env=ENVIRONMENT)

    def output(self):
        return os.pread(self.file.fileno(), 1 << 20, 0).decode(errors="replace")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
        return self.process.returncode


class GatewayAttacksTest(unittest.TestCase):
    def setUp(self):
        if subprocess.run([SOURCE / "deploy/gateway/gateway.sh", "--learner=unix:/x", "--listen=127.0.0.1:1",
                           "--tls_certificate=/x", "--tls_key=/x", "--tls_client_ca=/x"], env=ENVIRONMENT,
                          capture_output=True, timeout=60).stderr.find(b"nginx is needed") >= 0:
            self.skipTest("no nginx with its stream module (deploy/setup.sh --tests)")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-gateway-"))
        self.addCleanup(shutil.rmtree, self.folder)
        c = self.folder / "certificates"
        subprocess.run([SOURCE / "deploy/certificates.sh", c], check=True, capture_output=True, timeout=60)
        self.authority, self.identity = c / "ca.pem", (c / "worker.pem", c / "worker.key")
        self.port, self.metrics_port = free_port(), free_port()
        socket_path = f"unix:{self.folder}/learner.sock"
        self.learner = self.start(
            BIN / "learner", f"--experiment={SOURCE}/deploy/experiments/traffic_grid.textproto",
            f"--run_dir={self.folder}/run", f"--listen={socket_path}", f"--metrics=127.0.0.1:{self.metrics_port}",
            "--no_final_evaluation", "--set", "total_env_steps=1000000000", "--set", "evaluation.interval_env_steps=0",
            "--set", "compute.learner_threads=1")
        self.gateway = self.start(
            SOURCE / "deploy/gateway/gateway.sh", f"--learner={socket_path}", f"--listen=127.0.0.1:{self.port}",
            f"--folder={self.folder}/gateway", f"--tls_certificate={c}/learner.pem", f"--tls_key={c}/learner.key",
            f"--tls_client_ca={c}/ca.pem")
        self.worker = self.start(
            BIN / "actor_worker", f"--learner=localhost:{self.port}", f"--tls_ca={self.authority}",
            f"--tls_certificate={self.identity[0]}", f"--tls_key={self.identity[1]}")
        self.until(lambda: self.updates() >= 3)

    def start(self, *words):
        program = Program(*words)
        self.addCleanup(program.file.close)
        self.addCleanup(program.stop)
        return program

    def until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.learner.output() + self.worker.output())
            time.sleep(0.02)

    def metric(self, name):
        try:
            page = urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=PATIENCE).read()
        except OSError:
            return 0.0
        found = re.search(rf"^{name} (\S+)$", page.decode(), re.M)
        return float(found[1]) if found else 0.0

    def updates(self):
        return self.metric("troupe_policy_version")

    def pace(self, seconds):
        """Environment steps a second, from update to update: the steps come by batches."""
        first = self.updates()
        self.until(lambda: self.updates() > first)
        began, steps, updates = time.monotonic(), self.metric("troupe_env_steps_total"), self.updates()
        while time.monotonic() < began + seconds:
            time.sleep(0.02)
        self.until(lambda: self.updates() > updates)
        return (self.metric("troupe_env_steps_total") - steps) / (time.monotonic() - began)

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.learner.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def attack(self, name, certificate, tls=True):
        attack, peers = hostile_frames.ATTACKS[name]
        before, said = self.memory_mib(), len(self.worker.output())
        calm = self.pace(SECONDS)
        attackers = hostile_frames.Attackers(
            attack, peers, lambda: hostile_frames.Peer(self.port, self.authority, certificate, tls))
        try:
            pressed = self.pace(SECONDS)
        finally:
            attackers.stop()
        who = "with a certificate" if certificate else "without a certificate" if tls else "without TLS"
        growth = self.memory_mib() - before
        print(f"{name}, {who}: {calm:.0f} → {pressed:.0f} steps/s, the learner's memory {growth:+.0f} MiB", flush=True)
        self.assertIsNone(self.learner.process.poll(), f"{name}: the learner ended: {self.learner.output()}")
        self.assertLess(growth, GROWTH_MIB, name)
        self.assertGreater(pressed, LEAST_PACE * calm, name)
        if not certificate:
            self.assertNotIn("trying again", self.worker.output()[said:], name)

    def test_the_learner_trains_on_whoever_knocks(self):
        for name in os.environ.get("ATTACKS", ",".join(hostile_frames.ATTACKS)).split(","):
            self.attack(name, None)
            self.attack(name, self.identity)
        self.attack("headers without end", None, tls=False)
        self.assertEqual(self.learner.stop(), 0, self.learner.output())


if __name__ == "__main__":
    unittest.main()
