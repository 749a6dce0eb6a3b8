"""The worker's end of the conversation: lines over a socket, as proto/environment_service.proto has them."""

from __future__ import annotations

import ast
import os
import socket
from typing import Any

from troupe.serve.spec import PROTOCOL_VERSION

_ARGUMENT = "TROUPE_ARGUMENT_"
_MOST_ERROR_BYTES = 4000


def started_by_worker() -> bool:
    return "TROUPE_SOCKET" in os.environ


def literal(text: str) -> Any:
    """A Python literal (3, 0.5, True, [1, 2], 'a'), true and false, or else the text itself."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def arguments() -> dict[str, Any]:
    """The environment's arguments that the experiment gives: environment.settings.argument_<name>."""
    return {
        name.removeprefix(_ARGUMENT): literal(value)
        for name, value in os.environ.items()
        if name.startswith(_ARGUMENT)
    }


class Connection:
    def __init__(self) -> None:
        version = os.environ.get("TROUPE_PROTOCOL")
        if version != str(PROTOCOL_VERSION):
            raise RuntimeError(f"the worker speaks protocol {version}, this server {PROTOCOL_VERSION}")
        self.copies = int(os.environ["TROUPE_COPIES"])
        self.memory = int(os.environ["TROUPE_MEMORY"])
        self._socket = socket.socket(fileno=int(os.environ["TROUPE_SOCKET"]))
        # Not for processes that the environment may start: they would keep the conversation open.
        os.set_inheritable(self._socket.fileno(), False)
        os.set_inheritable(self.memory, False)

    def say(self, line: str) -> None:
        self._socket.sendall(line.encode("utf-8", "backslashreplace") + b"\n")

    def say_error(self, text: str) -> None:
        line = " ".join(text.split())
        self.say("error " + line[:_MOST_ERROR_BYTES])

    def hear_step(self) -> bool:
        """Waits for the next step; False at the end."""
        heard = b""
        while not heard.endswith(b"\n"):
            piece = self._socket.recv(64)
            if not piece:
                return False
            heard += piece
        if heard != b"step\n":
            raise RuntimeError(f"the worker said {heard!r}, expected a step")
        return True

    def say_done(self) -> None:
        self._socket.sendall(b"done\n")
