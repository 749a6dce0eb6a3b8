"""A learner that trains with one honest worker, and what of it can be seen while others do what they like."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/faults"))
from attacks import Known  # noqa: E402
from proxy import TO_LEARNER, Proxy  # noqa: E402
from wire import Target  # noqa: E402
from witness import Messages, fields  # noqa: E402

PATIENCE = 120
TOKEN = "the-token-of-these-attacks"
ENVIRONMENT = {**os.environ, "PATH": f"{SOURCE}/.deps/nginx/usr/sbin:{os.environ['PATH']}:/usr/sbin"}
# The learner may have so many files and connections open: few enough that attackers can use them up.
DESCRIPTORS = 1024
# What stands before the learner: nothing; a token that every call must carry; a gateway with mutual TLS.
KINDS = ("plain", "token", "gateway")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def has_gateway():
    tried = subprocess.run(
        [SOURCE / "deploy/gateway/gateway.sh", "--learner=unix:/x", "--listen=127.0.0.1:1", "--tls_certificate=/x",
         "--tls_key=/x", "--tls_client_ca=/x"], env=ENVIRONMENT, capture_output=True, timeout=60)
    return b"nginx is needed" not in tried.stderr


class Program:
    def __init__(self, *words, prefix=()):
        self.file = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([*prefix, *map(str, words)], stdin=subprocess.DEVNULL, stdout=self.file,
                                        stderr=subprocess.STDOUT, env=ENVIRONMENT)
        self.pid = self.process.pid

    def output(self):
        return os.pread(self.file.fileno(), 1 << 20, max(0, os.fstat(self.file.fileno()).st_size - (1 << 20))).decode(
            errors="replace")

    def alive(self):
        return self.process.poll() is None

    def stop(self, seconds=PATIENCE):
        """The status and how long it took; None: it had to be killed."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds), time.monotonic() - began
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None, time.monotonic() - began


