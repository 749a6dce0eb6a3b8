"""What PettingZoo's two kinds of environments have in common."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from troupe.serve.copy import Copy, Rows
from troupe.adapters.episode import Options, Score, agent_statistics_names, statistics_names
from troupe.adapters.seats import make_seat, seat_agents
from troupe.serve.spec import Spec


class PettingZooCopy(Copy):
    """Groups, statistics and the global state; agents are possible_agents."""

    def __init__(self, env: Any, options: Options) -> None:
        self._env = env
        seats = [
            make_seat(name, env.observation_space(name), env.action_space(name)) for name in env.possible_agents
        ]
        seating = seat_agents(seats, options.teams)
        self._seats = seating.seats
        self._seat_of = {seat.name: seat for seat in seats}
        self._score = Score(seats, options)
        self._state_size = 0
        if options.state:
            self._state_size = math.prod(env.state_space.shape)
        self.spec = Spec(
            seating.groups,
            statistics_names(options),
            agent_statistics_names(len(seats)),
            state_includes_observations=not options.state,
            state_extras_size=self._state_size,
        )

    def bind(self, rows: Rows) -> None:
        self._rows = rows
        for seat in self._seats:
            seat.bind(rows)

    def _write_state(self) -> None:
        if not self._state_size:
            return
        state = np.asarray(self._env.state()).reshape(-1)
        if state.shape != (self._state_size,):
            raise ValueError(f"state() has {state.size} numbers, state_space says {self._state_size}")
        self._rows.state_extras[:] = state

    def close(self) -> None:
        self._env.close()
