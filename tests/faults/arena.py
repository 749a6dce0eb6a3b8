"""A run with its learner, its workers and a proxy before each of them, as processes that faults are done to."""

import contextlib
import glob
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from identities import Run
from proxy import Proxy
from witness import Witness, check_nothing_lost

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SHARDS, COPIES, LENGTH = 4, 4, 16
UPDATE_STEPS = SHARDS * COPIES * LENGTH
CHECKPOINT_UPDATES = 8
PATIENCE = 90  # seconds until something is called hung, on a machine with other things to do
EXPERIMENT = """
name: 'identity' seed: {seed} total_env_steps: {steps}
environment {{ name: 'external' settings {{ key: 'server_program' value: '{program} {orders}' }}
              settings {{ key: 'timeout_seconds' value: '{step_seconds}' }} }}
collection {{ mode: {mode} num_shards: {shards} copies_per_shard: {copies} rollout_length: {length}
             stagger_first_episode: false lease_timeout_seconds: {lease_seconds}
             reconnect_timeout_seconds: {lease_seconds} max_policy_lag: 1000 {collection} }}
policy {{ hidden_sizes: [16] }} critic {{ hidden_sizes: [16] }}
ppo {{ epochs: 2 minibatch_size: 128 }}
evaluation {{ interval_env_steps: 12800 episodes: 4 }}
compute {{ device: CPU learner_threads: 1 precision: F32 }}
checkpoint {{ interval_env_steps: {checkpoint} keep: 3 }}
"""


class Program:
    """A process whose output goes to a file."""

    def __init__(self, command, output, environment):
        self.path, self._file = output, open(output, "wb")
        self._process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self._file, stderr=subprocess.STDOUT,
            env=dict(os.environ, **environment), start_new_session=True)
        self.pid = self._process.pid

    def printed(self):
        return pathlib.Path(self.path).read_text(errors="replace")

    def status(self):
        """None while it lives; negative: the signal that ended it."""
        return self._process.poll()

    def signal(self, number):
        if self.status() is None:
            os.kill(self.pid, number)

    def wait(self, what):
        until(lambda: self.status() is not None, what, PATIENCE)
        return self.status()

    def close(self):
        for number in (signal.SIGCONT, signal.SIGKILL):
            self.signal(number)
        self._process.wait()
        self._file.close()


def until(holds, what, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.01)


