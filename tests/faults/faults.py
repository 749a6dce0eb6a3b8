"""What is done to a run: a function per fault, which does it, undoes what would not pass by itself, and returns.

`LEASE_KEPT`: nobody loses a lease by them where leases last long, so that a deterministic run must end with the weights
of an undisturbed one. `OTHERS` cost leases, processes or checkpoints. Each takes (arena, random)."""

import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import time

from arena import CHECKPOINT_UPDATES, until
from foreign import of_another_version
from proxy import TO_LEARNER, TO_WORKER

MOMENT = 0.3  # seconds that a disturbance lasts at most, where leases are to be kept


def pause(seconds):
    time.sleep(seconds)


# --- the network, between one worker and the learner


def cut(arena, random):
    random.choice(arena.workers).proxy.cut()


def reset(arena, random):
    random.choice(arena.workers).proxy.cut(reset=True)


def cut_all(arena, random):
    for worker in arena.workers:
        worker.proxy.cut(reset=random.random() < 0.5)


def cut_again_and_again(arena, random):
    """Before what was sent again is acknowledged."""
    proxy = random.choice(arena.workers).proxy
    for _ in range(6):
        proxy.cut(reset=True)
        pause(random.uniform(0, 0.05))


def hold_acknowledgements_and_cut(arena, random):
    """Chunks are admitted, and their sender cannot know."""
    proxy = random.choice(arena.workers).proxy
    proxy.hold(TO_WORKER)
    pause(random.uniform(0, MOMENT))
    proxy.cut(reset=True)


def slow_reader(arena, random):
    proxy = random.choice(arena.workers).proxy
    proxy.hold(TO_WORKER)
    pause(random.uniform(0, MOMENT))
    proxy.release()


def hold_chunks(arena, random):
    proxy = random.choice(arena.workers).proxy
    proxy.hold(TO_LEARNER)
    pause(random.uniform(0, MOMENT))
    proxy.release()


def delay(arena, random):
    proxy = random.choice(arena.workers).proxy
    proxy.delay_seconds = random.uniform(0.005, 0.05)
    pause(MOMENT)
    proxy.delay_seconds = 0.0


def slow_link(arena, random):
    proxy = random.choice(arena.workers).proxy
    proxy.bytes_per_second = random.choice([30_000, 100_000])
    pause(MOMENT)
    proxy.bytes_per_second = None


def cut_inside_a_frame(arena, random):
    """A few bytes pass, then the connection ends."""
    proxy = random.choice(arena.workers).proxy
    proxy.bytes_per_second = 2_000
    pause(MOMENT)
    proxy.cut(reset=random.random() < 0.5)
    proxy.bytes_per_second = None


def noise(arena, random):
    """Somebody else comes to the learner's port: other protocols, an HTTP/2 preface and nothing more, a scan."""
    port = arena.workers[0].proxy.target
    for data in (b"\xff" * 10_000, b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 100, b""):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            try:
                connection.sendall(data)
            except OSError:
                pass


