"""Runs with a seeded schedule of faults, one after the other, and what must hold of them."""

import contextlib
import pathlib
import random
import shutil
import subprocess
import tempfile

from arena import Arena, own_mount

DISK_KIB = 16 << 10
BETWEEN = 3  # updates that are to follow each fault before the next


def order(faults, count, seed):
    """`count` of them in an order of their own, each as often as the others but for one."""
    shuffled, generator = [], random.Random(seed)
    while len(shuffled) < count:
        deck = list(faults)
        generator.shuffle(deck)
        shuffled += deck
    return shuffled[:count]


@contextlib.contextmanager
def arena(binaries, **options):
    """In a folder of its own, the run on a small disk of its own where that may be. What everybody printed comes with
    whatever goes wrong."""
    with tempfile.TemporaryDirectory(prefix="faults.") as name:
        folder = pathlib.Path(name)
        disk = folder / "disk"
        mounted = own_mount(disk, DISK_KIB)
        try:
            with Arena(binaries, folder, disk, **options) as made:
                try:
                    yield made
                except BaseException as error:
                    raise AssertionError(f"{error}\n{made.words()}") from error
        finally:
            if mounted:
                shutil.rmtree(disk, ignore_errors=True)
                subprocess.run(["umount", "-l", str(disk)], check=False)


def inflict(run, faults, seed, tell=lambda line: None):
    """Does them one after the other; training must come further after each."""
    generator = random.Random(seed)
    for number, fault in enumerate(faults):
        before = run.updates()
        why = f"fault {number}, {fault.__name__}"
        try:
            fault(run, generator)
        except ProcessLookupError:
            pass  # who it was meant for has just come to its end by itself
        except BaseException as error:
            raise AssertionError(f"{why}: {error}") from error
        run.advance(BETWEEN, why)
        tell(f"{number} {fault.__name__}: update {before} to {run.updates()}")
