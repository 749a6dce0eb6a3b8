"""Run folders as one self-contained HTML page: `python -m troupe report RUN... --out report.html`.

No NumPy and nothing to install, but for `--png`, which draws the same charts by matplotlib."""

from troupe.report.run_report import Report, report_runs

__all__ = ["Report", "report_runs"]
