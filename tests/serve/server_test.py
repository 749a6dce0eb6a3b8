"""`troupe.serve` as a process, by a worker in a few lines: proto/environment_service.proto."""

import json
import math
import os
import socket
import subprocess
import sys
import unittest

import numpy as np

from troupe.serve.memory import map_arrays
from troupe.serve.spec import Group, Observed, Spec

_SERVE = [sys.executable, "-B", "-m", "troupe.serve"]


class Worker:
    """Starts a server and talks to it."""

    def __init__(self, arguments, copies=2, **given):
        self.copies = copies
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(60)
        self.memory = os.memfd_create("copies", 0)
        variables = {f"TROUPE_ARGUMENT_{name}": str(value) for name, value in given.items()}
        self.child = subprocess.Popen(
            [*_SERVE, *arguments],
            pass_fds=(theirs.fileno(), self.memory),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **os.environ,
                **variables,
                "TROUPE_PROTOCOL": "1",
                "TROUPE_SOCKET": str(theirs.fileno()),
                "TROUPE_MEMORY": str(self.memory),
                "TROUPE_COPIES": str(copies),
            },
        )
        theirs.close()
        self.lines = self.ours.makefile("r")

    def greet(self):
        word, _, rest = self.hear().partition(" ")
        assert word == "hello", (word, rest)
        hello = json.loads(rest)
        assert hello["protocol_version"] == 1
        fields = dict(hello["spec"])
        fields["groups"] = tuple(
            Group(**{**group, "observed": tuple(Observed(**one) for one in group["observed"])})
            for group in fields["groups"]
        )
        self.spec = Spec(**fields)
        self._allocate()
        return self

    def _allocate(self):
        """The table that a worker writes, and arrays as far apart as it likes."""
        shapes = [(self.copies, 1), (self.copies, 8), (self.copies, 1), (self.copies * self.spec.num_statistics, 8),
                  (self.copies * self.spec.state_extras_size, 4)]
        for group in self.spec.groups:
            rows = self.copies * len(group.agents)
            masks = 0 if group.action_kind == "CONTINUOUS" else rows * group.action_size
            shapes += [(rows * group.choices, 4), (rows * group.observation_size, 4), (masks, 1), (rows, 1), (rows, 4)]
        offsets, end = [], 8 * len(shapes)
        for count, size in shapes:
            offsets.append(math.ceil(end / 64) * 64 if count else 0)
            end = offsets[-1] + count * size + 192 if count else end
        os.ftruncate(self.memory, end)
        os.pwrite(self.memory, np.array(offsets, np.uint64).tobytes(), 0)
        self.arrays = map_arrays(self.memory, self.spec, self.copies)

    def hear(self):
        return self.lines.readline().rstrip("\n")

    def ring(self, *commands):
        self.arrays.commands[:] = commands
        self.ours.sendall(b"step\n")
        return self.hear()

    def end(self):
        """Hangs up; what the server printed, and how it ended."""
        self.lines.close()
        self.ours.close()
        output, _ = self.child.communicate(timeout=60)
        os.close(self.memory)
        return output, self.child.returncode


class ServerTest(unittest.TestCase):
    def test_copies_do_as_commanded_until_the_worker_hangs_up(self):
        worker = Worker(["--function", "fakes:Countdown"], copies=3, length=2).greet()
        self.assertEqual(worker.spec.groups[0].agents, ["agent"])
        arrays = worker.arrays
        seen = arrays.groups[0].observations
        self.assertEqual(worker.ring(1, 1, 0), "done")
        self.assertEqual(seen[:, 0, 0].tolist(), [2, 2, 0])
        self.assertEqual(worker.ring(2, 0, 1), "done")
        self.assertEqual(seen[:, 0, 0].tolist(), [1, 2, 2])
        self.assertEqual(worker.ring(2, 2, 0), "done")
        self.assertEqual((seen[:, 0, 0].tolist(), arrays.endings.tolist()), ([0, 1, 2], [1, 0, 0]))
        self.assertEqual(arrays.statistics[0].tolist(), [2])
        self.assertEqual(worker.end(), ("", 0))

    def test_arguments_are_python_values_or_texts(self):
        worker = Worker(["--function", "fakes:Countdown", "--set", "length=7", "--set", "cut=true"], length=4).greet()
        worker.ring(1, 0)
        self.assertEqual(worker.arrays.groups[0].observations[0, 0, 0], 4, "the experiment's before the server's")
        worker.end()

    def test_an_error_is_told_and_ends_the_server(self):
        worker = Worker(["--function", "fakes:faulty"], fault="raise", when=0).greet()
        worker.ring(1, 1)
        said = worker.ring(0, 2)
        self.assertRegex(said, r"^error ZeroDivisionError: the cake is a lie \(while stepping copy 1; .*then fakes.py:")
        output, status = worker.end()
        self.assertEqual(status, 1)
        self.assertIn("Traceback (most recent call last)", output)

    def test_an_error_before_the_hello_is_told_as_well(self):
        for arguments, words in [
            (["--function", "fakes:faulty", "--set", "fault=construct"], "KeyError: 'no such cake' (while making"),
            (["--function", "fakes:Countdown", "--set", "lenght=3"], "unexpected keyword argument 'lenght'"),
            (["--function", "fakes:nothing"], "AttributeError"),
            (["--pettingzoo", "no.such_module_v0"], "ModuleNotFoundError"),
            (["--gymnasium", "NoSuch-v0"], "NoSuch"),
        ]:
            worker = Worker(arguments)
            said = worker.hear()
            self.assertTrue(said.startswith("error ") and words in said, said)
            self.assertEqual(worker.end()[1], 1)

    def test_what_it_is_at_when_it_is_aborted(self):
        worker = Worker(["--function", "fakes:faulty"], fault="hang", when=0).greet()
        worker.ring(1, 0)
        worker.arrays.commands[:] = 2, 0
        worker.ours.sendall(b"step\n")
        self.assertEqual(worker.child.stdout.readline(), "hanging\n")
        worker.child.send_signal(6)
        worker.child.wait(60)
        output, _ = worker.end()
        self.assertRegex(output, r"Error: it was at .*fakes.py:\d+ in ")

    def test_another_protocol_is_refused(self):
        run = subprocess.run(
            [*_SERVE, "--function", "fakes:Countdown"],
            env={**os.environ, "TROUPE_PROTOCOL": "0", "TROUPE_SOCKET": "3"},
            capture_output=True,
            text=True,
        )
        self.assertIn("the worker speaks protocol 0, this server 1", run.stderr)
        self.assertEqual(run.returncode, 1)

    def test_without_a_worker_it_plays_at_random_and_tells(self):
        run = subprocess.run(
            [*_SERVE, "--function", "fakes:Countdown", "--copies", "3", "--seconds", "0.01"],
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertRegex(run.stdout, r"agent: 1 × 1 observed numbers, 2 discrete actions: agent\n.* with 3 copies")


if __name__ == "__main__":
    unittest.main()
