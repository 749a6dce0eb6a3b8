"""A run of several learners and its workers as processes, on loopback or in network namespaces of the test's own, with
this program as their supervisor."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 900  # for what must come; only a failing test waits that long
EXPERIMENT = """name: 'ranks'
seed: 7
total_env_steps: {steps}
environment {{ name: 'grid_world' settings {{ key: 'size' value: '3' }} }}
collection {{ mode: PIPELINED num_shards: 8 copies_per_shard: 4 rollout_length: 16 }}
policy {{ hidden_sizes: [16] }}
critic {{ hidden_sizes: [16] }}
ppo {{ epochs: 2 minibatch_size: 256 }}
compute {{ device: CPU learner_threads: 1 precision: F32 }}
checkpoint {{ interval_env_steps: 5120 }}
"""
STEPS_PER_UPDATE = 8 * 4 * 16


def free_ports(count):
    """Of loopback, in a row: learners of one machine count theirs up."""
    while True:
        first = 20000 + int.from_bytes(os.urandom(2), "big") % 10000
        try:
            taken = [socket.create_server(("127.0.0.1", first + index)) for index in range(count)]
        except OSError:
            continue
        for one in taken:
            one.close()
        return first


class Processes:
    """Learners by rank and workers by number, in a folder that is removed."""

    def __init__(self, binaries, updates, environment, learner_flags, inside=lambda rank: []):
        """`environment(rank)`, `learner_flags(rank)`: a learner's; `inside(rank)`: what its command begins with."""
        self.binaries, self.updates = binaries, updates
        self.environment, self.learner_flags, self.inside = environment, learner_flags, inside
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-ranks-"))
        (self.folder / "e.textproto").write_text(EXPERIMENT.format(steps=updates * STEPS_PER_UPDATE), encoding="utf-8")
        self.learners, self.workers, self.restarts, self.files = {}, {}, {}, []

    def close(self):
        for process in [*self.learners.values(), *self.workers.values()]:
            process.kill()
            process.wait()
        for file in self.files:
            file.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, name, words, environment):
        file = open(self.folder / f"{name}.txt", "a", encoding="utf-8")
        self.files.append(file)
        return subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=file,
                                stderr=subprocess.STDOUT, env={**os.environ, **environment})

    def start_learner(self, rank):
        words = [*self.inside(rank), self.binaries / "learner", "train", f"--experiment={self.folder}/e.textproto",
                 f"--run_dir={self.folder}/run", "--no_final_evaluation", "--metrics=", *self.learner_flags(rank)]
        self.learners[rank] = self._start(f"rank{rank}", words, self.environment(rank))

    def start_worker(self, number, learner, *flags, inside=()):
        words = [*inside, self.binaries / "actor_worker", f"--learner={learner}", *flags]
        self.workers[number] = self._start(f"worker{number}", words, {})

    def kill(self, rank):
        """As a machine that fails would."""
        self.learners[rank].send_signal(signal.SIGKILL)

    def supervise(self):
        """As Kubernetes and others do: starts again who failed."""
        for rank, process in list(self.learners.items()):
            if process.poll() not in (None, 0):
                self.restarts[rank] = self.restarts.get(rank, 0) + 1
                self.start_learner(rank)

    def said(self, name):
        path = self.folder / f"{name}.txt"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def everything(self):
        return "\n".join(f"--- {path.name}\n{path.read_text(encoding='utf-8', errors='replace')}"
                         for path in sorted(self.folder.glob("*.txt")))

    def records(self):
        path = self.folder / "run/metrics.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        records = []
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:  # being written
                continue
            if "stage_seconds" in record:
                records.append(record)
        return records

    def last_update(self):
        records = self.records()
        return records[-1]["update"] if records else 0

    def wait(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.supervise()
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come to be\n{self.everything()}")
            time.sleep(0.05)

    def wait_for_update(self, update):
        self.wait(lambda: self.last_update() >= update, f"update {update}")

    def wait_for_end(self):
        self.wait(lambda: all(process.poll() == 0 for process in self.learners.values()), "the end of the run")

    def places(self):
        """Where each worker that is registered was last, by its number."""
        found = {number: re.findall(r"worker \S+ of run \S+ at (\S+)", self.said(f"worker{number}"))
                 for number in self.workers}
        return {number: places[-1] for number, places in found.items() if places}

    def weights(self, rank):
        return re.findall(r"weights sha256 ([0-9a-f]{64})", self.said(f"rank{rank}"))

    def stall_after(self, update):
        """The longest time in seconds between two updates from this one on: how long training stood still."""
        times = [(record["update"], record["time"]) for record in self.records()]
        return max(after[1] - before[1] for before, after in zip(times, times[1:]) if after[0] > update)
