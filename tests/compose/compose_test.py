#!/usr/bin/env python3
"""Brings the cluster up, scales it live, kills and cuts off parts of it, and asks Prometheus what became of the run.

    tests/compose/compose_test.py --binaries=build/release/bin     images around binaries that are there
    tests/compose/compose_test.py --from_source                    images compiled by deploy/docker/Dockerfile

    --keep_images   for another go
    --sumo          another scenario: images with SUMO, which train and evaluate on it
    --compose_v1    with docker-compose, where there is `docker compose` as well

DOCKER_BUILDKIT=1 and DOCKER_BUILDKIT=0 choose the builder, as always: with BuildKit and binaries the Dockerfile is used
as it is, and the stages that compile must be skipped.

Exit status: 0 passed, 1 failed, 77 skipped (no Docker, no Compose, no base image to be had). Everything made is under a
project name of its own and is removed. Grafana is left out; every query of its dashboards is asked if their checker is
there.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import traceback

from cluster import Cluster, compose_command, wait_for
from images import ROOT, Images, Skip, buildkit, release_of_this_machine, run

SHARDS, COPIES, ROLLOUT = 8, 4, 60
STEPS_PER_CHUNK = COPIES * ROLLOUT
LEASE_TIMEOUT_SECONDS = 8
LONGEST_STALL_SECONDS = 90
# Workers set the pace, on two busy cores too: each has little of a core and simulates a minute between decisions, which
# is the same work for the learner as five seconds are.
WORKER_CPUS = "0.15"
SETTINGS = {
    "total_env_steps": 1000000000, "collection.num_shards": SHARDS, "collection.copies_per_shard": COPIES,
    "collection.rollout_length": ROLLOUT, "collection.lease_timeout_seconds": LEASE_TIMEOUT_SECONDS,
    "ppo.epochs": 2, "ppo.minibatch_size": 480, "checkpoint.interval_env_steps": 5 * SHARDS * STEPS_PER_CHUNK,
    "evaluation.interval_env_steps": 20 * SHARDS * STEPS_PER_CHUNK, "evaluation.episodes": 2,
    "environment.settings.decision_interval_seconds": 60, "environment.settings.max_green_seconds": 120,
}
SUMO_UPDATES = 6
SUMO_SETTINGS = {
    "total_env_steps": SUMO_UPDATES * 120, "collection.num_shards": 2, "collection.copies_per_shard": 1,
    "collection.rollout_length": 60, "ppo.epochs": 2, "ppo.minibatch_size": 60, "evaluation.interval_env_steps": 360,
    "evaluation.episodes": 1, "evaluation.final_episodes": 1, "evaluation.baselines": "fixed_time",
}


def flags(settings):
    return " ".join(f"--set {name}={value}" for name, value in settings.items())


def say(text):
    print(f"[compose {time.strftime('%H:%M:%S')}] {text}", flush=True)


def check(condition, text):
    if not condition:
        raise AssertionError(text)
    say(f"  ok: {text}")


class Scenario:
    def __init__(self, cluster):
        self.cluster = cluster
        self.first_update = 0  # of the learner process that runs now

    def version(self):
        return self.cluster.value("troupe_policy_version{job='troupe_learner'}")

    def progress(self, phase, updates=3):
        """The policy gets new versions now, and Prometheus sees environment steps come in."""
        before = wait_for(f"{phase}: a policy version", self.version)
        after = wait_for(f"{phase}: {updates} more updates",
                         lambda: (now := self.version()) >= before + updates and now)
        rate = wait_for(f"{phase}: a rate of steps",
                        lambda: self.cluster.value("sum(rate(troupe_env_steps_total[30s]))"))
        check(rate > 0, f"{phase}: version {before:.0f} → {after:.0f}, {rate:.0f} environment steps/s")

    def workers(self, count):
        """Prometheus finds exactly so many workers, and the leases are spread over them."""
        up, known = "count(up{job='troupe_worker'} == 1)", "count(up{job='troupe_worker'})"
        wait_for(f"{count} workers discovered and up",
                 lambda: self.cluster.value(up) == count and self.cluster.value(known) == count)
        leases = wait_for(f"{SHARDS} leases over {count} workers", lambda: self.spread(count))
        check(True, f"{count} workers discovered, leases {sorted(int(n) for n in leases.values())}")

    def spread(self, count):
        leases = self.cluster.query("troupe_worker_leases and on (instance) (up{job='troupe_worker'} == 1)")
        if len(leases) != count or sum(leases.values()) != SHARDS:
            return None
        return leases if max(leases.values()) - min(leases.values()) <= 1 else None

    def know_their_memory(self):
        for service in ("learner", "actor_worker"):
            limit = self.cluster.memory_limit(self.cluster.containers(service)[0])
            job = service.replace("actor_", "")
            told = wait_for(f"the memory of {service}",
                            lambda: self.cluster.value(f"min(troupe_memory_limit_bytes{{job='troupe_{job}'}})"))
            check(told == limit or limit == 0, f"{service} knows that it may use {told / 2**20:.0f} MiB of memory")

    def exactly_once(self):
        """Chunks admitted by this learner process are those of its updates, plus at most the two batches under way."""
        newest = self.cluster.query(  # one question: all of the same scrape
            "{__name__=~'troupe_env_steps_total|troupe_policy_version', job='troupe_learner'} or "
            "troupe_chunks_total{result='admitted'}", label="__name__")
        chunks, updates = newest["troupe_chunks_total"], newest["troupe_policy_version"] - self.first_update
        check(0 <= chunks - updates * SHARDS <= 2 * SHARDS,
              f"exactly once: {chunks:.0f} chunks admitted for {updates:.0f} updates of {SHARDS}, at most two batches"
              " more")
        check(abs(newest["troupe_env_steps_total"] - chunks * STEPS_PER_CHUNK) <= STEPS_PER_CHUNK,
              f"exactly once: {newest['troupe_env_steps_total']:.0f} environment steps, {STEPS_PER_CHUNK} a chunk")

    def throughput(self):
        """Environment steps a second, from now on."""
        time.sleep(40)  # the rate looks back 30 s
        return self.cluster.value("sum(rate(troupe_env_steps_total[30s]))")

    def scales(self):
        rates = {}
        for count in (1, 4, 2):
            say(f"scaling to {count} workers while training runs")
            self.cluster.up(count)
            self.workers(count)
            self.progress(f"{count} workers")
            rates[count] = self.throughput()
            say(f"  {count} workers: {rates[count]:.0f} environment steps/s")
        check(rates[4] >= 1.8 * rates[1], f"four workers make {rates[4] / rates[1]:.2f} times the steps of one")
        check(rates[2] <= 0.8 * rates[4], f"two workers make {rates[2] / rates[4]:.2f} times the steps of four")
        self.exactly_once()

    def survives_a_killed_worker(self):
        worker = self.cluster.containers("actor_worker")[0]
        say("SIGKILL to a worker")
        self.cluster.kill_program(worker, "actor_worker")
        wait_for("the worker is started again", lambda: self.cluster.restarts(worker) == 1)
        wait_for("it counts from nothing",
                 lambda: self.cluster.value("max(resets(troupe_worker_env_steps_total[5m]))") >= 1)
        self.workers(2)
        self.progress("after a killed worker")

    def survives_a_partition(self):
        worker = self.cluster.containers("actor_worker")[0]
        say("a worker is cut off for 20 s")
        self.cluster.disconnect(worker)
        cut = time.monotonic()
        wait_for("its shards are leased anew", lambda: self.spread(1))
        self.progress("while it is cut off")
        time.sleep(max(0.0, 20 - (time.monotonic() - cut)))
        self.cluster.connect(worker, "actor_worker")
        self.workers(2)
        self.progress("after the partition")
        check(self.cluster.restarts(worker) <= 1, "the cut-off worker came back by itself")
        self.exactly_once()

    def survives_a_killed_gateway(self):
        gateway, before = self.cluster.containers("gateway")[0], self.version()
        say(f"SIGKILL to the gateway's processes at version {before:.0f}")
        self.cluster.kill_program(gateway, "nginx")
        wait_for("the gateway is started again", lambda: self.cluster.restarts(gateway) == 1)
        began = time.monotonic()
        self.progress("after a killed gateway")
        check(time.monotonic() - began < 30, f"that took {time.monotonic() - began:.0f} s")
        self.workers(2)
        self.exactly_once()

    def survives_renewed_certificates(self):
        """Another authority for everybody, as an operator gives it; nothing is restarted, and training goes on."""
        say("all certificates are made anew")
        services = ("gateway", "actor_worker", "learner")
        before = {service: set(self.cluster.containers(service)) for service in services}
        self.cluster.compose("run", "--rm", "--no-deps", "--entrypoint", "sh", "certificates", "-c",
                             "rm /tls/authority/ca.key && /opt/troupe/bin/issue.sh --name=gateway")
        wait_for("the gateway takes them",
                 lambda: "renewed certificates or token taken" in self.cluster.logs("gateway"))
        self.progress("with renewed certificates")
        check(all(set(self.cluster.containers(service)) == before[service] for service in services),
              "nothing was restarted")
        self.cluster.compose("restart", "actor_worker")
        self.workers(2)
        self.progress("with workers that show the new certificates")

    def goes_on(self, told):
        """The version that the newest learner process began with, from its log."""
        updates = re.findall(r"goes on from update ([0-9,]+) ", self.cluster.logs("learner"))
        return int(updates[-1].replace(",", "")) if len(updates) == told else None

    def survives_a_killed_learner(self):
        learner = self.cluster.containers("learner")[0]
        before = self.version()
        say(f"SIGKILL to the learner at version {before:.0f}")
        self.cluster.kill_program(learner, "learner")
        self.first_update = wait_for("the learner goes on from a checkpoint", lambda: self.goes_on(1))
        check(0 < self.first_update <= before + 20, f"the learner goes on from update {self.first_update}")
        wait_for("later updates than before", lambda: self.version() > max(before, self.first_update))
        self.workers(2)
        self.progress("after a killed learner")
        self.exactly_once()

    def survives_a_stopped_learner(self):
        """As for an upgrade: the learner is stopped in good order and another one started; workers wait for it."""
        say("the learner is stopped and started")
        workers = set(self.cluster.containers("actor_worker"))
        self.cluster.compose("stop", "learner")
        self.nothing_lost_or_twice()
        check(set(self.cluster.containers("actor_worker")) == workers, "the workers wait for the learner")
        self.cluster.compose("start", "learner")
        self.first_update = wait_for("the learner goes on", lambda: self.goes_on(2))
        self.workers(2)
        self.progress("after a stopped learner")

    def nothing_lost_or_twice(self):
        """The run's records have every update once, and the last checkpoint counts exactly their chunks."""
        look = ("cat /runs/*/metrics.jsonl && "
                "/opt/troupe/bin/learner inspect $(ls /runs/*/checkpoints/[0-9]*.safetensors | sort | tail -n 1)")
        text = run(["docker", "run", "--rm", "--network", "none", "-v", f"{self.cluster.project}_runs:/runs:ro",
                    "--entrypoint", "/bin/bash", self.cluster.environment["TROUPE_LEARNER_IMAGE"], "-c", look])
        updates = [json.loads(line)["update"] for line in text.splitlines() if line.startswith('{"update"')]
        check(updates == list(range(1, len(updates) + 1)),
              f"the records have each of {len(updates)} updates once, in order")
        names = ("update", "chunks_trained", "env_steps")
        last = [int(re.search(rf"^{name}: (\d+)$", text, re.M)[1]) for name in names]
        chunks = len(updates) * SHARDS
        check(last == [len(updates), chunks, chunks * STEPS_PER_CHUNK],
              f"the last checkpoint: {dict(zip(names, last))}")

    def never_stalled(self, start):
        """From then to now no version was the newest for longer than LONGEST_STALL_SECONDS."""
        versions = self.cluster.series("troupe_policy_version{job='troupe_learner'}", start, time.time(), 1)
        longest, since, newest = 0.0, start, None
        for at, version in versions:
            longest = max(longest, at - since)
            if version != newest:
                newest, since = version, at
        check(longest < LONGEST_STALL_SECONDS, f"the longest time without a new version was {longest:.0f} s")

    def dashboards(self):
        checker = os.path.join(ROOT, "deploy/grafana/check_dashboards.py")
        if not os.path.exists(checker):
            say("no deploy/grafana/check_dashboards.py: dashboards are not checked")
            return
        say("every query of the dashboards and alerts")
        command = [sys.executable, checker, f"--prometheus={self.cluster.url}", "--expect-data", "--seconds=600"]
        done = subprocess.run(command, cwd=ROOT, timeout=300)
        check(done.returncode == 0, "dashboards and alerts ask for what there is")

    def run(self):
        self.scales()
        self.know_their_memory()
        start = time.time()
        self.survives_a_killed_worker()
        self.survives_a_partition()
        self.dashboards()
        self.survives_a_killed_gateway()
        self.survives_renewed_certificates()
        self.survives_a_killed_learner()
        self.survives_a_stopped_learner()
        self.never_stalled(start)


