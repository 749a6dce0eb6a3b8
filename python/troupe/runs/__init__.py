"""What runs leave behind (learner/run/run_folder.h), as plain Python and, where there is pandas, as data frames.

run = troupe.load_run("runs/traffic_grid")
run.evaluations[-1]["statistics"]["mean_waiting_seconds"]
frame(run.evaluations)                                       # pandas
for run in find_runs("runs/sweep"): print(run.name, run.seed)
"""

from troupe.runs.curves import Band, band, points, thinned
from troupe.runs.frames import frame
from troupe.runs.run import Run, find_runs, load_run
from troupe.runs.sweep import Sweep, load_sweep
from troupe.runs.textproto import parse_settings

__all__ = [
    "Band",
    "Run",
    "Sweep",
    "band",
    "find_runs",
    "frame",
    "load_run",
    "load_sweep",
    "parse_settings",
    "points",
    "thinned",
]
