"""A server's life: copies made, then stepped whenever the worker rings."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from troupe.serve.connection import Connection
from troupe.serve.copy import Copy, rows_of
from troupe.serve.errors import describe, say_where_when_aborted
from troupe.serve.memory import Arrays, map_arrays
from troupe.serve.spec import CONTINUOUS, Spec

REST, RESET, STEP = 0, 1, 2


def make_copies(make: Callable[[], Copy], count: int) -> list[Copy]:
    copies = [make() for _ in range(count)]
    for c, copy in enumerate(copies):
        if copy.spec != copies[0].spec:
            raise ValueError(f"copy {c} offers other spaces than copy 0: {copy.spec} and {copies[0].spec}")
    return copies


def bind(copies: Sequence[Copy], arrays: Arrays) -> None:
    for c, copy in enumerate(copies):
        copy.bind(rows_of(arrays, c))


class Stepper:
    """Does what the commands say. `doing` tells what it is at, for when that fails."""

    def __init__(self, spec: Spec, copies: Sequence[Copy], arrays: Arrays) -> None:
        self._copies = copies
        self._arrays = arrays
        self._continuous = [group.action_kind == CONTINUOUS for group in spec.groups]
        self.doing = ""

    def ring(self) -> None:
        arrays = self._arrays
        commands = arrays.commands.tolist()
        actions = self._actions() if STEP in commands else []
        endings = arrays.endings
        for c, command in enumerate(commands):
            if command == STEP:
                self.doing = f"stepping copy {c}"
                endings[c] = self._copies[c].step([group[c] for group in actions])
            elif command == RESET:
                self.doing = f"resetting copy {c}"
                self._copies[c].reset(int(arrays.seeds[c]))

    def _actions(self) -> list[Any]:
        """Per group [E][A][D]; numbers stay arrays, indices become what every environment takes."""
        return [
            group.actions if continuous else group.actions.tolist()
            for group, continuous in zip(self._arrays.groups, self._continuous)
        ]


def serve_copies(make: Callable[[], Copy]) -> None:
    """Serves the worker that started this process, until it hangs up. An error of a copy goes to the worker and ends
    the process with status 1."""
    say_where_when_aborted()
    # What the environment prints is lost with the process otherwise.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    connection = Connection()
    copies: list[Copy] = []
    stepper = None
    doing = "making the copies"
    try:
        copies = make_copies(make, connection.copies)
        spec = copies[0].spec
        connection.say(spec.hello())
        while connection.hear_step():
            if stepper is None:
                doing = "mapping the worker's memory"
                arrays = map_arrays(connection.memory, spec, connection.copies)
                bind(copies, arrays)
                stepper = Stepper(spec, copies, arrays)
            stepper.ring()
            connection.say_done()
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        connection.say_error(describe(error, stepper.doing if stepper else doing))
        sys.exit(1)
    for copy in copies:
        copy.close()
