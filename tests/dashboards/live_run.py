"""A learner with two workers and a Prometheus that scrapes them, real processes on loopback in a temporary folder.

Ends the test with status 77 (skipped) when prometheus is not installed.
"""

import json
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
import urllib.error
import urllib.parse
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
RULES = SOURCE / "deploy" / "prometheus" / "rules"

# Small batches and short episodes: everything a dashboard shows happens within seconds.
SETTINGS = [
    "total_env_steps=1000000000",
    "environment.settings.episode_seconds=300",
    "collection.rollout_length=30",
    "collection.lease_timeout_seconds=3",
    "evaluation.interval_env_steps=10000",
    "evaluation.episodes=2",
    "checkpoint.interval_env_steps=10000",
]


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_for_port(port, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, f"nobody listens on port {port}"
            time.sleep(0.05)


class LiveRun:
    """Use as a context: what it started is ended with it."""

    def __init__(
        self,
        programs,
        change_rules=lambda text: text,
        experiment="traffic_grid",
        settings=SETTINGS,
        learner_flags=(),
        expected_workers=2,
        run_dir=None,
        worker_group=None,
    ):
        """`run_dir`: default a folder of its own, as all it writes. `worker_group`: a control group's folder."""
        self._programs = pathlib.Path(programs)
        self._change_rules = change_rules
        self._experiment = experiment
        self._settings = settings
        self._learner_flags = learner_flags
        self._expected_workers = expected_workers
        self._run_dir = run_dir
        self._worker_group = worker_group
        self._processes = []
        if shutil.which("prometheus") is None:
            print("skipped: prometheus (Debian package prometheus) is not installed")
            sys.exit(77)

    def __enter__(self):
        try:
            self._start_all()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def _start_all(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe_live_"))
        grpc, learner, worker_1, worker_2, prometheus = free_ports(5)
        self.url = f"http://127.0.0.1:{prometheus}"
        (self.folder / "token").write_text("known-to-those-who-may-work\n")
        self.learner_address = f"127.0.0.1:{grpc}"
        self.learner_may_end = False
        self._learner_metrics = learner
        self.start_learner()
        wait_for_port(grpc)
        self.workers = [self.start_worker(f"127.0.0.1:{grpc}", port) for port in (worker_1, worker_2)]
        (self.folder / "rules").mkdir()
        for path in RULES.glob("*.yml"):
            (self.folder / "rules" / path.name).write_text(self._change_rules(path.read_text()))
        (self.folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s, scrape_timeout: 1s}\nrule_files:"
            " [rules/*.yml]\nscrape_configs:\n  - {job_name: troupe_learner, static_configs: [{targets:"
            f" ['127.0.0.1:{learner}']}}]}}\n  - {{job_name: troupe_worker, static_configs: [{{targets:"
            f" ['127.0.0.1:{worker_1}', '127.0.0.1:{worker_2}']}}]}}\n"
        )
        self._prometheus = self.start(
            "prometheus",
            "prometheus",
            f"--config.file={self.folder}/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/series",
            f"--web.listen-address=127.0.0.1:{prometheus}",
        )

    def __exit__(self, *failure):
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        if failure[0] is not None:
            for log in sorted(self.folder.glob("*.log")):
                print(f"--- the end of {log.name}\n{log.read_text(errors='replace')[-2000:]}")
        shutil.rmtree(self.folder)

    def start(self, name, *command, group=None):
        def enter():
            if group is not None:
                (group / "cgroup.procs").write_text(str(os.getpid()))

        with open(self.folder / f"{name}.log", "w") as log:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=SOURCE,
                env={**os.environ, "GOMAXPROCS": "1"},
                preexec_fn=enter,
            )
        self._processes.append(process)
        return process

    def start_learner(self):
        """Once more, when the one before has ended."""
        settings = [word for setting in self._settings for word in ("--set", setting)]
        self.learner = self.start(
            "learner",
            self._programs / "learner",
            f"--experiment={SOURCE}/deploy/experiments/{self._experiment}.textproto",
            f"--run_dir={self._run_dir or self.folder / 'run'}",
            f"--listen={self.learner_address}",
            f"--metrics=127.0.0.1:{self._learner_metrics}",
            f"--expected_workers={self._expected_workers}",
            f"--token_file={self.folder}/token",
            "--no_final_evaluation",
            *settings,
            *self._learner_flags,
        )

    def start_worker(self, learner_address, metrics_port):
        return self.start(
            f"worker_{metrics_port}",
            self._programs / "actor_worker",
            f"--learner={learner_address}",
            f"--metrics=127.0.0.1:{metrics_port}",
            f"--token_file={self.folder}/token",
            "--allow_machine_settings",
            group=self._worker_group,
        )

    def ask(self, expression):
        """The instant vector's samples: (labels, value). Nothing while Prometheus does not answer yet."""
        text = urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query?{text}", timeout=10) as answer:
                return [(one["metric"], float(one["value"][1])) for one in json.load(answer)["data"]["result"]]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # not ready yet
                return []
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        except OSError:
            return []

    def wait_for(self, expression, seconds, what=None):
        """Until the expression has a sample."""
        began = time.monotonic()
        while not self.ask(expression):
            watched = [self._prometheus] if self.learner_may_end else [self.learner, self._prometheus]
            ended = [process.args[0] for process in watched if process.poll() is not None]
            assert not ended, f"{', '.join(ended)} ended while waiting for {what or expression}"
            assert time.monotonic() - began < seconds, f"{what or expression}: not within {seconds} s"
            time.sleep(0.2)
        print(f"{what or expression}: after {time.monotonic() - began:.1f} s", flush=True)


def shorten(text):
    """Rules with windows and patience of seconds, for faults that are provoked while one watches."""
    text = re.sub(r"\bfor: \w+", "for: 1s", text)
    text = re.sub(r"\[(?:1m|5m|10m|15m|1h)\]", "[5s]", text).replace("[30m]", "[20s]")
    return text.replace("> 1800", "> 8").replace("> 20", "> 0").replace("> 2\n", "> 0\n")
