#!/usr/bin/env python3
"""make_cases.py [FOLDER]: writes every case with what two updates must end at into FOLDER (default: cases/ beside this
file)."""

import sys
from pathlib import Path

import numpy as np

import case_file
from cases import all_cases, value_cases
from joint_learner import JointLearner
from learner import Learner
from options import OptionLearner
from q_learner import QLearner
from scene import random_batch
from settings import complete, textproto

UPDATES = 2
# Nothing may come nearer to where a loss has a kink than float32 can tell; else other random numbers are taken.
LEAST_KINK = 3e-6


def solve(scene, changes, seed):
    """Tensors of one case, the names of its figures, and how near it came to a kink."""
    random = np.random.RandomState(seed)
    own = [changes.get("policy", {}), *changes.get("group_policies", {}).values()]
    on_policy = OptionLearner if any(policy.get("num_options") for policy in own) else Learner
    kind = JointLearner if "maddpg" in changes else QLearner if "q_learning" in changes else on_policy
    learner = kind(scene, complete(changes), random)
    tensors = {f"initial/{name}": p.astype(np.float32) for name, p in learner.parameters().items()}
    cells, figures, batch = scene.steps * scene.columns, [], None
    progress = np.array([[u + 3, (u + 3) * cells, 10 * cells] for u in range(UPDATES)], np.int64)
    for u in range(UPDATES):
        batch = random_batch(scene, learner, 0.12, random, batch)
        # Who has neither memory nor a replay has no need of streams, nor values of actions of how likely those were.
        left_out = [] if learner.recurrent or learner.values_actions else ["streams"]
        left_out += ["log_probabilities"] if learner.values_actions else []
        named = {name: values for name, values in batch.items() if name.split("/")[-1] not in left_out}
        tensors.update({f"batch{u}/{name}": values for name, values in named.items()})
        figures.append(learner.update(batch, *(int(p) for p in progress[u])))
    tensors["progress"] = progress
    tensors["expected/figures"] = np.array([list(f.values()) for f in figures])
    tensors.update({f"expected/{name}": p.astype(np.float32) for name, p in learner.parameters().items()})
    for name, values in learner.optimiser_state().items():
        tensors[f"expected/{name}"] = values if name.endswith("value_norm") else values.astype(np.float32)
    return tensors, " ".join(figures[0]), learner.closest_kink


def make_case(scene, changes, first_seed):
    for seed in range(first_seed, first_seed + 100):
        tensors, figures, kink = solve(scene, changes, seed)
        if kink > LEAST_KINK:
            metadata = {"settings": textproto(changes), "figures": figures, **scene.describe()}
            return metadata, tensors
    raise RuntimeError(f"no seed from {first_seed} on stays away from kinks")


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, scene, changes) in enumerate(all_cases()):
        case_file.write(folder / f"{name}.safetensors", *make_case(scene, changes, 1000 * (number + 1)))
    for number, (name, scene, changes) in enumerate(value_cases()):
        case_file.write(folder / f"{name}.safetensors", *make_case(scene, changes, 1000 * (number + 1001)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "cases")
