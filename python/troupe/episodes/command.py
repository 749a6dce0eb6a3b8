"""`python -m troupe episodes`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from troupe.episodes.folder import EpisodeFolder


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m troupe episodes",
        description="Makes one HDF5 or Parquet file, or a Minari dataset, of folders that `actor_worker record` wrote.",
    )
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="of one environment, one after the other")
    parser.add_argument(
        "--out",
        required=True,
        metavar="PATH",
        help="FILE.h5 or FILE.hdf5 (needs h5py), FILE.parquet (needs pyarrow), or a new folder for a Minari dataset",
    )
    arguments = parser.parse_args(words)
    try:
        folders = [EpisodeFolder(folder) for folder in arguments.folders]
        for folder in folders[1:]:
            if folder.spec != folders[0].spec:
                raise ValueError(f"{folder.path}: its environment is another than that of {folders[0].path}")
        ending = Path(arguments.out).suffix.lower()
        if ending == ".parquet":
            from troupe.episodes.parquet import write_parquet

            episodes, steps = write_parquet(folders, arguments.out)
        else:
            from troupe.episodes.hdf5 import write_hdf5, write_minari

            write = write_hdf5 if ending in (".h5", ".hdf5") else write_minari
            episodes, steps = write(folders, arguments.out)
    except (OSError, ValueError, ImportError) as error:
        print(f"troupe episodes: {error}", file=sys.stderr)
        return 2
    print(f"{arguments.out}: {episodes} episodes, {steps} steps, {len(folders[0].agents)} agents")
    return 0
