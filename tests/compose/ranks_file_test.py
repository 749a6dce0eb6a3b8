#!/usr/bin/env python3
"""docker-compose.ranks.yml, merged with the other files by Compose itself and looked at; nothing is started. Exit
status 77 (skipped) without Compose."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

try:
    import yaml
except ImportError as error:
    print(f"skipped: {error}; pip install -r tests/requirements.txt")
    sys.exit(77)

from cluster import compose_command
from images import ROOT

COMPOSE = compose_command()
FILES = ["docker-compose.yml", "docker-compose.override.yml", "docker-compose.ranks.yml"]


def networks(service):
    """By name, with the settings of each."""
    return {name: settings or {} for name, settings in service["networks"].items()}


def source_of(service, target):
    """The volume that is mounted there; Compose 1 and 2 write it differently."""
    for volume in service["volumes"]:
        parts = volume.split(":") if isinstance(volume, str) else [volume["source"], volume["target"]]
        if parts[1] == target:
            return parts[0]
    return None


def flag(service, name):
    command = service["command"]
    words = command.split() if isinstance(command, str) else command
    (value,) = [word.split("=", 1)[1] for word in words if word.startswith(f"--{name}=")]
    return value


class RanksFileTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command = [*COMPOSE, *[word for name in FILES for word in ("-f", name)], "config"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TROUPE_")}
        merged = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
                                env=environment)
        assert merged.returncode == 0, merged.stderr
        cls.all = yaml.safe_load(merged.stdout)
        cls.services = cls.all["services"]
        cls.ranks = {name: one for name, one in cls.services.items() if "RANK" in (one.get("environment") or {})}

    def test_ranks_are_counted_up_and_find_the_first(self):
        environments = [one["environment"] for one in self.ranks.values()]
        self.assertEqual(sorted(int(one["RANK"]) for one in environments), list(range(len(self.ranks))))
        self.assertGreaterEqual(len(self.ranks), 2)
        self.assertEqual({one["WORLD_SIZE"] for one in environments}, {str(len(self.ranks))})
        (master,) = {one["MASTER_ADDR"] for one in environments}
        first = next(one for one in self.ranks.values() if one["environment"]["RANK"] == "0")
        # In the ranks' own network alone, so that nothing of theirs goes another way.
        named = [name for name, settings in networks(first).items() if master in settings.get("aliases", [])]
        self.assertEqual(named, ["ranks"])

    def test_nobody_else_is_in_their_network(self):
        inside = {name for name, one in self.services.items() if "ranks" in networks(one)}
        self.assertEqual(inside, set(self.ranks))
        self.assertIs(self.all["networks"]["ranks"]["internal"], True)

    def test_each_is_behind_a_gateway_that_workers_can_name(self):
        sockets = set()
        certified = self.services["certificates"]["command"]
        for rank in self.ranks.values():
            socket = source_of(rank, "/run/troupe")
            sockets.add(socket)
            (gateway,) = [(name, one) for name, one in self.services.items()
                          if name not in self.ranks and source_of(one, "/run/troupe") == socket]
            host, port = flag(rank, "advertise").split(":")
            self.assertEqual(flag(gateway[1], "listen").split(":")[1], port)
            names = {gateway[0], *networks(gateway[1])["training"].get("aliases", [])}
            self.assertIn(host, names)
            self.assertIn(f"--name={host}", certified)
            self.assertIn(host, self.services["actor_worker"]["environment"]["no_grpc_proxy"].split(","))
            self.assertNotIn("ports", rank)
        self.assertEqual(len(sockets), len(self.ranks))

    def test_one_that_fails_is_started_again_and_waited_for(self):
        for rank in self.ranks.values():
            self.assertEqual(rank["restart"], "on-failure")
            self.assertGreater(float(flag(rank, "rank_rejoin")), 0)

    def test_flags_are_the_programs(self):
        flags_file = pathlib.Path(ROOT) / "learner/run/flags.cc"
        declared = set(re.findall(r"ABSL_FLAG\(\s*[^,]+, (\w+),", flags_file.read_text("utf-8")))
        for rank in self.ranks.values():
            used = {word.split("=")[0].removeprefix("--") for word in rank["command"].split() if word.startswith("--")}
            self.assertLessEqual(used, declared)


if __name__ == "__main__":
    if COMPOSE is None:
        print("skipped: no Compose")
        sys.exit(77)
    unittest.main()
