"""Troupe's own environments in Python: `make` one as a PettingZoo environment, `make_copies` of it as arrays.

env = troupe.make("simple_spread", num_agents=4)            # pettingzoo.ParallelEnv
copies = troupe.make_copies("simple_spread", 64)            # NumPy arrays of 64 copies, stepped in one call
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troupe.environments.copies import Copies, Group
from troupe.environments.library import describe, names

if TYPE_CHECKING:
    from troupe.environments.parallel import TroupeParallelEnv

__all__ = ["Copies", "Group", "describe", "make", "make_copies", "names"]

Setting = str | int | float | bool


def make(
    name: str, *, action_masks: str = "observation", render_mode: str | None = None, **settings: Setting
) -> TroupeParallelEnv:
    """A PettingZoo environment of `names()`, with settings as `describe(name)` tells them; needs pettingzoo.

    action_masks: "observation": what agents with discrete actions observe is {"observation", "action_mask"}; "info":
    the observation is the numbers alone, and the mask is in the infos. ValueError naming what is wrong."""
    from troupe.environments.parallel import TroupeParallelEnv

    return TroupeParallelEnv(Copies(name, 1, settings), action_masks, render_mode)


def make_copies(name: str, copies: int, **settings: Setting) -> Copies:
    """So many copies side by side. ValueError naming what is wrong."""
    return Copies(name, copies, settings)
