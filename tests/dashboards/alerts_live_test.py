#!/usr/bin/env python3
"""Alerts fire in real faults, with windows of seconds, and are silent before: those about processes and checkpoints.
The others: alerts_data_live_test.py. A run that ends raises none.

  alerts_live_test.py FOLDER_OF_PROGRAMS
"""

import os
import signal
import sys

import live_run


def firing(name):
    return f'ALERTS{{alertname="{name}", alertstate="firing"}}'


def of_an_ended_run(programs):
    """A run that comes to its end: learner and workers go, and nobody is alarmed."""
    # 20 s on a fast machine that is idle: long enough to be scraped while it trains.
    settings = [*live_run.SETTINGS[1:], "total_env_steps=1000000"]
    with live_run.LiveRun(programs, live_run.shorten, settings=settings) as run:
        run.wait_for("run:troupe_updates:increase5m > 0 and on () run:troupe_workers_connected:sum == 2", 40)
        run.learner_may_end = True
        assert run.learner.wait(timeout=240) == 0, "the learner failed"
        for worker in run.workers:
            assert worker.wait(timeout=30) == 0, "a worker failed"
        run.wait_for("count(max_over_time(up[8s]) == 0) == 3", 30, "learner and workers do not answer for 8 s")
        fired = run.ask('max_over_time(ALERTS{alertname=~"Troupe.*Down", alertstate="firing"}[1m])')
        assert not fired, fired


def of_restarts(programs):
    # The best so far would be a checkpoint too, when there is no other.
    settings = [*live_run.SETTINGS, "checkpoint.interval_env_steps=1000000000", "evaluation.interval_env_steps=0"]
    with live_run.LiveRun(programs, live_run.shorten, settings=settings) as run:
        run.wait_for("run:troupe_updates:increase5m > 0", 40)
        run.wait_for(f'absent({firing("TroupeLearnerRestarts")})', 10, "no alert before")
        run.learner.kill()
        run.learner.wait()
        run.start_learner()
        run.wait_for(firing("TroupeLearnerRestarts"), 20, "TroupeLearnerRestarts after kill -9 between checkpoints")


def main():
    of_an_ended_run(sys.argv[1])
    of_restarts(sys.argv[1])
    with live_run.LiveRun(sys.argv[1], live_run.shorten) as run:
        run.wait_for("run:troupe_updates:increase5m > 0 and on () run:troupe_workers_connected:sum == 2", 40)
        run.wait_for('troupe_checkpoints_total{result="written"} > 0', 20)
        # Of disks and memory seconds say nothing about hours.
        others = 'alertname!~"TroupeDiskFull|TroupeMemoryFull"'
        run.wait_for(f'absent(ALERTS{{alertstate="firing", {others}}})', 20, "no alert")

        programs = sys.argv[1]
        run.start("stranger", f"{programs}/actor_worker", f"--learner={run.learner_address}")
        run.wait_for(firing("TroupeRefusedRequests"), 20, "TroupeRefusedRequests after a worker without the token came")

        checkpoints = run.folder / "run" / "checkpoints"
        os.rename(checkpoints, run.folder / "run" / "moved")
        checkpoints.write_text("a file where the folder was")
        run.wait_for(firing("TroupeCheckpointsFail"), 20, "TroupeCheckpointsFail after the folder of checkpoints went")
        run.wait_for(firing("TroupeCheckpointOld"), 20, "TroupeCheckpointOld meanwhile")
        checkpoints.unlink()
        os.rename(run.folder / "run" / "moved", checkpoints)

        killed, stopped = run.workers
        killed.kill()
        run.wait_for(firing("TroupeWorkerDown"), 20, "TroupeWorkerDown after kill -9 of a worker")
        run.wait_for(firing("TroupeWorkersLost"), 20, "TroupeWorkersLost after it")
        stopped.send_signal(signal.SIGSTOP)
        run.wait_for(firing("TroupeNoWorkers"), 20, "TroupeNoWorkers after SIGSTOP of the other")
        run.wait_for(firing("TroupeNoProgress"), 20, "TroupeNoProgress after it")
        stopped.send_signal(signal.SIGCONT)
        run.wait_for(f'absent({firing("TroupeNoProgress")})', 30, "progress again after SIGCONT")
        run.learner.send_signal(signal.SIGSTOP)
        run.wait_for(firing("TroupeLearnerDown"), 20, "TroupeLearnerDown after SIGSTOP of the learner")


if __name__ == "__main__":
    main()
