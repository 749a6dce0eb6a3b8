"""Several agents in a Gymnasium environment, as Level-Based Foraging and the robot warehouse have them: observations,
actions and rewards are tuples with an entry for every agent; an end is everybody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gymnasium import spaces

from troupe.adapters.episode import Options, Score, agent_statistics_names, statistics_names
from troupe.adapters.seats import make_seat, seat_agents
from troupe.serve.copy import GOES_ON, TERMINATED, TRUNCATED, Copy, Rows
from troupe.serve.spec import Spec


def is_of_several_agents(env: Any) -> bool:
    """Both spaces are tuples of the same length, and the environment says how many agents it has."""
    seen, done = env.observation_space, env.action_space
    if not (isinstance(seen, spaces.Tuple) and isinstance(done, spaces.Tuple) and len(seen) == len(done)):
        return False
    return any(getattr(env.unwrapped, name, 0) == len(seen) for name in ("n_agents", "num_agents"))


class TupleCopy(Copy):
    def __init__(self, env: Any, options: Options) -> None:
        if options.state:
            raise ValueError("a Gymnasium environment has no state() beside what its agents observe")
        self._env = env
        self._seats = [
            make_seat(f"agent_{i}", seen, done)
            for i, (seen, done) in enumerate(zip(env.observation_space.spaces, env.action_space.spaces))
        ]
        seating = seat_agents(self._seats, options.teams)
        self.spec = Spec(seating.groups, statistics_names(options), agent_statistics_names(len(self._seats)))
        self._score = Score(self._seats, options)

    def bind(self, rows: Rows) -> None:
        self._rows = rows
        for seat in self._seats:
            seat.bind(rows)

    def reset(self, seed: int) -> None:
        observations, info = self._env.reset(seed=seed & 0xFFFFFFFF)
        self._score.begin()
        self._see(observations, info)

    def step(self, actions: list[Any]) -> int:
        moves = tuple(seat.decode(actions[seat.group][seat.index]) for seat in self._seats)
        observations, rewards, terminated, truncated, info = self._env.step(moves)
        score = self._score
        score.length += 1
        if len(rewards) != len(self._seats):
            raise ValueError(f"there are {len(rewards)} rewards for {len(self._seats)} agents")
        for seat, reward in zip(self._seats, rewards):
            seat.rewards[seat.index] = reward
            score.returns[seat.name] += float(reward)
        self._see(observations, info)
        if not (terminated or truncated):
            return GOES_ON
        score.write([info], self._rows.statistics)
        return TERMINATED if terminated else TRUNCATED

    def _see(self, observations: tuple[Any, ...], info: Mapping[str, Any]) -> None:
        """A mask in the info is of all agents: an entry each."""
        if len(observations) != len(self._seats):
            raise ValueError(f"there are {len(observations)} observations for {len(self._seats)} agents")
        masks = info.get("action_mask")
        for i, seat in enumerate(self._seats):
            seat.see(observations[i], None if masks is None else {"action_mask": masks[i]})

    def close(self) -> None:
        self._env.close()
