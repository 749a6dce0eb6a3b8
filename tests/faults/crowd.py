"""Workers that come and go: who joins, leaves, dies and pauses, by a seeded schedule that never waits."""

import collections
import random
import signal
import socket
import time

from arena import PATIENCE, Program

SHORT, LONG = 0.5, 6.0  # seconds of a pause: within and beyond what a lease lasts


class Crowd:
    """Of one run. Its first worker stays, and is paused at most; up to `most` come and go beside it. Times are those of
    time.monotonic()."""

    def __init__(self, command, folder, port, seed, most=3, gap=4.0):
        self.command, self.folder, self.port, self.most, self.gap = command, folder, port, most, gap
        self.random = random.Random(seed)
        self.tally = collections.Counter()
        self._started, self._paused, self._leaving, self._present = 0, {}, [], []
        self.resident = self._start("--metrics=127.0.0.1:0")
        self._next = time.monotonic() + self.gap

    def _start(self, *flags):
        self._started += 1
        return Program([*self.command, *flags], self.folder / f"worker.{self._started}", {})

    def present(self):
        """How many there are, with the one that stays."""
        return 1 + len(self._present)

    def tick(self):
        """Does what is due. Raises AssertionError for whoever ended and was not asked to."""
        now = time.monotonic()
        for program, until in list(self._paused.items()):
            if until <= now:
                program.signal(signal.SIGCONT)
                del self._paused[program]
        for program in [self.resident, *self._present]:
            self._expect(program.status() is None, program, "ended by itself")
        for program, deadline in list(self._leaving):
            if program.status() is None:
                self._expect(now < deadline, program, f"asked to go, it did not within {PATIENCE} s")
                continue
            self._expect(self._went(program), program, "asked to go")
            self._forget(program)
        if now < self._next:
            return
        self._next = now + self.random.expovariate(1 / self.gap)
        event = self.random.choice([self._join, self._join, self._leave, self._kill, self._pause, self._long_pause,
                                    self._strangers])
        event(now)

    def _expect(self, holds, program, what):
        if not holds:
            raise AssertionError(f"{program.path.name} ({what}) has status {program.status()}:\n"
                                 f"{program.printed()[-3000:]}")

    @staticmethod
    def _went(program):
        """In good order; who was asked before it had said its first word may not have listened yet."""
        return program.status() == 0 or (program.status() == -signal.SIGTERM and not program.printed())

    def _forget(self, program):
        self._leaving = [(other, deadline) for other, deadline in self._leaving if other is not program]
        program.close()
        program.path.unlink()

    def _anybody(self):
        """Of those that come and go, who is not paused."""
        awake = [program for program in self._present if program not in self._paused]
        return self.random.choice(awake) if awake else None

    def _join(self, _):
        if len(self._present) < self.most:
            self._present.append(self._start())
            self.tally["joined"] += 1

    def _leave(self, now):
        program = self._anybody()
        if program is not None:
            self._present.remove(program)
            program.signal(signal.SIGTERM)
            self._leaving.append((program, now + PATIENCE))
            self.tally["left"] += 1

    def _kill(self, _):
        program = self._anybody()
        if program is not None:
            self._present.remove(program)
            program.signal(signal.SIGKILL)
            program.wait("a killed worker's end")
            self._forget(program)
            self.tally["killed"] += 1

    def _pause(self, now, seconds=SHORT):
        program = self.random.choice([self.resident, *self._present])
        if program not in self._paused:
            program.signal(signal.SIGSTOP)
            self._paused[program] = now + seconds
            self.tally["paused" if seconds == SHORT else "paused for long"] += 1

    def _long_pause(self, now):
        self._pause(now, LONG)

    def _strangers(self, _):
        """Who speaks another protocol, or hangs up in the middle of this one's first words."""
        for words in (b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b""):
            with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
                try:
                    connection.sendall(words)
                except OSError:
                    pass
        self.tally["strangers"] += 1

    def wake_all(self):
        for program in self._paused:
            program.signal(signal.SIGCONT)
        self._paused.clear()

    def send_away(self):
        """All of them, and sees them go with status 0."""
        self.wake_all()
        going = [self.resident, *self._present, *(program for program, _ in self._leaving)]
        for program in going:
            program.signal(signal.SIGTERM)
        for program in going:
            program.wait("a worker's end")
            self._expect(self._went(program), program, "asked to go at the end")

    def close(self):
        for program in [self.resident, *self._present, *(program for program, _ in self._leaving)]:
            program.close()
