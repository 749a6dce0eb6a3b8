#!/usr/bin/env python3
"""wheel_test.py [WHEEL]: deploy/wheel builds a wheel (given one, that one), which pip installs beside the package
troupe: the worker is on the path and plays, and troupe.make finds its library."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import venv

SOURCE = pathlib.Path(__file__).resolve().parents[2]
WHEEL = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1].endswith(".whl") else None


class WheelTest(unittest.TestCase):
    def test_the_wheel_has_a_worker_and_the_environments(self):
        with tempfile.TemporaryDirectory(prefix="troupe-wheel-") as folder:
            place = pathlib.Path(folder)
            venv.create(place / "venv", with_pip=True)
            python = place / "venv/bin/python"

            def run(*command, **named):
                environment = {"PATH": os.environ["PATH"], "HOME": folder}
                return subprocess.run(command, check=True, capture_output=True, text=True, env=environment, **named)

            wheel = WHEEL
            if wheel is None:
                run(python, "-m", "pip", "wheel", "--no-deps", "-w", place, SOURCE / "deploy/wheel", timeout=7000)
                (wheel,) = place.glob("troupe_worker-*.whl")
            run(python, "-m", "pip", "install", wheel, SOURCE / "python[pettingzoo]", timeout=600)
            told = run(place / "venv/bin/actor_worker", "--version", timeout=60)
            self.assertIn("actor_worker of Troupe", told.stdout)
            told = run(place / "venv/bin/actor_worker", "environments", "grid_world", timeout=60)
            self.assertIn("grid_world", told.stdout)
            played = "import troupe; env = troupe.make('grid_world'); env.reset(seed=1); print(env.state().shape)"
            told = run(python, "-c", played, timeout=60, cwd=folder)
            self.assertRegex(told.stdout, r"^\(\d+,\)$")


if __name__ == "__main__":
    unittest.main()
