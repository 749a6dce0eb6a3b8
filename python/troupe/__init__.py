"""Troupe in Python: environments served to its workers, and policies and runs read back.

troupe.serve(make_environment)
policy = troupe.load_policy("runs/NAME/actors/best.safetensors")
run = troupe.load_run("runs/NAME")
env = troupe.make("simple_spread")
episodes = troupe.load_episodes("episodes/traffic")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from troupe.serve import serve as serve

if TYPE_CHECKING:
    from troupe.environments import make, make_copies
    from troupe.episodes import load_episodes
    from troupe.policy import load_policy
    from troupe.runs import load_run
    from troupe.serve.copy import Copy

__all__ = ["Copy", "load_episodes", "load_policy", "load_run", "make", "make_copies", "serve"]
__version__ = "0.1.0"

_HOMES = {
    "Copy": "troupe.serve.copy",
    "load_episodes": "troupe.episodes",
    "load_policy": "troupe.policy",
    "load_run": "troupe.runs",
    "make": "troupe.environments",
    "make_copies": "troupe.environments",
}


def __getattr__(name: str) -> Any:
    # What reads runs and draws pages needs no NumPy, and a server of environments no policies.
    if name not in _HOMES:
        raise AttributeError(f"module 'troupe' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