class SumoScenario:
    def __init__(self, cluster):
        self.cluster = cluster

    def ended(self):
        """Exit codes of the learner and the workers, by container, once all have ended."""
        ids = sum((self.cluster.containers(service, "-a") for service in ("learner", "actor_worker")), [])
        states = run(["docker", "inspect", "-f", "{{.Name}} {{.State.Status}} {{.State.ExitCode}}"] + ids).splitlines()
        states = [state.split() for state in states]
        return all(state[1] == "exited" for state in states) and {state[0]: int(state[2]) for state in states}

    def run(self):
        say("two workers train sumo_cologne8")
        self.cluster.up(2)
        codes = wait_for("the run ends, and the workers with it", self.ended, timeout_seconds=300)
        check(len(codes) == 3 and not any(codes.values()), f"learner and workers ended with {list(codes.values())}")
        log = self.cluster.logs("learner")
        check(f" in {SUMO_UPDATES} updates, " in log, f"{SUMO_UPDATES} updates")
        check(len(re.findall(r"worker-\d+-\w+ registered", log)) == 2, "two workers registered")
        check(len(re.findall(r"evaluation after .* mean_delay_seconds", log)) == 2, "workers played two evaluations")
        for player in ("mappo final", "fixed_time"):
            row = re.search(rf"{player} .*", log)
            check(row is not None, f"the learner's image evaluates: {row and row[0]}")


