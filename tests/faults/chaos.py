#!/usr/bin/env python3
"""chaos.py BIN_FOLDER [--seeds=1,2,3] [--faults=200]: the long form of faults_test.py. Each seed's run goes through so
many faults of all kinds, in an order of the seed's own, and is then compared with undisturbed runs of as many updates.

Every third seed's run is under mutual TLS, with bits that flip on the wire; of the others acknowledgements are seen.
Ends with 0 when every run came to its end with status 0, all identities hold, no learner's death cost more than the
checkpoints that were left allow, nobody has more threads or files open than before, and each score lies in the 95 %
prediction interval of the undisturbed ones."""

import argparse
import collections
import pathlib
import statistics
import sys
import time

import faults
from arena import CHECKPOINT_UPDATES, enter_namespace
from schedule import arena, inflict, order

SLACK = 8  # files and threads that may be open at one moment and not at another
STUDENT_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # two-sided, of n runs


def disturbed(binaries, seed, count):
    secured = seed % 3 == 0
    kinds = faults.LEASE_KEPT + faults.OTHERS + (faults.FLIPS * 3 if secured else [])
    began = time.monotonic()
    with arena(binaries, seed=seed, updates=300, extended=True, secured=secured, workers=2 + seed % 2) as run:
        run.start()
        run.advance(30, "the beginning")
        first = run.footprint()
        planned = order(kinds, count, seed)
        inflict(run, planned, seed, tell=lambda line: print(f"seed {seed}: {line}", flush=True))
        last = run.footprint()
        run.finish()
        standing = run.identities.close()
        grown = {who: (before, last[who]) for who, before in first.items()
                 if last[who][0] > before[0] + SLACK or last[who][1] > before[1] + SLACK}
        assert not grown, f"open files, threads, KiB before and after: {grown}"
        tally = collections.Counter(fault.__name__ for fault in planned)
        print(f"seed {seed}{', mutual TLS' if secured else ''}: {count} faults of {len(tally)} kinds in "
              f"{time.monotonic() - began:.0f} s, {run.learners} learners; {run.total} updates stand, "
              f"{run.identities.trained} were made; {standing} pieces, each once; {run.witnessed} "
              f"acknowledgements found in batches; a killed learner had trained at most {run.most_unsaved} "
              f"updates beyond its checkpoint, every {CHECKPOINT_UPDATES}; at most {run.identities.most_lost} were "
              f"made again; open files, threads, KiB before {first}, after {last}; "
              f"score {run.score(60):.4f}", flush=True)
        return run.total, run.score(60)


def undisturbed(binaries, seed, updates):
    with arena(binaries, seed=seed, updates=updates, lease_seconds=60, step_seconds=30) as run:
        run.start()
        run.finish()
        print(f"seed {seed}, undisturbed: {updates} updates, score {run.score(60):.4f}", flush=True)
        return run.score(60)


def main():
    enter_namespace([sys.executable, "-B", *sys.argv])
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--faults", type=int, default=200)
    arguments = parser.parse_args()
    binaries = arguments.binaries.resolve()
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    runs = [disturbed(binaries, seed, arguments.faults) for seed in seeds]
    updates = round(statistics.mean(updates for updates, _ in runs))
    calm = [undisturbed(binaries, 100 + seed, updates) for seed in seeds]
    if len(calm) < 2:
        return 0
    middle = statistics.mean(calm)
    half = STUDENT_95.get(len(calm), 2.571) * statistics.stdev(calm) * (1 + 1 / len(calm)) ** 0.5
    outside = [score for _, score in runs if abs(score - middle) > half]
    print(f"undisturbed {middle:.4f} ± {half:.4f}; disturbed {[round(score, 4) for _, score in runs]}"
          f"{'; outside: ' + str(outside) if outside else ', all inside'}")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
