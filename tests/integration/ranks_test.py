#!/usr/bin/env python3
"""ranks_test.py BIN_FOLDER [--full] [CASE…]: several learners as an installation. Workers that are given one address
are spread over all of them; one learner is killed, its supervisor (this test) starts it again, and training goes on by
itself; four learners on four machines, which are network namespaces, trained to the same weights; the same through
WireGuard, beside which nothing passes between them. What needs namespaces is skipped, and says so, where they are not
allowed. --full: every learner is killed in turn, and a cable is taken out."""
import collections
import pathlib
import subprocess
import sys
import tempfile
import unittest

from rank_networks import Network, Tunnel, Watcher
from rank_processes import SOURCE, Processes, free_ports

BIN = pathlib.Path(sys.argv.pop(1)).resolve()
FULL = "--full" in sys.argv and sys.argv.remove("--full") is None
REJOIN = ["--rank_rejoin=240", "--rank_timeout=15"]


class RanksTest(unittest.TestCase):
    def processes(self, *arguments, **named):
        run = Processes(BIN, *arguments, **named)
        self.addCleanup(run.close)
        return run

    def check_places(self, run, addresses, each):
        """So many workers for every learner, once all have one."""
        run.wait(lambda: len(run.places()) == len(run.workers), "a learner for every worker")
        counts = collections.Counter(run.places().values())
        self.assertEqual(counts, {address: each for address in addresses}, run.everything())

    def check_the_end(self, run, ranks):
        """The same weights everywhere, and each update recorded once."""
        last = [run.weights(rank)[-1] for rank in range(ranks)]
        self.assertEqual(len(set(last)), 1, last)
        updates = [record["update"] for record in run.records()]
        self.assertEqual(updates, list(range(1, run.updates + 1)))


