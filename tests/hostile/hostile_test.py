#!/usr/bin/env python3
"""hostile_test.py BIN_FOLDER: every attack for a moment, on a learner in the open and on one behind its gateway.

hostile.py does the same for minutes, again and again, and measures the pace in earnest."""

import pathlib
import sys
import unittest

from arena import Arena, has_gateway
from attacks import ATTACKS, Attackers
from hostile import Row, one_try

BIN = pathlib.Path(sys.argv.pop(1)).resolve()
SECONDS = 1.5
# What else this machine does comes and goes. A learner whose own parser is kept busy comes to a hundredth.
LEAST_PACE = 0.2
# gRPC 1.51 reads these before anybody can say no; nobody but a gateway stops them (docs/security.md).
GATEWAYS = ("half a trajectory", "half a registration", "headers without end", "one header without end",
            "continuation flood", "rapid resets", "frames to answer")


class HostilePeersTest(unittest.TestCase):
    def attack(self, kind, names):
        with Arena(BIN, kind) as arena:
            for name in names:
                with self.subTest(kind=kind, attack=name):
                    row = Row(kind, "worker", name)
                    self.assertTrue(one_try(arena, row, SECONDS), arena.learner.output()[-3000:])
                    print(row.line(), flush=True)
                    self.assertEqual(row.faults(LEAST_PACE), [])
            self.assertIsNone(arena.worker.process.poll(), arena.worker.output()[-3000:])
            with Attackers(names[0], arena.target(True), arena.known):
                status, seconds = arena.learner.stop()
            self.assertEqual(status, 0, arena.learner.output()[-3000:])
            print(f"{kind}: ended {seconds:.1f} s after SIGTERM", flush=True)

    def test_a_learner_that_anybody_reaches_trains_on(self):
        self.attack("plain", [name for name in ATTACKS if name not in GATEWAYS])

    def test_behind_a_gateway_a_worker_gone_bad_stops_nobody(self):
        if not has_gateway():
            self.skipTest("no nginx with its stream module (deploy/setup.sh --tests)")
        self.attack("gateway", GATEWAYS)


if __name__ == "__main__":
    unittest.main()
