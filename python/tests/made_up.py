"""Run folders as a learner leaves them, with made-up numbers."""

import json
import math
import pathlib
import random

EXPERIMENT = """# resolved
name: "NAME"
seed: SEED
total_env_steps: 100000
environment {
  name: "traffic_grid"
  settings {
    key: "rate"
    value: "5400"
  }
}
policy {
  hidden_sizes: 64
  hidden_sizes: 32
}
ppo {
  clip: CLIP
}
evaluation {
  best_by: "waiting"
  smaller_is_better: true
  baselines: ["random", "fixed_time"]
}
"""


def write_run(folder, name="crossing", seed=1, clip=0.2, updates=50, table=True):
    """After update k of n waiting is 30 / (1 + 6 k / n) · (1 + clip / 2), give or take noise by seed."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    draw = random.Random(f"{seed} {clip}")
    lines = []
    for k in range(1, updates + 1):
        waiting = 30 / (1 + 6 * k / updates) * (1 + clip / 2) * draw.uniform(0.93, 1.07)
        figures = {
            "count": 8,
            "episode_return": -waiting * 3,
            "episode_length": 720,
            "group_returns": {"junction": -waiting * 3},
            "statistics": {"waiting": waiting, "delay": waiting + 20},
        }
        at = {"update": k, "env_steps": 2000 * k, "time": 1.7e9 + k}
        lines.append(
            {
                **at,
                "wall_seconds": 0.5 * k,
                "env_steps_per_second": 4000 * draw.uniform(0.9, 1.1),
                "policy_lag": 1,
                "statistics": {
                    "policy_loss": -0.02 * math.exp(-k / 20) * draw.uniform(0.5, 1.5),
                    "entropy": 1.3 - k / 80,
                    "value_loss": 2 / k,
                    "approx_kl": None,
                },
                "stage_seconds": {"wait": 0.2, "update": 0.25, "publish": 0.01},
                "episodes": figures,
            }
        )
        if k % 10 == 0:
            lines.append({"evaluation": figures, **at, "best": k == updates})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = EXPERIMENT.replace("NAME", name).replace("SEED", str(seed)).replace("CLIP", str(clip))
    (folder / "experiment.textproto").write_text(text)
    if table:
        players = [
            player("final", 4.2 + clip * seed, 24.5, "actors/final.safetensors"),
            player("random", 29.0, 50.0),
            player("fixed_time", 9.5, 31.0),
            player("longest_queue_first", 6.1, 27.0),
        ]
        (folder / "evaluation.json").write_text(
            json.dumps(
                {
                    "environment": "traffic_grid",
                    "episodes": 20,
                    "first_seed": 2000000,
                    "figures": ["episode_return", "waiting", "delay"],
                    "players": players,
                }
            )
        )
    return folder


def player(name, waiting, delay, path=None):
    means = {"episode_return": -3 * waiting, "waiting": waiting, "delay": delay}
    summary = {figure: {"mean": mean, "half_width_95": 0.15} for figure, mean in means.items()}
    return {"name": name, **({"actor_file": path} if path else {}), "summary": summary}