class Arena:
    """One of KINDS, and a folder of its own. Use as a context: everything that it started ends with it."""

    def __init__(self, programs, kind, experiment=SOURCE / "deploy/experiments/traffic_grid.textproto", settings=()):
        self.programs, self.kind, self.settings = pathlib.Path(programs), kind, settings
        self.experiment, self.known = experiment, Known()
        self.learner = self.worker = self.gateway = None
        self.port, self.metrics_port = free_port(), free_port()

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-hostile-"))
        self.stack = contextlib.ExitStack()
        self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.stack.callback(lambda: [each.stop() for each in (self.worker, self.gateway, self.learner)
                                     if each is not None and each.alive()])
        try:
            self.prepare()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *failure):
        self.stack.close()

    def prepare(self):
        self.certificates, self.learner_flags, self.shown = None, [], []
        self.listen = f"127.0.0.1:{self.port}"
        if self.kind == "token":
            (self.folder / "token").write_text(TOKEN + "\n")
            self.learner_flags = self.shown = [f"--token_file={self.folder}/token"]
        if self.kind == "gateway":
            self.certificates = c = self.folder / "certificates"
            subprocess.run([SOURCE / "deploy/certificates.sh", c], check=True, capture_output=True, timeout=60)
            self.listen = f"unix:{self.folder}/learner.sock"
            self.shown = [f"--tls_ca={c}/ca.pem", f"--tls_certificate={c}/worker.pem", f"--tls_key={c}/worker.key"]
        self.start_learner()
        if self.kind == "gateway":
            self.gateway = Program(
                SOURCE / "deploy/gateway/gateway.sh", f"--learner={self.listen}", f"--listen=127.0.0.1:{self.port}",
                f"--folder={self.folder}/gateway", f"--tls_certificate={c}/learner.pem", f"--tls_key={c}/learner.key",
                f"--tls_client_ca={c}/ca.pem")
        self.learn_spec()
        self.start_worker()
        self.until(lambda: self.updates() >= 3)

    def start_learner(self):
        self.learner = Program(
            self.programs / "learner", f"--experiment={self.experiment}", f"--run_dir={self.folder}/run",
            f"--listen={self.listen}", f"--metrics=127.0.0.1:{self.metrics_port}", "--no_final_evaluation", "--set",
            "total_env_steps=1000000000", "--set", "evaluation.interval_env_steps=0", "--set",
            "compute.learner_threads=1", *self.settings, *self.learner_flags,
            prefix=["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"])
        self.until(lambda: self.metric("troupe_listening") == 1)

    def start_worker(self):
        self.worker = Program(self.programs / "actor_worker", f"--learner=localhost:{self.port}", *self.shown)

    def learn_spec(self):
        """What a worker of this environment announces, read off its registration at a learner of its own."""
        found, messages = threading.Event(), {}

        def watch(connection, direction, piece):
            if direction != TO_LEARNER:
                return
            for _, message in messages.setdefault(connection, Messages()).read(piece, True):
                try:
                    spec = fields(message).get(6)
                except (IndexError, AssertionError):
                    continue
                if isinstance(spec, bytes) and spec:
                    self.known.spec = spec
                    found.set()

        port = free_port()
        learner = Program(
            self.programs / "learner", f"--experiment={self.experiment}", f"--run_dir={self.folder}/first",
            f"--listen=127.0.0.1:{port}", "--no_final_evaluation")
        with Proxy(watch) as proxy:
            proxy.target = port
            worker = Program(self.programs / "actor_worker", f"--learner={proxy.address}")
            try:
                if not found.wait(PATIENCE):
                    raise AssertionError(f"no registration: {worker.output()}{learner.output()}")
            finally:
                worker.stop()
                learner.stop()

    def target(self, shows_itself):
        """As attackers see it: with what a worker has to show, or without."""
        if self.kind != "gateway":
            return Target(self.port, token=TOKEN if shows_itself and self.kind == "token" else None)
        c = self.certificates
        identity = (str(c / "worker.pem"), str(c / "worker.key")) if shows_itself else None
        return Target(self.port, str(c / "ca.pem"), identity)

    def until(self, condition, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not condition():
            if not self.learner.alive() or time.monotonic() > deadline:
                programs = [each for each in (self.learner, self.worker, self.gateway) if each is not None]
                raise AssertionError("\n".join(each.output()[-3000:] for each in programs))
            time.sleep(0.02)

    def metric(self, name):
        try:
            page = urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=PATIENCE).read()
        except OSError:
            return 0.0
        found = re.search(rf"^{re.escape(name)} (\S+)$", page.decode(), re.M)
        return float(found[1]) if found else 0.0

    def updates(self):
        return self.metric("troupe_policy_version")

    def pace(self, seconds):
        """Environment steps a second over so long, from update to update where they come, for steps come by batches."""
        def next_update(most):
            first, deadline = self.updates(), time.monotonic() + most
            while self.updates() == first and time.monotonic() < deadline and self.learner.alive():
                time.sleep(0.01)

        next_update(seconds)
        began, steps = time.monotonic(), self.metric("troupe_env_steps_total")
        while time.monotonic() < began + seconds and self.learner.alive():
            time.sleep(0.05)
        next_update(seconds)
        return (self.metric("troupe_env_steps_total") - steps) / (time.monotonic() - began)

    def memory_mib(self, what="VmRSS"):
        try:
            status = pathlib.Path(f"/proc/{self.learner.pid}/status").read_text()
        except OSError:
            return 0.0
        found = re.search(rf"{what}:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else 0.0

    def health(self):
        """What `learner health` says: its status and words, of who comes from outside with what a worker shows."""
        try:
            asked = subprocess.run(
                [self.programs / "learner", "health", f"--connect=localhost:{self.port}", *self.shown],
                capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return 1, "no answer"
        return asked.returncode, (asked.stdout + asked.stderr).strip()
