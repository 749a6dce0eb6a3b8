"""One run of soak.py: a learner that stays, workers that come and go, and what is looked at meanwhile."""

import json
import pathlib
import re
import signal
import subprocess
import time

import footprint
from arena import PATIENCE, SOURCE, Program, until
from crowd import Crowd

EXPERIMENT = """
name: 'soak' seed: {seed} total_env_steps: 1000000000000
environment {{ name: 'external' settings {{ key: 'server_program' value: '{program} {orders}' }}
              settings {{ key: 'timeout_seconds' value: '30' }} }}
collection {{ mode: {mode} num_shards: 4 copies_per_shard: 16 rollout_length: 16 stagger_first_episode: false
             lease_timeout_seconds: 4 reconnect_timeout_seconds: 2 }}
policy {{ hidden_sizes: [32] }}
{algorithm}
evaluation {{ interval_env_steps: 20480 episodes: 4 }}
compute {{ device: CPU learner_threads: 1 precision: F32 }}
checkpoint {{ interval_env_steps: 20480 keep: 3 }}
"""
MAPPO = "critic { hidden_sizes: [32] } ppo { epochs: 2 minibatch_size: 256 }"
# A replay that is full after some 200 updates.
VDN = """algorithm { name: 'vdn' } q_learning { replay_bytes: 30000000 minibatch_size: 256 gradient_steps: 8
  epsilon_env_steps: 100000 learning_rate: 1e-3 }"""


class SoakRun:
    """Use as a context. `looks` become lines of FOLDER/NAME/looks.jsonl: {"t": seconds since the beginning, name:
    number}."""

    def __init__(self, binaries, folder, name, algorithm=MAPPO, mode="PIPELINED", secured=False, seed=1, slow=True,
                 gap=4.0):
        self.name, self.bin, self.folder = name, pathlib.Path(binaries), pathlib.Path(folder) / name
        self.folder.mkdir(parents=True)
        orders = self.folder / "orders"
        orders.mkdir()
        if slow:  # 5 ms a step: some updates a second, however many cores
            (orders / "slow").touch()
        experiment = self.folder / "e.textproto"
        experiment.write_text(EXPERIMENT.format(seed=seed, mode=mode, algorithm=algorithm, orders=orders,
                                                program=self.bin / "identity_server"))
        self.client_flags, learner_flags = [], []
        if secured:
            made = self.folder / "certificates"
            subprocess.run([SOURCE / "deploy/certificates.sh", made], check=True, stdout=subprocess.DEVNULL)
            learner_flags = [f"--tls_certificate={made}/learner.pem", f"--tls_key={made}/learner.key",
                             f"--tls_client_ca={made}/ca.pem"]
            self.client_flags = [f"--tls_ca={made}/ca.pem", f"--tls_certificate={made}/worker.pem",
                                 f"--tls_key={made}/worker.key"]
        self.looks, self.health_seconds, self._crowd, self._asked = 0, 0.0, None, None
        self._learner = Program(
            [self.bin / "learner", "train", f"--experiment={experiment}", f"--run_dir={self.folder / 'run'}",
             "--expected_workers=1", "--no_final_evaluation", *learner_flags], self.folder / "learner",
            footprint.HEAP_SAYS)
        self._options = {"seed": seed, "gap": gap}
        self._records = open(self.folder / "looks.jsonl", "w", encoding="utf-8")

    def start(self):
        def listens():
            printed = self._learner.printed()
            return re.search(r"they connect to \S+:(\d+)", printed) and re.search(r"http://(\S+)/metrics", printed)

        until(lambda: listens() or self._learner.status() is not None, f"{self.name}: the learner listens")
        self._alive()
        printed = self._learner.printed()
        self.port = int(re.search(r"they connect to \S+:(\d+)", printed)[1])
        self.metrics = re.search(r"http://(\S+)/metrics", printed)[1]
        command = [self.bin / "actor_worker", f"--learner=127.0.0.1:{self.port}", "--allow_machine_settings",
                   *self.client_flags]
        self._crowd = Crowd(command, self.folder, self.port, **self._options)
        self.began = time.monotonic()

    def _alive(self):
        if self._learner.status() is not None:
            raise AssertionError(f"{self.name}: the learner ended with {self._learner.status()}:\n"
                                 f"{self._learner.printed()[-3000:]}")

    def tick(self):
        self._alive()
        self._crowd.tick()
        self._hear_health()

    def tally(self):
        return self._crowd.tally

    def ask_health(self):
        """As a probe does; the answer is heard by a later tick."""
        if self._asked is None:
            command = [self.bin / "learner", "health", f"--connect=127.0.0.1:{self.port}", *self.client_flags]
            self._asked = Program(command, self.folder / "health", {}), time.monotonic()

    def _hear_health(self):
        if self._asked is None or self._asked[0].status() is None:
            return
        asked, began = self._asked
        self.health_seconds = time.monotonic() - began
        # A learner that a busy machine does not let answer within the command's 5 s is not unwell.
        if asked.status() != 0 and "deadline" not in asked.printed().lower():
            raise AssertionError(f"{self.name}: health says {asked.status()}: {asked.printed()}")
        asked.close()
        self._asked = None

    def look(self):
        """Records what everybody takes now."""
        began = time.monotonic()
        page = footprint.scrape(self.metrics, PATIENCE)
        seconds = time.monotonic() - began
        found = {"t": began - self.began, "workers": self._crowd.present()}
        for who, pid in (("learner", self._learner.pid), ("worker", self._crowd.resident.pid)):
            found |= {f"{who} {what}": number for what, number in footprint.of_process(pid).items()}
        heap = footprint.of_heap(self._learner.path)
        if heap is not None:
            found["learner heap"] = heap
        found |= {f"folder {what}": number for what, number in footprint.of_folder(self.folder / "run").items()}
        found |= {"metrics series": len(page), "metrics seconds": seconds, "health seconds": self.health_seconds}
        for name, series in (("updates", "troupe_updates_total"), ("env steps", "troupe_trained_env_steps"),
                             ("replay steps", "troupe_update_replay_env_steps"),
                             ("evaluations", 'troupe_evaluations_total{result="done"}'),
                             ("checkpoints", 'troupe_checkpoints_total{result="written"}')):
            if series in page:
                found[name] = page[series]
        self._records.write(json.dumps(found) + "\n")
        self._records.flush()
        self.looks += 1
        return found

    def finish(self):
        """The learner is asked to stop and does, with status 0; so do the workers."""
        until(lambda: self._hear_health() or self._asked is None, f"{self.name}: health is answered")
        self._crowd.wake_all()
        self._learner.signal(signal.SIGTERM)

        def over():
            try:
                footprint.scrape(self.metrics, PATIENCE)  # one more, which it waits for
            except OSError:
                pass
            return self._learner.status() is not None

        until(over, f"{self.name}: the learner's end")
        status = self._learner.status()
        if status != 0:
            raise AssertionError(f"{self.name}: asked to stop, the learner ended with {status}:\n"
                                 f"{self._learner.printed()[-3000:]}")
        self._crowd.send_away()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self._crowd is not None:
            self._crowd.close()
        if self._asked is not None:
            self._asked[0].close()
        self._learner.close()
        self._records.close()


def read_looks(path):
    """Whole lines of a looks.jsonl, also of a run under way."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]