def queue_of_the_kernel(arena, random):
    """Packets of everybody are slow and some dropped; in a network of the test's own."""
    if os.environ.get("FAULTS_OWN_NETWORK") != "1":
        return delay(arena, random)
    kinds = (["tbf", "rate", "2mbit", "burst", "20k", "limit", "30k"], ["pfifo", "limit", "1"])
    discipline = ["tc", "qdisc", "add", "dev", "lo", "root", *random.choice(kinds)]
    if subprocess.run(discipline, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return delay(arena, random)
    pause(MOMENT)
    subprocess.run(["tc", "qdisc", "del", "dev", "lo", "root"], check=True)


# --- processes


def stop_worker(arena, random):
    program = random.choice(arena.workers).program
    program.signal(signal.SIGSTOP)
    pause(random.uniform(0, MOMENT))
    program.signal(signal.SIGCONT)


def stop_learner(arena, random):
    arena.learner.signal(signal.SIGSTOP)
    pause(random.uniform(0, MOMENT))
    arena.learner.signal(signal.SIGCONT)


def stop_all(arena, random):
    """As a machine that sleeps."""
    programs = [arena.learner, *(worker.program for worker in arena.workers)]
    for program in programs:
        program.signal(signal.SIGSTOP)
    pause(random.uniform(0, MOMENT))
    random.shuffle(programs)
    for program in programs:
        program.signal(signal.SIGCONT)


def stop_simulator(arena, random):
    simulators = random.choice(arena.workers).simulators()
    for pid in random.sample(simulators, min(1, len(simulators))):
        try:
            os.kill(pid, signal.SIGSTOP)
            pause(random.uniform(0, MOMENT))
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


def _without_files(program, seconds):
    """Nothing can be opened and nobody accepted."""
    most = resource.prlimit(program.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (4, most[1]))
    pause(seconds)
    resource.prlimit(program.pid, resource.RLIMIT_NOFILE, most)


def learner_without_files(arena, random):
    """While all are connected: a connection that comes meanwhile makes gRPC 1.51 close its ears for good, which
    docs/reliability.md says of it."""
    until(lambda: all(worker.proxy.connections() for worker in arena.workers), "all are connected")
    pause(MOMENT / 3)
    _without_files(arena.learner, random.uniform(0.1, MOMENT))
    if "Failed accept" in arena.learner.printed():
        stop_and_resume_learner(arena, random)
    arena.unwritten = arena.updates()


def worker_without_files(arena, random):
    """While its connection is cut, so that it needs one."""
    worker = random.choice(arena.workers)
    worker.proxy.cut()
    _without_files(worker.program, random.uniform(0.1, MOMENT))


# --- time


DAY, YEAR = 86400, 86400 * 365


def _clocks(arena):
    return [clock for clock in [arena.learner_clock, *(worker.clock for worker in arena.workers)] if clock.exists()]


def step_clocks(arena, random):
    """Certificates hold for today, so that with them no clock may go far."""
    steps = [0, 1, DAY] if arena.secured else [0, 1, -1, 3600, -3600, YEAR, -YEAR]
    for clock in _clocks(arena):
        if random.random() < 0.7:
            arena.set_clock(clock, random.choice(steps))


def far_clocks(arena, random):
    """The beginning of time, and beyond what 32 bits hold."""
    for clock in [] if arena.secured else _clocks(arena):
        arena.set_clock(clock, random.choice([-time.time() + 1, 2**31 - time.time() + 1, 80 * YEAR]))
    pause(MOMENT)
    for clock in _clocks(arena):
        arena.set_clock(clock, 0)


def shake_clocks(arena, random):
    """Back and forth, faster than anything is timed."""
    clocks = _clocks(arena)
    for _ in range(30 if clocks else 0):
        arena.set_clock(random.choice(clocks), random.uniform(0 if arena.secured else -100, 100))
        pause(0.005)


# --- disks; the run folder's own where mounts are the test's


def full_disk(arena, random):
    if os.environ.get("FAULTS_OWN_NAMESPACE") != "1":
        return
    ballast = arena.run_folder.parent / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            pass
        try:
            while True:
                file.write(bytes(1 << 8))
        except OSError:
            pass
    pause(MOMENT)
    ballast.unlink()
    arena.unwritten = arena.updates()


def _with_mount(arena, folder, options, seconds):
    if os.environ.get("FAULTS_OWN_NAMESPACE") != "1" or not folder.exists():
        return
    for command in options:
        subprocess.run(["mount", *command, str(folder)], check=True)
    pause(seconds)
    subprocess.run(["umount", "-l", str(folder)], check=True)
    arena.unwritten = arena.updates()


def read_only_disk(arena, random):
    folder = arena.run_folder / random.choice(["checkpoints", "actors"])
    _with_mount(arena, folder, [["--bind", str(folder)], ["-o", "remount,ro,bind"]], MOMENT)


def no_inodes(arena, random):
    """Another file system there, on which no file can be made."""
    folder = arena.run_folder / "actors"
    _with_mount(arena, folder, [["-t", "tmpfs", "-o", "nr_inodes=1", "faults"]], MOMENT)


def lost_folder(arena, random):
    """Actors removed under the learner's feet, and put back."""
    folder, aside = arena.run_folder / "actors", arena.run_folder / "actors.aside"
    if not folder.exists():
        return
    folder.rename(aside)
    pause(MOMENT / 3)
    if folder.exists():
        shutil.rmtree(folder)
    aside.rename(folder)
    arena.unwritten = arena.updates()


def names_taken(arena, random):
    """Folders stand where the next checkpoints and actors are to be."""
    updates = [arena.updates() // CHECKPOINT_UPDATES * CHECKPOINT_UPDATES + n * CHECKPOINT_UPDATES for n in range(1, 6)]
    taken = [arena.run_folder / f"checkpoints/{update:012}.safetensors" for update in updates]
    taken = [path for path in taken if path.parent.exists() and not path.exists()]
    for path in taken:
        path.mkdir()
    pause(MOMENT)
    for path in taken:
        if path.is_dir():
            path.rmdir()
    arena.unwritten = arena.updates()


LEASE_KEPT = [
    cut, reset, cut_all, cut_again_and_again, hold_acknowledgements_and_cut, slow_reader, hold_chunks, delay, slow_link,
    cut_inside_a_frame, noise, queue_of_the_kernel, stop_worker, stop_learner, stop_all, stop_simulator,
    learner_without_files, worker_without_files, step_clocks, shake_clocks, far_clocks, full_disk, read_only_disk,
    no_inodes, lost_folder, names_taken,
]


# --- what costs leases


def kill_worker(arena, random):
    worker = random.choice(arena.workers)
    worker.program.signal(signal.SIGKILL)
    worker.program.wait("a killed worker's end")
    worker.start()


def kill_all_workers(arena, random):
    for worker in arena.workers:
        worker.program.signal(signal.SIGKILL)
    for worker in arena.workers:
        worker.program.wait("a killed worker's end")
        worker.start()


def kill_worker_as_it_starts(arena, random):
    worker = random.choice(arena.workers)
    for _ in range(3):
        worker.program.signal(signal.SIGKILL)
        worker.program.wait("a killed worker's end")
        worker.start()
        pause(random.uniform(0, 0.1))


def send_worker_away(arena, random):
    worker = random.choice(arena.workers)
    worker.program.signal(signal.SIGTERM)
    status = worker.program.wait("a worker's end that was asked to go")
    assert status == 0, f"asked to go, worker {worker.number} ended with {status}"
    worker.start()


def silence_worker(arena, random):
    """For longer than its leases last; then it comes back with what it has collected."""
    program = random.choice(arena.workers).program
    program.signal(signal.SIGSTOP)
    pause(2.5)
    program.signal(signal.SIGCONT)


def black_hole(arena, random):
    """Connected, and nothing passes, for longer than leases last."""
    proxy = random.choice(arena.workers).proxy
    proxy.hold(TO_LEARNER)
    proxy.hold(TO_WORKER)
    pause(2.5)
    proxy.release()


def late_delivery(arena, random):
    """What a worker sent arrives when its shards are long another's."""
    proxy = random.choice(arena.workers).proxy
    proxy.hold(TO_LEARNER)
    pause(2.5)
    proxy.release()


def kill_simulator(arena, random):
    simulators = random.choice(arena.workers).simulators()
    for pid in random.sample(simulators, min(2, len(simulators))):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def fail_simulator(arena, random):
    order = arena.orders / "fail"
    what = random.choice(["exit", "abort", "error", "hang", "noise", "nan", "endings", "twice"])
    (arena.orders / "next").write_text(what)
    (arena.orders / "next").rename(order)
    until(lambda: not order.exists() or arena.learner.status() is not None, "a simulator fails")


def link_down(arena, random):
    """No network at all, for everybody, for a moment."""
    if os.environ.get("FAULTS_OWN_NETWORK") != "1":
        return cut_all(arena, random)
    subprocess.run(["ip", "link", "set", "lo", "down"], check=True)
    pause(random.uniform(0.2, 2.5))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


# --- the learner's end; what is done to its files before it comes back


def _kill_learner(arena, harm=None):
    """`harm` is done to the checkpoints it left."""
    arena.end_learner(signal.SIGKILL)
    left = arena.check_unsaved()
    if harm is not None:
        harm(arena.checkpoints())
    arena.start_learner()
    if harm is None and left > 0:
        until(lambda: arena.went_on_from() or arena.learner.status() is not None, "the learner goes on")
        assert arena.went_on_from() == left, f"checkpoint {left} was there, it went on from {arena.went_on_from()}"


def kill_learner(arena, random):
    _kill_learner(arena)


def stop_and_resume_learner(arena, random):
    status = arena.end_learner(signal.SIGTERM)
    assert status == 0, f"asked to stop, the learner ended with {status}"
    arena.start_learner()


def kill_learner_in_a_checkpoint(arena, random):
    """As soon as a half-written file is there."""
    folder = arena.run_folder / "checkpoints"
    known = set(folder.glob("*"))
    deadline = time.monotonic() + 5
    while set(folder.glob("*")) <= known and time.monotonic() < deadline:
        pass
    _kill_learner(arena)


def kill_everybody(arena, random):
    """As a machine that loses its power."""
    for worker in arena.workers:
        worker.program.signal(signal.SIGKILL)
    _kill_learner(arena)
    for worker in arena.workers:
        worker.program.wait("a killed worker's end")
        worker.start()


def kill_learner_twice(arena, random):
    """The second time before it has trained anything."""
    _kill_learner(arena)
    pause(random.uniform(0, 0.3))
    _kill_learner(arena)


def _damage(paths, change):
    """Of the newest; an older one is left to go on from."""
    if len(paths) > 1:
        data = bytearray(paths[-1].read_bytes())
        paths[-1].write_bytes(change(data))


def flip_bit_of_checkpoint(arena, random):
    def change(data):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        return data

    _kill_learner(arena, lambda paths: _damage(paths, change))


def truncate_checkpoint(arena, random):
    _kill_learner(arena, lambda paths: _damage(paths, lambda data: data[: random.randrange(len(data))]))


def empty_checkpoint(arena, random):
    _kill_learner(arena, lambda paths: _damage(paths, lambda data: b""))


def zero_checkpoint(arena, random):
    """As file systems leave one after a power failure: its length, and nothing in it."""
    _kill_learner(arena, lambda paths: _damage(paths, lambda data: bytes(len(data))))


def foreign_checkpoint(arena, random):
    """A newer version's is refused by name and stays as it is; without it the run goes on."""
    arena.end_learner(signal.SIGKILL)
    paths = arena.checkpoints()
    if paths:
        data = of_another_version(paths[-1].read_bytes())
        foreign = paths[-1].with_name("999999999999.safetensors")
        foreign.write_bytes(data)
        arena.start_learner(serves=False)
        status = arena.learner.wait("a learner that finds a newer version's checkpoint ends")
        printed = arena.learner.printed()
        assert status == 1 and foreign.name in printed and "troupe-checkpoint/9" in printed, f"{status}\n{printed}"
        assert foreign.read_bytes() == data, "a newer version's checkpoint was changed"
        arena.learner.close()
        foreign.unlink()
    arena.start_learner()


def tear_records(arena, random):
    """The last line of the records is half there."""
    records = arena.run_folder / "metrics.jsonl"
    arena.end_learner(signal.SIGKILL)
    if records.exists() and records.stat().st_size > 100:
        os.truncate(records, records.stat().st_size - random.randrange(1, 80))
    arena.start_learner()


def leftovers(arena, random):
    """Files that nobody knows among the checkpoints: an editor's, a half-written one, a folder, a broken link."""
    arena.end_learner(signal.SIGKILL)
    folder = pathlib.Path(arena.run_folder / "checkpoints")
    if folder.exists():
        (folder / ".000000000009.safetensors.swp").write_bytes(b"x")
        (folder / "notes.txt").write_text("hello")
        (folder / "a_folder").mkdir(exist_ok=True)
        if not (folder / "link").is_symlink():
            (folder / "link").symlink_to("/nowhere/at/all")
    arena.start_learner()


OTHERS = [
    kill_worker, kill_all_workers, kill_worker_as_it_starts, send_worker_away, silence_worker, black_hole,
    late_delivery, kill_simulator, fail_simulator, link_down, kill_learner, stop_and_resume_learner,
    kill_learner_in_a_checkpoint, kill_everybody, kill_learner_twice, flip_bit_of_checkpoint, truncate_checkpoint,
    empty_checkpoint, zero_checkpoint, foreign_checkpoint, tear_records, leftovers,
]


# --- the wire's bytes; where TLS would notice


def flip_to_learner(arena, random):
    random.choice(arena.workers).proxy.flip(TO_LEARNER, random.choice([1, 5]))


def flip_to_worker(arena, random):
    random.choice(arena.workers).proxy.flip(TO_WORKER, random.choice([1, 5]))


FLIPS = [flip_to_learner, flip_to_worker]
