"""A PettingZoo AEC environment whose agents act in turn: a step is one agent's action, and the others' are not alive
meanwhile, so that nothing is learnt from what they did not do."""

from __future__ import annotations

from typing import Any

from troupe.serve.copy import GOES_ON, TERMINATED, TRUNCATED
from troupe.adapters.pettingzoo_copy import PettingZooCopy


class TurnsCopy(PettingZooCopy):
    def reset(self, seed: int) -> None:
        self._env.reset(seed=seed & 0xFFFFFFFF)
        self._score.begin()
        for seat in self._seats:
            if seat.name in self._env.agents:
                seat.see(self._env.observe(seat.name), None)
                seat.idle()
            else:
                seat.leave()
        self._give_turn()
        self._write_state()

    def step(self, actions: list[Any]) -> int:
        env, score = self._env, self._score
        seat = self._seat_of[env.agent_selection]
        earned = {other.name: 0.0 for other in self._seats}
        infos: list[Any] = []
        self._act(seat.decode(actions[seat.group][seat.index]), earned)
        ending = self._ending()
        if ending != GOES_ON:
            infos = list(env.infos.values())
            self._look_at_the_end(ending)
            self._write_state()
        # The dead say their farewell.
        while env.agents and self._is_over(env.agent_selection):
            leaver = self._seat_of[env.agent_selection]
            self._act(None, earned)
            if ending == GOES_ON:
                leaver.leave()
        score.length += 1
        for other in self._seats:
            other.rewards[other.index] = earned[other.name]
            score.returns[other.name] += earned[other.name]
        if ending == GOES_ON:
            seat.idle()
            self._give_turn()
            self._write_state()
        else:
            score.write(infos, self._rows.statistics)
        return ending

    def _act(self, action: Any, earned: dict[str, float]) -> None:
        self._env.step(action)
        for name, reward in self._env.rewards.items():
            earned[name] += float(reward)

    def _is_over(self, name: str) -> bool:
        return bool(self._env.terminations[name] or self._env.truncations[name])

    def _ending(self) -> int:
        env = self._env
        if any(not self._is_over(name) for name in env.agents):
            return GOES_ON
        cut = any(env.truncations[name] and not env.terminations[name] for name in env.agents)
        return TRUNCATED if cut else TERMINATED

    def _look_at_the_end(self, ending: int) -> None:
        if ending == TERMINATED:
            return
        for name in self._env.agents:
            seat = self._seat_of[name]
            seat.see(self._env.observe(name), None, alive=not self._env.terminations[name])

    def _give_turn(self) -> None:
        name = self._env.agent_selection
        self._seat_of[name].see(self._env.observe(name), self._env.infos.get(name))
