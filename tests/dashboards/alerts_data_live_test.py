#!/usr/bin/env python3
"""Alerts about data and supervision fire in real faults, with windows of seconds: a disk that is full, a local worker
that ends, chunks that come late, chunks damaged on their way, a simulator that is gone, memory that is nearly used up.

  alerts_data_live_test.py FOLDER_OF_PROGRAMS
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import damaging_proxy
import live_run
from alerts_live_test import firing

# Late chunks: the first to come is trained on, workers send far ahead, what is older than two updates is dropped.
SETTINGS = [
    *live_run.SETTINGS,
    "collection.mode=ASYNCHRONOUS",
    "collection.max_policy_lag=2",
    "collection.unacknowledged_window=16",
    "collection.copies_per_shard=2",
    "ppo.epochs=1",
    "ppo.minibatch_size=120",
]
SUMO_SETTINGS = [
    "total_env_steps=1000000000",
    "collection.lease_timeout_seconds=3",
    "collection.rollout_length=20",
    "ppo.minibatch_size=40",
]


def children(process):
    """Process ids."""
    found = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


class SmallDisk:
    """A folder with 200 MB of room where this user may mount one, else an ordinary one."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe_disk_"))
        command = ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(self.folder)]
        self.is_small = subprocess.run(command, capture_output=True).returncode == 0
        return self

    def __exit__(self, *failure):
        if self.is_small:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class MemoryGroup:
    """A control group where this user may make one; `folder` is None where not."""

    def __enter__(self):
        version_1 = pathlib.Path("/sys/fs/cgroup/memory")
        root = version_1 if version_1.is_dir() else pathlib.Path("/sys/fs/cgroup")
        self._limit = "memory.limit_in_bytes" if version_1.is_dir() else "memory.max"
        self.folder = root / f"troupe_test_{os.getpid()}"
        try:
            self.folder.mkdir()
            self.limit(8 << 30)
        except OSError:
            if self.folder.is_dir():
                self.folder.rmdir()
            self.folder = None
        return self

    def limit(self, limit_bytes):
        (self.folder / self._limit).write_text(str(int(limit_bytes)))

    def __exit__(self, *failure):
        if self.folder is not None:
            self.folder.rmdir()


def stutter_until(run, worker, expression, seconds, what):
    """Stops the worker for a second at a time, so that what it had under way comes late."""
    began = time.monotonic()
    while not run.ask(expression):
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s"
        worker.send_signal(signal.SIGSTOP)
        time.sleep(1)
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.3)
    print(f"{what}: after {time.monotonic() - began:.1f} s", flush=True)


# Overwritten with it, observations and rewards are no numbers; or are finite, and too large to be added up.
NOT_A_NUMBER, HUGE = 0xFF, 0x7E


def damage_until(run, proxy, byte, expression, seconds, what):
    began = time.monotonic()
    while not run.ask(expression):
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s"
        proxy.damage(byte)
        time.sleep(1)
    proxy.damage(None)
    print(f"{what}: after {time.monotonic() - began:.1f} s", flush=True)


def with_damage(programs):
    with live_run.LiveRun(programs, live_run.shorten, expected_workers=3) as run:
        with damaging_proxy.DamagingProxy(int(run.learner_address.rpartition(":")[2])) as proxy:
            run.start_worker(proxy.address, live_run.free_ports(1)[0])
            run.wait_for("run:troupe_updates:increase5m > 0 and on () run:troupe_workers_connected:sum == 3", 60)
            what = "TroupeInvalidChunks with observations that are no numbers"
            damage_until(run, proxy, NOT_A_NUMBER, firing("TroupeInvalidChunks"), 60, what)
            damage_until(run, proxy, HUGE, firing("TroupeNotFinite"), 60, "TroupeNotFinite with huge ones")
            run.wait_for(f'absent({firing("TroupeNotFinite")})', 60, "silent again")
            run.wait_for("run:troupe_updates:increase5m > 0", 20, "training goes on")


def in_one_run(programs):
    with SmallDisk() as disk, live_run.LiveRun(
        programs,
        live_run.shorten,
        settings=SETTINGS,
        learner_flags=["--local_workers=1"],
        expected_workers=3,
        run_dir=disk.folder / "run",
    ) as run:
        run.wait_for("run:troupe_updates:increase5m > 0 and on () run:troupe_workers_connected:sum == 3", 60)
        if disk.is_small:
            run.wait_for(firing("TroupeDiskFull"), 20, "TroupeDiskFull on a disk of 200 MB")
        else:
            print("TroupeDiskFull: not provoked, this user may not mount a small disk")
        worker = run.workers[0]
        stutter_until(run, worker, firing("TroupeChunksStale"), 60, "TroupeChunksStale of a worker that stutters")
        stutter_until(run, worker, firing("TroupePolicyLagHigh"), 60, "TroupePolicyLagHigh meanwhile")
        for pid in children(run.learner.pid):
            os.kill(pid, signal.SIGKILL)
        run.wait_for(firing("TroupeWorkerRestarts"), 20, "TroupeWorkerRestarts after kill -9 of the local worker")


def with_sumo(programs):
    home = live_run.SOURCE / ".deps" / "sumo" / "site" / "sumo"
    if not home.exists():
        print("TroupeLeaseFailures: not provoked, SUMO is not installed (deploy/setup.sh --sumo)")
        return
    with tempfile.TemporaryDirectory(prefix="troupe_sumo_") as folder:
        link = pathlib.Path(folder) / "sumo"
        link.symlink_to(home)
        with live_run.LiveRun(
            programs,
            live_run.shorten,
            experiment="sumo_cologne8",
            settings=[*SUMO_SETTINGS, f"environment.settings.sumo_home={link}"],
        ) as run:
            run.wait_for("run:troupe_workers_connected:sum == 2", 60)
            run.wait_for("sum(troupe_worker_env_steps_total) > 0", 60)
            link.unlink()
            for worker in run.workers:
                for pid in children(worker.pid):
                    os.kill(pid, signal.SIGKILL)
            run.wait_for(firing("TroupeLeaseFailures"), 60, "TroupeLeaseFailures after the simulator went")


def with_little_memory(programs):
    with MemoryGroup() as group:
        if group.folder is None:
            print("TroupeMemoryFull: not provoked, this user may not limit memory")
            return
        with live_run.LiveRun(programs, live_run.shorten, worker_group=group.folder) as run:
            run.wait_for("run:troupe_updates:increase5m > 0 and on () run:troupe_workers_connected:sum == 2", 60)
            run.wait_for('troupe_memory_limit_bytes{job="troupe_worker"} == 8 * 2^30', 20, "the workers' limit")
            (_, used), *_ = run.ask('max(troupe_memory_used_bytes{job="troupe_worker"})')
            group.limit(used / 0.95)
            of_workers = firing("TroupeMemoryFull").replace("}", ', job="troupe_worker"}')
            run.wait_for(of_workers, 20, "TroupeMemoryFull with 95 % of the limit in use")
            group.limit(8 << 30)
            run.wait_for(f"absent({of_workers})", 20, "silent again")


def main():
    in_one_run(sys.argv[1])
    with_damage(sys.argv[1])
    with_sumo(sys.argv[1])
    with_little_memory(sys.argv[1])


if __name__ == "__main__":
    main()
