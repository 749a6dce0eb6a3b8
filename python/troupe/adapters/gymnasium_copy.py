"""A Gymnasium environment: one agent."""

from __future__ import annotations

from typing import Any

from troupe.serve.copy import GOES_ON, TERMINATED, TRUNCATED, Copy, Rows
from troupe.adapters.episode import Options, Score, agent_statistics_names, statistics_names
from troupe.adapters.seats import make_seat, seat_agents
from troupe.serve.spec import Spec


class GymnasiumCopy(Copy):
    def __init__(self, env: Any, options: Options) -> None:
        if options.state:
            raise ValueError("a Gymnasium environment has no state() beside what its agent observes")
        self._env = env
        self._seat = make_seat("agent", env.observation_space, env.action_space)
        seating = seat_agents([self._seat], options.teams)
        self.spec = Spec(seating.groups, statistics_names(options), agent_statistics_names(1))
        self._score = Score(seating.seats, options)

    def bind(self, rows: Rows) -> None:
        self._rows = rows
        self._seat.bind(rows)

    def reset(self, seed: int) -> None:
        observation, info = self._env.reset(seed=seed & 0xFFFFFFFF)
        self._score.begin()
        self._seat.see(observation, info)

    def step(self, actions: list[Any]) -> int:
        seat, score = self._seat, self._score
        observation, reward, terminated, truncated, info = self._env.step(seat.decode(actions[0][0]))
        seat.rewards[0] = reward
        score.returns["agent"] += float(reward)
        score.length += 1
        seat.see(observation, info)
        if not (terminated or truncated):
            return GOES_ON
        score.write([info], self._rows.statistics)
        return TERMINATED if terminated else TRUNCATED

    def close(self) -> None:
        self._env.close()
