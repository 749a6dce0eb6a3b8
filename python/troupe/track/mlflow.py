"""MLflow (PyPI mlflow); where its server is, MLFLOW_TRACKING_URI says."""

from __future__ import annotations

from typing import Any

from troupe.runs.run import Run
from troupe.track.records import records_of

_PARAMETERS_AT_ONCE = 100  # as its interface has it
_LONGEST_PARAMETER = 500


def track(run: Run, mlflow: Any, project: str) -> int:
    """Sends all records as one run of the experiment `project`; returns how many. Exceptions are the package's own."""
    mlflow.set_experiment(project)
    with mlflow.start_run(run_name=f"{run.name}-seed{run.seed}"):
        settings = [(field, value[:_LONGEST_PARAMETER]) for field, value in run.settings.items()]
        for first in range(0, len(settings), _PARAMETERS_AT_ONCE):
            mlflow.log_params(dict(settings[first : first + _PARAMETERS_AT_ONCE]))
        count = 0
        for steps, numbers in records_of(run):
            mlflow.log_metrics(numbers, step=steps)
            count += 1
    return count