class Worker:
    def __init__(self, arena, number):
        self.number, self.arena = number, arena
        self.witness = None if arena.secured else Witness()
        self.proxy = arena.stack.enter_context(Proxy(self.witness))
        self.clock = arena.folder / f"clock.worker.{number}"
        self.program, self.starts = None, 0

    def start(self):
        if self.program is not None:
            self.program.close()
        self.starts += 1
        command = [self.arena.bin / "actor_worker", f"--learner={self.proxy.address}", "--allow_machine_settings"]
        command += self.arena.worker_flags
        output = self.arena.folder / f"worker.{self.number}.{self.starts}"
        self.program = Program(command, output, self.arena.clock_environment(self.clock))

    def has_gone(self):
        """Told that the run has ended."""
        return self.program.status() == 0 and "the run has ended" in self.program.printed()

    def looks_for_a_learner(self):
        """The last that it said."""
        return self.program.printed().rstrip().endswith("; trying again")

    def simulators(self):
        """The processes of its environments."""
        found = []
        for path in glob.glob(f"/proc/{self.program.pid}/task/*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in pathlib.Path(path).read_text().split()]
        return found


class Arena:
    """Use as a context. `run_parent`: where the run folder is made; everything else lies in `folder`. A run is of
    `updates`; one that is `extended` gets as many again whenever it has come so far, until finish is called."""

    def __init__(self, binaries, folder, run_parent, mode="PIPELINED", seed=7, updates=100, extended=False,
                 workers=2, lease_seconds=2, step_seconds=1, secured=False, collection=""):
        self.bin, self.folder, self.secured, self.seed = pathlib.Path(binaries), pathlib.Path(folder), secured, seed
        self.run_folder, self.orders = pathlib.Path(run_parent) / "run", self.folder / "orders"
        self.stack = contextlib.ExitStack()
        self.identities = Run(seed, SHARDS, COPIES, ordered=mode != "ASYNCHRONOUS")
        self.learner, self.learners, self.witnessed = None, 0, 0
        self.learner_clock = self.folder / "clock.learner"
        self._logged, self._log_at, self.total, self._more = 0, 0, updates, updates if extended else 0
        self.unwritten = 0  # the update at which checkpoints could last not be written
        self.most_unsaved = 0  # updates that a killed learner's newest checkpoint had not seen
        self.orders.mkdir()
        self.experiment = self.folder / "e.textproto"
        self.experiment.write_text(EXPERIMENT.format(
            seed=seed, steps=updates * UPDATE_STEPS, checkpoint=CHECKPOINT_UPDATES * UPDATE_STEPS, mode=mode,
            program=self.bin / "identity_server", orders=self.orders, shards=SHARDS, copies=COPIES, length=LENGTH,
            lease_seconds=lease_seconds, step_seconds=step_seconds, collection=collection))
        self.learner_flags, self.worker_flags = [], []
        if secured:
            self._make_certificates()
        self.workers = [Worker(self, number) for number in range(workers)]

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        for program in [self.learner, *(worker.program for worker in self.workers)]:
            if program is not None:
                program.close()
        self.stack.close()

    def _make_certificates(self):
        made = self.folder / "certificates"
        subprocess.run([SOURCE / "deploy/certificates.sh", made], check=True, stdout=subprocess.DEVNULL)
        self.learner_flags = [f"--tls_certificate={made}/learner.pem", f"--tls_key={made}/learner.key",
                              f"--tls_client_ca={made}/ca.pem"]
        self.worker_flags = [f"--tls_ca={made}/ca.pem", f"--tls_certificate={made}/worker.pem",
                             f"--tls_key={made}/worker.key"]

    def clock_environment(self, file):
        """A wall clock that set_clock sets, where the build has the library for it."""
        library = self.bin.parent / "lib/libwall_clock.so"
        if not library.exists():
            return {}
        if not file.exists():
            file.write_bytes(bytes(8))
        return {"LD_PRELOAD": str(library), "WALL_CLOCK_OFFSET": str(file)}

    @staticmethod
    def set_clock(file, seconds):
        with open(file, "r+b") as mapped:
            mapped.write(int(seconds * 1e9).to_bytes(8, "little", signed=True))

    def slow_simulators(self, slow):
        """Whether each step takes 5 ms, and an update 80 at least."""
        if slow:
            (self.orders / "slow").touch()
        else:
            (self.orders / "slow").unlink()

    # --- the learner

    def start_learner(self, serves=True):
        """`serves`: waits until it listens, and sends the proxies there."""
        if self.total - len(self.identities.batches) < 10:
            self.total += self._more
        self.learners += 1
        for worker in self.workers:
            if worker.witness is not None:
                worker.witness.learner = self.learners
        self._log_at = 0
        command = [self.bin / "learner", "train", f"--experiment={self.experiment}", f"--run_dir={self.run_folder}",
                   f"--expected_workers={len(self.workers)}", "--no_final_evaluation", f"--log_batches={self.log()}",
                   f"--set=total_env_steps={self.total * UPDATE_STEPS}", *self.learner_flags]
        output = self.folder / f"learner.{self.learners}"
        self.learner = Program(command, output, self.clock_environment(self.learner_clock))
        if not serves:
            return
        pattern = re.compile(r"they connect to \S+:(\d+)")
        learner = self.learner
        until(lambda: pattern.search(learner.printed()) or learner.status() is not None, "the learner listens")
        found = pattern.search(self.learner.printed())
        if found is None:
            raise AssertionError(f"the learner ended with {self.learner.status()}:\n{self.learner.printed()}")
        for worker in self.workers:
            worker.proxy.target = int(found[1])

    def went_on_from(self):
        """The update that this learner says it went on from; 0: none."""
        found = re.search(r"goes on from update ([\d,]+)", self.learner.printed())
        return int(found[1].replace(",", "")) if found else 0

    def log(self):
        return self.folder / f"batches.{self.learners}"

    def updates(self):
        """The newest update that this learner trained."""
        path = self.log()
        if not path.exists():
            return self._logged
        with open(path, "rb") as file:
            file.seek(self._log_at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._log_at += len(line)
                self._logged = int(line[line.index(b":") + 1 : line.index(b",")])
        return self._logged

    def learner_ended(self):
        """Takes up what the learner that has just ended trained on, and checks it."""
        if not self.log().exists():
            return
        with open(self.log(), "rb") as file:
            lines = [line for line in file if line.endswith(b"\n")]
        if not lines:
            return
        batches = self.identities.learner(lines, self.went_on_from())
        witnesses = [worker.witness for worker in self.workers if worker.witness is not None]
        if witnesses and self.identities.ordered:
            self.witnessed += check_nothing_lost(witnesses, self.learners, batches)

    def end_learner(self, number):
        """Sends the signal, waits for the end and checks what was trained on. Returns the status."""
        self.learner.signal(number)
        status = self.learner.wait(f"the learner's end by signal {number}")
        self.learner_ended()
        self.learner.close()
        return status

    def check_unsaved(self):
        """Of a learner that was killed: at most those since the checkpoint before the one that may have been under way,
        unless the disk took none. Returns the update of the newest checkpoint; 0: none."""
        paths = self.checkpoints()
        newest, trained = int(paths[-1].stem) if paths else 0, len(self.identities.batches)
        if trained - self.unwritten > 2 * CHECKPOINT_UPDATES:
            self.most_unsaved = max(self.most_unsaved, trained - newest)
            assert trained - newest < 2 * CHECKPOINT_UPDATES, f"{trained} trained, {newest} kept"
        return newest

    def checkpoints(self):
        """Numbered ones, oldest first."""
        return sorted(path for path in (self.run_folder / "checkpoints").glob("0*.safetensors"))

    # --- the run

    def start(self):
        self.start_learner()
        for worker in self.workers:
            worker.start()

    def reach(self, update, why):
        """Waits until `update` is trained; who ends meanwhile has failed."""

        def there():
            ended = self.learner.status()
            # A run whose end the disk does not take ends with 1 and says so; its owner goes on when there is room.
            unwritten = ended == 1 and "is not written" in self.learner.printed()
            if (ended == 0 or unwritten) and self._more and self.updates() >= self.total:
                self._extend()
            elif ended is not None:
                raise AssertionError(f"{why}: the learner ended with {ended}")
            for worker in self.workers:
                if worker.has_gone():
                    worker.start()  # for the run goes on
                elif worker.program.status() is not None:
                    raise AssertionError(f"{why}: worker {worker.number} ended with {worker.program.status()}")
            return self.updates() >= update

        until(there, f"{why}: update {update} after {self.updates()}")

    def _extend(self):
        """The run has come to its end too early: it is made longer, as its owner may."""
        self.learner_ended()
        self.learner.close()
        self.start_learner()

    def advance(self, updates, why):
        """Waits for so many more updates."""
        self.reach(self.updates() + updates, why)

    def await_end(self):
        """Of the learner. As long as updates come it is not hung; a worker that fails meanwhile is what is wrong."""
        heard, newest = time.monotonic(), -1
        while self.learner.status() is None:
            failed = {w.number: w.program.status() for w in self.workers if w.program.status() not in (None, 0)}
            if failed:
                raise AssertionError(f"workers that failed, with their status: {failed}")
            if self.updates() > newest:
                heard, newest = time.monotonic(), self.updates()
            if time.monotonic() - heard > PATIENCE:
                raise AssertionError(f"no update after {newest} and no end for {PATIENCE} s")
            time.sleep(0.01)

    def finish(self):
        """Sees the run to its end. Returns the sha256 of its weights."""
        self.await_end()
        status = self.learner.status()
        assert status == 0, f"the run ended with {status}"
        self.learner_ended()
        for worker in self.workers:
            worker.proxy.release()
            # Who was cut off for longer than the learner waited at its end goes on looking for it, as it has to.
            until(lambda: worker.program.status() is not None or worker.looks_for_a_learner(),
                  f"worker {worker.number} goes when the run has ended, or is asked to")
            worker.program.signal(signal.SIGTERM)
            status = worker.program.wait(f"worker {worker.number} goes")
            assert status == 0, f"worker {worker.number} ended with {status}"
        self.identities.close()
        assert len(self.identities.batches) == self.total, f"{len(self.identities.batches)} updates of {self.total}"
        return re.search(r"weights sha256 (\w{64})", self.learner.printed())[1]

    def score(self, last=30, until=None):
        """Share of cues answered, over the last updates, or those before `until`."""
        batches = self.identities.batches[:until][-last:]
        return sum(batch.score() for batch in batches) / len(batches)

    def words(self):
        """The end of what everybody printed, for whoever has to find out what went wrong."""
        programs = [self.learner, *(worker.program for worker in self.workers)]
        return "".join(f"--- {program.path.name}\n{program.printed()[-2000:]}\n" for program in programs if program)

    def footprint(self):
        """{who: (open files, threads, resident KiB)} of the learner and the workers."""
        found = {}
        for name, program in [("learner", self.learner)] + [(f"worker {w.number}", w.program) for w in self.workers]:
            status = pathlib.Path(f"/proc/{program.pid}/status").read_text()
            numbers = [int(re.search(rf"{key}:\s+(\d+)", status)[1]) for key in ("Threads", "VmRSS")]
            found[name] = (len(os.listdir(f"/proc/{program.pid}/fd")), *numbers)
        return found


def own_mount(path, size_kib):
    """A small file system at `path`; False where there may be none."""
    path.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or os.environ.get("FAULTS_OWN_NAMESPACE") != "1":
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "faults", str(path)]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def enter_namespace(argv):
    """Starts this program again where mounts, and the network if possible, are its own, as far as that is allowed."""
    if os.environ.get("FAULTS_OWN_NETWORK") == "1":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if os.environ.get("FAULTS_OWN_NAMESPACE") is not None or os.geteuid() != 0 or shutil.which("unshare") is None:
        return
    for options in (["-m", "-n"], ["-m"]):
        if subprocess.run(["unshare", *options, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            os.environ["FAULTS_OWN_NAMESPACE"] = "1"
            os.environ["FAULTS_OWN_NETWORK"] = "1" if "-n" in options else "0"
            os.execvp("unshare", ["unshare", *options, *argv])
