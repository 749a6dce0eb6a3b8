#!/usr/bin/env python3
"""chaos.py BIN_FOLDER [--seeds=1,2,3] [--faults=200] [--at_once=1]: the long form of faults_test.py. Each seed's run
goes through so many faults of all kinds, in an order of its own, and its score is compared with that of undisturbed
runs of as many updates.

Every third seed's run is under mutual TLS, with bits that flip on the wire; of the others acknowledgements are seen.
Ends with 0 when every run came to its end with status 0, all identities hold, no learner's death cost more than the
checkpoints that were left allow, nobody has more threads or files open than before, and each score lies in the 95 %
prediction interval of the undisturbed ones."""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import statistics
import subprocess
import sys
import time

import faults
from arena import CHECKPOINT_UPDATES, enter_namespace
from schedule import arena, inflict, order

# Files and threads that there may be at one moment and not at another: simulators of up to four shards and as many that
# are kept for later, four files each, and connections. What leaks with a fault is more after hundreds of them.
SLACK = 40
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


def undisturbed(binaries, seed, lengths):
    """Its scores after so many updates each."""
    with arena(binaries, seed=seed, updates=max(lengths), lease_seconds=60, step_seconds=30) as run:
        run.start()
        run.finish()
        scores = [run.score(60, length) for length in lengths]
        print(f"seed {seed}, undisturbed, after {lengths} updates: {[round(score, 4) for score in scores]}", flush=True)
        return scores


def one(arguments, *flags):
    """Another process of this program, in a namespace of its own; returns its last line as JSON."""
    command = [sys.executable, "-B", __file__, str(arguments.binaries), f"--faults={arguments.faults}", *flags]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(flags)} ended with {process.returncode}")
    return json.loads(last)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--at_once", type=int, default=1, help="runs")
    parser.add_argument("--disturbed", type=int, help="the seed's run alone")
    parser.add_argument("--undisturbed", type=int, help="the seed's run alone, scored after each of --updates")
    parser.add_argument("--updates")
    arguments = parser.parse_args()
    arguments.binaries = arguments.binaries.resolve()
    if arguments.disturbed is not None:
        enter_namespace([sys.executable, "-B", *sys.argv])
        print(json.dumps(disturbed(arguments.binaries, arguments.disturbed, arguments.faults)))
        return 0
    if arguments.undisturbed is not None:
        lengths = [int(length) for length in arguments.updates.split(",")]
        print(json.dumps(undisturbed(arguments.binaries, arguments.undisturbed, lengths)))
        return 0
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    with concurrent.futures.ThreadPoolExecutor(arguments.at_once) as pool:
        runs = list(pool.map(lambda seed: one(arguments, f"--disturbed={seed}"), seeds))
        updates = f"--updates={','.join(str(length) for length, _ in runs)}"
        calm = list(pool.map(lambda seed: one(arguments, f"--undisturbed={100 + seed}", updates), seeds))
    outside = 0
    for seed, (length, score), others in zip(seeds, runs, zip(*calm)) if len(calm) > 1 else ():
        middle = statistics.mean(others)
        half = STUDENT_95.get(len(others), 2.571) * statistics.stdev(others) * (1 + 1 / len(others)) ** 0.5
        outside += abs(score - middle) > half
        print(f"seed {seed}: {score:.4f} after {length} updates; undisturbed {middle:.4f} ± {half:.4f}")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
