#!/usr/bin/env python3
"""packages_test.py BUILD_FOLDER: what `cmake --install` puts where, what services start their programs with, and, where
systemd is, the units."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
WITH_CREDENTIALS = SOURCE / "deploy/debian/with_credentials.sh"


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-packages-"))
        self.addCleanup(shutil.rmtree, self.folder)


class WithCredentialsTest(Folder):
    def flags(self, files, *flags):
        credentials = self.folder / "credentials"
        credentials.mkdir(exist_ok=True)
        for name, text in files.items():
            (credentials / name).write_text(text)
        environment = {"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": str(credentials)}
        done = subprocess.run(
            [WITH_CREDENTIALS, "printf", "%s\n", *flags], env=environment, capture_output=True, text=True, timeout=60
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.replace(str(credentials), "DIR").split()

    def test_a_flag_for_each_credential_that_is_there(self):
        files = {"tls_key": "k", "tls_ca": "a", "tls_certificate": "none", "token_file": ""}
        given = self.flags(files, "--learner=x:1")
        self.assertEqual(given, ["--learner=x:1", "--tls_key=DIR/tls_key", "--tls_ca=DIR/tls_ca"])

    def test_no_flag_without_credentials(self):
        done = subprocess.run([WITH_CREDENTIALS, "echo", "a b"], env={"PATH": os.environ["PATH"]}, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, "a b\n"))

    def test_the_units_load_what_it_looks_for_and_have_a_default_for_each(self):
        known = set(WITH_CREDENTIALS.read_text().split("for flag in ")[1].split(";")[0].split())
        learners = known - {"tls_ca"}
        for name, wanted in (("worker", known - {"tls_client_ca"}), ("learner", learners), ("gateway", learners)):
            lines = (SOURCE / f"deploy/debian/troupe-{name}.service").read_text().split("\n")
            loaded = {line.split("=")[1].split(":")[0] for line in lines if line.startswith("LoadCredential=")}
            default = {line.split("=")[1].split(":")[0] for line in lines if line.startswith("SetCredential=")}
            self.assertEqual((loaded, default), (wanted, wanted))


class InstallTest(Folder):
    def install(self, component):
        subprocess.run(
            ["cmake", "--install", BUILD, f"--prefix={self.folder}/usr", f"--component={component}"],
            check=True, capture_output=True, text=True, timeout=120,
        )
        return self.folder / "usr"

    def test_the_worker_is_installed_with_a_link_a_manual_and_a_service(self):
        prefix = self.install("worker")
        told = subprocess.run([prefix / "bin/troupe-worker", "--version"], capture_output=True, text=True, timeout=60)
        self.assertIn("actor_worker of Troupe", told.stdout)
        self.assertEqual(os.readlink(prefix / "bin/troupe-worker"), "../lib/troupe/bin/actor_worker")
        for path in ("share/man/man1/troupe-worker.1.gz", "lib/systemd/system/troupe-worker.service",
                     "share/doc/troupe-worker/copyright", "share/doc/troupe-worker/examples/worker.conf"):
            self.assertTrue((prefix / path).is_file(), path)

    def test_a_c_program_is_built_with_what_is_installed(self):
        prefix = self.install("libraries")
        if not shutil.which("cc"):
            self.skipTest("no cc")
        program = self.folder / "act"
        subprocess.run(["cc", "-std=c99", "-Wall", "-Werror", f"-I{prefix}/include/troupe", "-o", program,
                        SOURCE / "docs/clients/act.c", f"-L{prefix}/lib", "-ltroupe_policy"], check=True, timeout=60)
        told = subprocess.run([program, "none.safetensors", "J0"], capture_output=True, text=True, timeout=60,
                              env={"LD_LIBRARY_PATH": str(prefix / "lib")})
        self.assertEqual((told.returncode, told.stdout), (1, ""))
        self.assertIn("none.safetensors", told.stderr)
        self.assertTrue((prefix / "include/troupe/troupe_environments.h").is_file())
        self.assertTrue((prefix / "lib/libtroupe_environments.so.1").is_file())

    def test_the_units_are_as_systemd_wants_them(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze")
        prefix = self.install("worker")
        self.install("common")
        units = prefix / "lib/systemd/system"
        for name in ("learner", "gateway"):
            shutil.copy(SOURCE / f"deploy/debian/troupe-{name}.service", units)
        shutil.copytree(SOURCE / "deploy/gateway", prefix / "lib/troupe/gateway")
        (prefix / "lib/troupe/bin/learner").symlink_to("actor_worker")
        for name in ("sysinit", "basic", "shutdown", "network-online", "multi-user", "umount"):
            (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\nDefaultDependencies=no\n")
        for name in ("worker", "learner", "gateway"):
            unit = units / f"troupe-{name}.service"
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={self.folder}", unit],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            rated = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", unit],
                                   capture_output=True, text=True, timeout=60)
            self.assertEqual(rated.returncode, 0, rated.stdout)


@unittest.skipUnless(shutil.which("lintian"), "no lintian")
class PackageTest(Folder):
    def test_lintian_finds_nothing_in_all_but_the_learners_which_is_large(self):
        subprocess.run(["cpack", "--config", BUILD / "CPackConfig.cmake", "-B", self.folder, "-D",
                        "CPACK_COMPONENTS_ALL=common;worker;libraries"], check=True, capture_output=True, timeout=250)
        packages = sorted(self.folder.glob("*.deb"))
        self.assertEqual([path.name.split("_")[0] for path in packages],
                         ["troupe-common", "troupe-libraries", "troupe-worker"])
        done = subprocess.run(["lintian", "--allow-root", "--fail-on=info,warning,error", *packages],
                              capture_output=True, text=True, timeout=250)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main()
