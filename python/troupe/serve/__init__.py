"""Serves environments to Troupe's workers: `troupe.serve(env_fn)`, or `python -m troupe.serve` as a command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from troupe.serve.copy import Copy


def serve(
    env_fn: Callable[..., Any],
    *,
    statistics: Sequence[str] = (),
    state: bool = False,
    teams: bool = False,
    copies: int = 8,
    seconds: float = 5.0,
) -> None:
    """Serves what `env_fn` makes until the worker that started this program hangs up: a Gymnasium environment, a
    PettingZoo one (parallel or AEC), or a troupe.Copy. It is called once for every copy, with the experiment's
    arguments (environment.settings.argument_<name>) by their names.

    `statistics`: keys of the infos of an episode's last step to be reported with it, besides its length.
    `state`: the critic sees the environment's state() in place of all observations. `teams`: groups of agents with
    equal spaces play against each other.

    Where no worker started the program, `copies` of it are played at random for so many `seconds`, and what a worker
    would see, and how fast they are, is printed.
    """
    from troupe.serve.connection import arguments, started_by_worker
    from troupe.serve.copy import Copy
    from troupe.serve.loop import serve_copies

    given = arguments()

    def make() -> Copy:
        made = env_fn(**given)
        if isinstance(made, Copy):
            return made
        from troupe.adapters import Options, adapt

        return adapt(made, Options(tuple(statistics), state, teams))

    if started_by_worker():
        serve_copies(make)
    else:
        from troupe.serve.trial import play

        print(play(make, copies, seconds))
