#!/usr/bin/env python3
"""Every panel and every rule has data while a real learner trains with two real workers.

dashboards_live_test.py FOLDER_OF_PROGRAMS
"""

import subprocess
import sys
import time

import live_run


def main():
    with live_run.LiveRun(sys.argv[1]) as run:
        run.wait_for('troupe_evaluations_total{result="done"} > 0', 40)
        run.wait_for("count(run:troupe_bottleneck:ratio1m) == 4 and on () run:troupe_workers_waiting:ratio1m", 20)
        command = [
            sys.executable,
            live_run.SOURCE / "deploy/grafana/check_dashboards.py",
            f"--prometheus={run.url}",
            "--expect-data",
            "--seconds=30",
            "--rate-interval=10s",
        ]
        began = time.monotonic()
        while True:  # rates need a few scrapes more than the series themselves
            checked = subprocess.run(command, capture_output=True, text=True, timeout=60)
            if checked.returncode == 0 or time.monotonic() - began > 20:
                break
            time.sleep(1)
        print(checked.stdout, checked.stderr)
        shares = {labels["bottleneck"]: value for labels, value in run.ask("run:troupe_bottleneck:ratio1m")}
        print(f"who is waited for: {shares}")
        assert abs(sum(shares.values()) - 1) < 0.01, shares
        assert checked.returncode == 0, "check_dashboards.py found fault"


main()
