#!/usr/bin/env python3
"""bare_debian_test.py BUILD_FOLDER [WHEEL]: the packages on a bare Debian 12 make a cluster by systemd's units alone:
learner, gateway and worker with mutual TLS. The wheel's worker (deploy/wheel, built here unless one is given) joins it.
TROUPE_BARE_DEBIAN_KEEPS=FOLDER keeps the packages there for another go."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import venv

from bare_debian import BareDebian, wait_for, what_is_missing

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
WHEEL = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1].endswith(".whl") else None

EXPERIMENT = "/usr/share/troupe/experiments/grid_world.textproto"
RUN = "/var/lib/troupe-learner/runs/grid_world"
LEARNER = (f"--experiment={EXPERIMENT} --run_dir=runs/grid_world --listen=unix:/run/troupe-learner/learner.sock "
           "--metrics=127.0.0.1:9464 --expected_workers=2 --set compute.learner_threads=1 "
           "--set total_env_steps=400000 --set collection.lease_timeout_seconds=120 "
           "--set checkpoint.interval_env_steps=50000 --set evaluation.final_episodes=50")
GATEWAY = "--listen=127.0.0.1:7070 --learner=unix:/run/troupe-learner/learner.sock"
# Of the worker's own file: its service gives it the certificates.
WORKER = "--learner=localhost:7070 --metrics=127.0.0.1:9465"


class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if missing := what_is_missing():
            print(f"skipped: {missing}")
            sys.exit(77)
        temporary = tempfile.TemporaryDirectory(prefix="troupe-packages-")
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.machine = BareDebian()
        cls.addClassCleanup(cls.machine.end)
        cls.machine.make()

    def test_packages_make_a_cluster_that_a_wheel_joins(self):
        worker = self.wheel_worker()
        self.install()
        self.configure()
        self.machine.boot()
        for service in ("learner", "gateway", "worker"):
            self.machine.run("systemctl", "enable", "--now", f"troupe-{service}")
        wait_for("the unit's worker to collect", lambda: self.metric(9465, "troupe_worker_chunks_total") > 0)
        joined = self.start_wheel_worker(worker)
        wait_for("the wheel's worker to have collected", lambda: self.metric(9466, "troupe_worker_chunks_total") > 0)
        wait_for("a checkpoint", lambda: "ckpt" in self.files() or "checkpoints" in self.files())
        # systemd takes it down and up again: it goes on, and so do both workers.
        self.machine.run("systemctl", "restart", "troupe-learner")
        wait_for("the run's end", lambda: self.state("learner") in ("inactive", "failed"), seconds=1800)
        said = self.machine.run("journalctl", "--unit=troupe-learner", "--no-pager", "--output=cat")
        result = self.machine.run("systemctl", "show", "--property=Result", "--value", "troupe-learner")
        self.assertEqual(result.strip(), "success", said)
        self.assertRegex(said, r"weights sha256[ :]+[0-9a-f]{16}")
        self.assertIn("2 workers", said)
        self.assertEqual(joined.wait(timeout=300), 0, (self.folder / "joined.log").read_text())
        wait_for("the unit's worker to have left", lambda: self.state("worker") == "inactive")
        self.assertEqual(self.machine.run("systemctl", "is-failed", "troupe-worker", check=False).strip(), "inactive")
        self.play()
        failed = self.machine.run("systemctl", "--failed", "--plain", "--no-legend")
        self.assertNotIn("troupe", failed)

    def install(self):
        kept = pathlib.Path(os.environ.get("TROUPE_BARE_DEBIAN_KEEPS") or self.folder / "packages")
        if not list(kept.glob("*.deb")):
            subprocess.run(["cpack", "--config", BUILD / "CPackConfig.cmake", "-B", kept], check=True,
                           capture_output=True, text=True, timeout=1800)
        target = self.machine.root / "var/packages"
        target.mkdir()
        for package in kept.glob("*.deb"):
            (target / package.name).write_bytes(package.read_bytes())
        names = [f"/var/packages/{path.name}" for path in sorted(target.iterdir())]
        self.assertEqual(len(names), 4)
        self.machine.before_boot("apt-get", "install", "-y", "-q", "--no-install-recommends", *names, "nginx",
                                 "libnginx-mod-stream")
        told = self.machine.before_boot("dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", "troupe-*")
        self.assertEqual(sorted(told.split("\n"))[1:], [f"troupe-{name} installed" for name in
                                                        ("common", "learner", "libraries", "worker")])

    def configure(self):
        """As docs/packages.md says."""
        self.machine.before_boot("systemctl", "disable", "nginx")
        self.machine.before_boot("/usr/lib/troupe/certificates.sh", "/root/certificates", "--name=localhost")
        made = self.machine.root / "root/certificates"
        own = {"tls_certificate": "learner.pem", "tls_key": "learner.key", "tls_client_ca": "ca.pem"}
        workers = {"tls_certificate": "worker.pem", "tls_key": "worker.key", "tls_ca": "ca.pem"}
        for name, flags, files in (("learner", LEARNER, {}), ("gateway", GATEWAY, own), ("worker", WORKER, workers)):
            folder = self.machine.root / "etc/troupe" / name
            folder.mkdir(parents=True)
            (folder.parent / f"{name}.conf").write_text(f'TROUPE_{name.upper()}_FLAGS="{flags}"\n')
            for credential, file in files.items():
                (folder / credential).write_bytes((made / file).read_bytes())
                (folder / credential).chmod(0o600)

    def wheel_worker(self):
        """actor_worker of the wheel, in a virtual environment of this machine."""
        venv.create(self.folder / "venv", with_pip=True)
        pip = [self.folder / "venv/bin/python", "-m", "pip"]
        wheel = WHEEL
        if wheel is None:
            subprocess.run([*pip, "wheel", "--no-deps", "-w", self.folder, SOURCE / "deploy/wheel"], check=True,
                           capture_output=True, text=True, timeout=7000)
            (wheel,) = self.folder.glob("troupe_worker-*.whl")
        subprocess.run([*pip, "install", "--no-deps", wheel], check=True, capture_output=True, text=True, timeout=600)
        return self.folder / "venv/bin/actor_worker"

    def start_wheel_worker(self, program):
        made = self.machine.root / "root/certificates"
        command = self.machine.in_its_network(
            program, "--learner=localhost:7070", "--metrics=127.0.0.1:9466", f"--tls_ca={made}/ca.pem",
            f"--tls_certificate={made}/worker.pem", f"--tls_key={made}/worker.key")
        with open(self.folder / "joined.log", "w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait, timeout=60)
        self.addCleanup(process.kill)
        return process

    def metric(self, port, name):
        page = f"http://127.0.0.1:{port}/metrics"
        ask = f"import urllib.request as r; print(r.urlopen('{page}', timeout=20).read().decode())"
        done = subprocess.run(self.machine.in_its_network(sys.executable, "-c", ask), capture_output=True, text=True,
                              timeout=60)
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? ([0-9.e+]+)$", done.stdout, re.MULTILINE))

    def state(self, service):
        return self.machine.run("systemctl", "is-active", f"troupe-{service}", check=False).strip()

    def files(self):
        return self.machine.run("find", RUN, "-type", "f", check=False)

    def play(self):
        """What was learnt is the user's: root's, of the machine."""
        (actors,) = re.findall(r"^.*/actors/final\.safetensors$", self.files(), re.MULTILINE)
        table = self.machine.run("troupe-worker", "evaluate", f"--actors={actors}", "--episodes=20", timeout=600)
        self.assertIn("random", table)


if __name__ == "__main__":
    unittest.main()
