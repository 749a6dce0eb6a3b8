"""Environments of PettingZoo and Gymnasium as copies that troupe.serve steps."""

from __future__ import annotations

from typing import Any

from troupe.serve.copy import Copy
from troupe.adapters.episode import Options as Options
from troupe.adapters.gymnasium_copy import GymnasiumCopy
from troupe.adapters.parallel_copy import ParallelCopy
from troupe.adapters.tuple_copy import TupleCopy, is_of_several_agents
from troupe.adapters.turns_copy import TurnsCopy


def adapt(env: Any, options: Options = Options()) -> Copy:
    """`env` as a copy: a Gymnasium environment, or a PettingZoo parallel or AEC one. AEC environments that PettingZoo
    calls parallelizable are made parallel."""
    if hasattr(env, "agent_selection") or hasattr(env, "agent_iter"):
        if env.metadata.get("is_parallelizable", False):
            from pettingzoo.utils.conversions import aec_to_parallel

            return ParallelCopy(aec_to_parallel(env), options)
        return TurnsCopy(env, options)
    if hasattr(env, "possible_agents"):
        return ParallelCopy(env, options)
    if hasattr(env, "observation_space") and hasattr(env, "action_space"):
        return TupleCopy(env, options) if is_of_several_agents(env) else GymnasiumCopy(env, options)
    raise TypeError(
        f"{type(env).__name__} is no environment of Gymnasium (observation_space, action_space), none of PettingZoo "
        "(possible_agents), and no troupe.Copy"
    )
