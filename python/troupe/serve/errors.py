"""What went wrong, in one line for the run's log."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from types import FrameType

_FRAMES = 3


def _frames(stack: traceback.StackSummary) -> str:
    """The innermost ones, outermost first."""
    return ", then ".join(
        f"{os.path.basename(frame.filename)}:{frame.lineno} in {frame.name}" for frame in list(stack)[-_FRAMES:]
    )


def describe(error: BaseException, doing: str) -> str:
    """'ValueError: too many cooks (while stepping copy 3; kitchen.py:12 in step, then …)'"""
    words = "".join(traceback.format_exception_only(error)).strip()
    where = _frames(traceback.extract_tb(error.__traceback__))
    return f"{words} (while {doing}{'; ' if where else ''}{where})"


def say_where_when_aborted() -> None:
    """A worker that waits in vain sends SIGABRT: what this process is at then is the last it prints."""

    def say(_: int, frame: FrameType | None) -> None:
        stack = traceback.extract_stack(frame)
        sys.stderr.write(f"\nError: it was at {_frames(stack)}\n")
        sys.stderr.flush()
        os._exit(134)

    signal.signal(signal.SIGABRT, say)