def find_compose(v1):
    if shutil.which("docker") is None:
        raise Skip("no docker")
    if subprocess.run(["docker", "info"], capture_output=True).returncode != 0:
        raise Skip("the Docker engine does not answer")
    command = compose_command(v1)
    if command is None:
        raise Skip("no docker-compose" if v1 else "neither `docker compose` nor docker-compose")
    say(f"{' '.join(command)} {run(command + ['version', '--short']).strip()}{', BuildKit' if buildkit() else ''}")
    return command


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--binaries", help="folder of learner and actor_worker, built on this machine")
    source.add_argument("--from_source", action="store_true")
    parser.add_argument("--keep_images", action="store_true")
    parser.add_argument("--sumo", action="store_true")
    parser.add_argument("--compose_v1", action="store_true")
    arguments = parser.parse_args()
    project = f"troupe_test_{os.getpid()}"
    prefix = "troupe_test_sumo" if arguments.sumo else "troupe_test"
    images, cluster = Images(prefix if arguments.keep_images else project), None
    try:
        command = find_compose(arguments.compose_v1)
        began = time.monotonic()
        images.find_base("bookworm" if arguments.from_source else release_of_this_machine())
        say(f"images on {images.base}")
        images.make_cluster(None if arguments.from_source else os.path.abspath(arguments.binaries), arguments.sumo)
        variables = {"TROUPE_EXPERIMENT": "traffic_grid", "TROUPE_WORKER_CPUS": WORKER_CPUS,
                     "TROUPE_LEARNER_FLAGS": flags(SETTINGS) + " --no_final_evaluation"}
        if arguments.sumo:
            variables = {"TROUPE_EXPERIMENT": "sumo_cologne8", "TROUPE_EXPECTED_WORKERS": "2",
                         "TROUPE_LEARNER_FLAGS": flags(SUMO_SETTINGS)}
        cluster = Cluster(command, project, images, images.find_prometheus(), variables)
        say(f"images took {time.monotonic() - began:.0f} s; project {project}")
        began = time.monotonic()
        (SumoScenario if arguments.sumo else Scenario)(cluster).run()
        say(f"passed in {time.monotonic() - began:.0f} s")
        return 0
    except Skip as reason:
        say(f"SKIPPED: {reason}")
        return 77
    except Exception:  # also what Docker says: the logs tell why
        traceback.print_exc()
        if cluster is not None:
            for service in ("learner", "gateway", "actor_worker"):
                print(cluster.logs(service, tail=40))
        return 1
    finally:
        if cluster is not None:
            cluster.down()
        if not arguments.keep_images:
            images.remove()


if __name__ == "__main__":
    sys.exit(main())
