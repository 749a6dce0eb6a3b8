"""python -m troupe COMMAND …"""

from __future__ import annotations

import sys

_HELP = """usage: python -m troupe report RUN... --out FILE   runs as one page of curves and tables
       python -m troupe track TRACKER RUN        a run's records to Weights & Biases, MLflow or Aim
       python -m troupe episodes FOLDER... --out FILE   recorded episodes as HDF5, Parquet or a Minari dataset
Each has its own --help.
"""


def main(words: list[str]) -> int:
    command, rest = (words[0], words[1:]) if words else ("", [])
    if command == "report":
        from troupe.report.command import main as report

        return report(rest)
    if command == "track":
        from troupe.track.command import main as track

        return track(rest)
    if command == "episodes":
        from troupe.episodes.command import main as episodes

        return episodes(rest)
    asked = command in ("-h", "--help", "help")
    print(_HELP, end="", file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
