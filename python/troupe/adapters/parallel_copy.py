"""A PettingZoo parallel environment: all agents that are there act at every step."""

from __future__ import annotations

from typing import Any

from troupe.serve.copy import GOES_ON, TERMINATED, TRUNCATED
from troupe.adapters.pettingzoo_copy import PettingZooCopy


class ParallelCopy(PettingZooCopy):
    def reset(self, seed: int) -> None:
        observations, infos = self._env.reset(seed=seed & 0xFFFFFFFF)
        self._score.begin()
        there = set(self._env.agents)
        self._acting = [seat for seat in self._seats if seat.name in there]
        for seat in self._seats:
            if seat.name in there:
                seat.see(observations[seat.name], infos.get(seat.name))
            else:
                seat.leave()
        self._write_state()

    def step(self, actions: list[Any]) -> int:
        moves = {seat.name: seat.decode(actions[seat.group][seat.index]) for seat in self._acting}
        observations, rewards, terminations, truncations, infos = self._env.step(moves)
        score = self._score
        score.length += 1
        returns = score.returns
        for seat in self._seats:
            reward = rewards.get(seat.name, 0.0)
            seat.rewards[seat.index] = reward
            returns[seat.name] += float(reward)
        there = [name for name in self._env.agents if not (terminations.get(name) or truncations.get(name))]
        ending = GOES_ON
        if not there:
            # Those whom only the clock stopped still have a value.
            there = [name for name, cut in truncations.items() if cut and not terminations.get(name)]
            ending = TRUNCATED if there else TERMINATED
        self._look(there, observations, infos)
        self._write_state()
        if ending != GOES_ON:
            score.write(list(infos.values()), self._rows.statistics)
        return ending

    def _look(self, there: list[str], observations: dict[str, Any], infos: dict[str, Any]) -> None:
        if len(there) == len(self._seats):
            self._acting = self._seats
            for seat in self._seats:
                seat.see(observations[seat.name], infos.get(seat.name))
            return
        present = set(there)
        before = self._acting
        self._acting = []
        for seat in self._seats:
            if seat.name in present:
                seat.see(observations[seat.name], infos.get(seat.name))
                self._acting.append(seat)
            elif seat in before:
                seat.leave()