class LoopbackTest(RanksTest):
    """Two learners of one machine."""

    RANKS = 2

    def begin(self, updates, asked=0):
        port = free_ports(2 * self.RANKS)
        run = self.processes(
            updates,
            lambda rank: {"RANK": f"{rank}", "LOCAL_RANK": f"{rank}", "WORLD_SIZE": f"{self.RANKS}",
                          "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": f"{port + self.RANKS}"},
            lambda rank: [f"--listen=127.0.0.1:{port}", "--expected_workers=2", *REJOIN])
        # First, so that all are there when leases are given.
        for number in range(2 * self.RANKS):
            run.start_worker(number, f"127.0.0.1:{port + asked}")
        for rank in range(self.RANKS):
            run.start_learner(rank)
        return run, port

    def test_workers_of_one_address_serve_all_learners_and_change_nothing(self):
        weights = []
        # All ask the first learner; all ask the second, which sends them on to the first.
        for asked in (0, 1):
            run, port = self.begin(60, asked)
            run.wait_for_end()
            self.check_the_end(run, self.RANKS)
            self.check_places(run, [f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}"], 2)
            weights.append(run.weights(0)[-1])
        self.assertEqual(weights[0], weights[1])

    def test_a_killed_learner_comes_back_and_training_goes_on(self):
        run, _ = self.begin(400)
        for killed in (1, 0):
            update = run.last_update() + 20
            run.wait_for_update(update)
            run.kill(killed)
            run.wait(lambda: run.restarts.get(killed), "the restart")
            run.wait_for_update(update + 40)
        run.wait_for_end()
        self.check_the_end(run, self.RANKS)
        # Nobody but the killed ones was started again.
        self.assertEqual(run.restarts, {0: 1, 1: 1})
        self.assertIn("they are waited for (--rank_rejoin)", run.said("rank0"))

    def test_a_worker_without_a_learner_of_its_own_moves_to_one_that_has_none(self):
        run, port = self.begin(100000)
        run.wait_for_update(5)
        # Both workers of the second learner go for good.
        second = [number for number, place in run.places().items() if place == f"127.0.0.1:{port + 1}"]
        self.assertEqual(len(second), 2, run.everything())
        update = run.last_update()
        for number in second:
            run.workers[number].kill()
        run.wait(lambda: "is given back" in run.said("rank0"), "a worker given back")
        run.wait_for_update(update + 20)
        self.assertEqual(run.restarts, {})


class NetworkTest(RanksTest):
    """Four learners and four workers on four machines, mutual TLS between learners and workers."""

    RANKS = 4

    def setUp(self):
        self.network = Network(self.RANKS)
        self.addCleanup(self.network.remove)
        if not self.network.make():
            self.skipTest("no network namespaces to be had")

    def begin(self, updates, master=Network.address, flags=()):
        run = self.processes(
            updates,
            lambda rank: {"RANK": f"{rank}", "WORLD_SIZE": f"{self.RANKS}", "MASTER_ADDR": master(0),
                          "MASTER_PORT": "29500"},
            lambda rank: [f"--listen={Network.address(rank)}:7070", "--insecure_ranks", "--expected_workers=1", *REJOIN,
                          *self.tls("learner", "--tls_client_ca"), *flags],
            inside=self.network.inside)
        self.certificates = run.folder / "certificates"
        names = [f"--name={Network.address(rank)}" for rank in range(self.RANKS)]
        subprocess.run([SOURCE / "deploy/certificates.sh", self.certificates, *names], check=True, capture_output=True)
        for rank in range(self.RANKS):
            run.start_learner(rank)
        for number in range(self.RANKS):
            run.start_worker(number, f"{Network.address(0)}:7070", *self.tls("worker", "--tls_ca"),
                             inside=self.network.inside(number))
        return run

    @staticmethod
    def tell(what, run, update):
        print(f"{what} after update {update}: training stood still for {run.stall_after(update):.1f} s", flush=True)

    def tls(self, who, authority):
        return [f"{authority}={self.certificates}/ca.pem", f"--tls_certificate={self.certificates}/{who}.pem",
                f"--tls_key={self.certificates}/{who}.key"]

    def test_one_of_four_is_killed_and_training_goes_on(self):
        run = self.begin(450 if FULL else 300)
        run.wait_for_update(20)
        self.check_places(run, [f"{Network.address(rank)}:7070" for rank in range(self.RANKS)], 1)
        for killed in (2, 0, 1, 3) if FULL else (2,):
            update = run.last_update()
            run.kill(killed)
            run.wait_for_update(update + 40)
            self.assertTrue(run.restarts.get(killed), run.everything())
            self.tell(f"rank {killed} killed", run, update)
        run.wait_for_end()
        self.check_the_end(run, self.RANKS)

    @unittest.skipUnless(FULL, "only with --full")
    def test_a_cable_is_taken_out_for_a_while(self):
        run = self.begin(200)
        run.wait_for_update(20)
        update = run.last_update()
        self.network.cut(3)
        run.wait(lambda: "they are waited for" in run.said("rank0"), "the loss")
        self.network.cut(3, down=False)
        run.wait_for_update(update + 40)
        self.tell("rank 3 cut off", run, update)
        run.wait_for_end()
        self.check_the_end(run, self.RANKS)


class TunnelTest(NetworkTest):
    """The same, what learners tell each other in WireGuard."""

    RANKS = 2
    test_one_of_four_is_killed_and_training_goes_on = None
    test_a_cable_is_taken_out_for_a_while = None

    def test_nothing_but_the_tunnel_passes_between_learners(self):
        if not Tunnel.possible():
            self.skipTest("no WireGuard to be had: apt-get install wireguard-tools wireguard-go")
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="troupe-wg-")))
        tunnel = Tunnel(self.network, SOURCE / "deploy/rank_tunnel.sh", folder)
        self.addCleanup(tunnel.down)
        tunnel.up()
        watcher = Watcher(self.network, 1)
        try:
            run = self.begin(60, master=Tunnel.address)
            run.wait_for_end()
        finally:
            seen = watcher.close()
        self.check_the_end(run, self.RANKS)
        self.assertGreater(seen.get(("udp", 51820), 0), 100, seen)
        # What workers and learners tell each other is encrypted by TLS.
        others = {key for key in seen if key not in (("udp", 51820), ("tcp", 7070))}
        self.assertEqual({key for key in others if key[0] in ("tcp", "udp")}, set(), seen)

    def test_without_the_tunnel_it_would_be_seen(self):
        """That the check above can fail."""
        watcher = Watcher(self.network, 1)
        try:
            run = self.begin(5)
            run.wait_for_end()
        finally:
            seen = watcher.close()
        self.assertIn(("tcp", 29500), seen)


if __name__ == "__main__":
    unittest.main(verbosity=2)
