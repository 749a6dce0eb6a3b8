#!/usr/bin/env python3
"""faults_test.py BIN_FOLDER: whole runs under seeded faults, the short form: every kind of fault once. The long form is
chaos.py. What a run trained on is checked step by step (identities.py); mounts and packet queues need root, without
which their faults are left out."""

import base64
import json
import pathlib
import signal
import sys
import unittest

import faults
from arena import CHECKPOINT_UPDATES, enter_namespace
from identities import Batch, Broken, Run
from schedule import arena, inflict, order

BIN = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
PATIENT = {"lease_seconds": 60, "step_seconds": 30}  # nobody is given up
UPDATES = 400


class SameWeights(unittest.TestCase):
    def test_what_costs_no_lease_changes_no_weight(self):
        """Networks, clocks, disks and pauses: the run ends with the very weights of an undisturbed one."""
        with arena(BIN, updates=UPDATES, **PATIENT) as run:
            run.start()
            undisturbed = run.finish()
        with arena(BIN, updates=UPDATES, **PATIENT) as run:
            run.slow_simulators(True)
            run.start()
            run.advance(2, "the beginning")
            inflict(run, order(faults.LEASE_KEPT, len(faults.LEASE_KEPT), seed=1), seed=1)
            self.assertLess(run.updates(), UPDATES, "the run was over before all faults were there")
            run.slow_simulators(False)
            self.assertEqual(run.finish(), undisturbed)
            self.assertGreater(run.witnessed, UPDATES, "the acknowledgements were not seen")
            self.assertEqual(run.identities.most_lost, 0)


class Identities(unittest.TestCase):
    def _survives(self, run, kinds, seed):
        run.start()
        run.advance(CHECKPOINT_UPDATES, "the beginning")
        inflict(run, order(kinds, len(kinds), seed), seed)
        run.finish()

    def test_dying_processes_and_damaged_files_cost_a_checkpoint_interval_at_most(self):
        with arena(BIN, extended=True, seed=11) as run:
            self._survives(run, faults.OTHERS, seed=2)
            self.assertGreater(run.learners, 8)
            self.assertLess(run.score(last=40), 1)

    def test_bits_that_flip_under_tls_are_never_trained_on(self):
        with arena(BIN, extended=True, seed=12, secured=True) as run:
            self._survives(run, faults.FLIPS * 4, seed=3)

    def test_asynchronous_runs_keep_the_order_of_each_lease(self):
        with arena(BIN, extended=True, seed=13, mode="ASYNCHRONOUS", workers=3) as run:
            kinds = [faults.cut, faults.hold_acknowledgements_and_cut, faults.kill_worker, faults.late_delivery,
                     faults.fail_simulator, faults.kill_learner]
            self._survives(run, kinds, seed=4)
            self.assertEqual(run.identities.skipped, 0, "chunks that were not too old were not trained on")

    def test_bits_of_chunks_that_flip_in_plain_text_end_nothing(self):
        """They may be trained on: nothing but TCP's own sum is there to see them, so identities are not looked at."""
        with arena(BIN, extended=True, seed=14) as run:
            run.identities.learner = lambda lines, went_on_from: []
            run.start()
            run.advance(2, "the beginning")
            inflict(run, [faults.flip_to_learner] * 8, seed=5)
            self.assertEqual(run.end_learner(signal.SIGTERM), 0)


class TheCheckItself(unittest.TestCase):
    """That the identities' check sees what it is for: batches of a real run, altered."""

    @classmethod
    def setUpClass(cls):
        with arena(BIN, updates=12, **PATIENT) as run:
            run.start()
            run.finish()
            cls.lines = run.log().read_bytes().splitlines(keepends=True)
            cls.seed = run.seed

    def _check(self, lines):
        run = Run(self.seed, 4, 4)
        run.learner(lines, 0)
        return run.close()

    def _altered(self, change, line=5):
        record = json.loads(self.lines[line])
        change(record)
        return [*self.lines[:line], json.dumps(record).encode(), *self.lines[line + 1 :]]

    def test_whole_batches_pass(self):
        self.assertEqual(self._check(self.lines), 12 * 16)

    def test_a_batch_that_is_missing_or_twice(self):
        for lines in (self.lines[:4] + self.lines[5:], self.lines[:5] + self.lines[4:]):
            with self.assertRaisesRegex(Broken, "came after"):
                self._check(lines)

    def test_a_piece_trained_on_again(self):
        old = self.lines[4].replace(b'"update":5,', b'"update":6,')
        with self.assertRaisesRegex(Broken, "comes again"):
            self._check([*self.lines[:5], old])

    def test_columns_of_two_shards_that_changed_places(self):
        def swap(record):
            streams = record["streams"]
            streams[0], streams[4] = streams[4], streams[0]

        with self.assertRaisesRegex(Broken, "columns of"):
            self._check(self._altered(swap))

    def test_one_bit_of_one_number(self):
        paid = 4 * Batch(self.lines[5]).rewards.index(1.0)  # bytes before an action that was the right one
        for name, places in (("observations", (0, -1)), ("rewards", (0, -1)), ("final_observations", (0, -1)),
                             ("discrete_actions", (paid, paid + 3, -1))):
            for place in places:

                def flip(record):
                    data = bytearray(base64.b64decode(record["groups"][0][name]))
                    data[place] ^= 1
                    record["groups"][0][name] = base64.b64encode(data).decode()

                with self.assertRaises(Broken, msg=f"{name} {place}"):
                    self._check(self._altered(flip))


if __name__ == "__main__":
    enter_namespace([sys.executable, "-B", *sys.argv])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
