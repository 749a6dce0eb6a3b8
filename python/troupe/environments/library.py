"""libtroupe_environments.so by ctypes: its functions as actor_worker/libraries/troupe_environments.h has them."""

from __future__ import annotations

import ctypes
import functools
import os
from pathlib import Path

_INTERFACE = 1
_FILE = "libtroupe_environments.so.1"

_c = ctypes
Pointer = _c.c_void_p
Texts = _c.POINTER(_c.c_char_p)


class GroupArrays(_c.Structure):
    _fields_ = [(name, Pointer) for name in ("observations", "action_masks", "alive", "rewards", "indices", "numbers")]


class CopyArrays(_c.Structure):
    _fields_ = [(name, Pointer) for name in ("state", "terminated", "truncated", "statistics")]


# Result, then arguments.
_FUNCTIONS = {
    "troupe_environments_interface": (_c.c_int,),
    "troupe_environments_error": (_c.c_char_p,),
    "troupe_environments_name": (_c.c_char_p, _c.c_size_t),
    "troupe_environments_summary": (_c.c_char_p, _c.c_char_p),
    "troupe_environments_settings": (_c.c_char_p, _c.c_char_p),
    "troupe_environment_create": (Pointer, _c.c_char_p, Texts, _c.c_size_t, _c.c_int),
    "troupe_environment_destroy": (None, Pointer),
    "troupe_environment_spec": (_c.c_char_p, Pointer),
    "troupe_environment_group_arrays": (_c.c_int, Pointer, _c.c_size_t, _c.POINTER(GroupArrays)),
    "troupe_environment_copy_arrays": (None, Pointer, _c.POINTER(CopyArrays)),
    "troupe_environment_reset": (_c.c_int, Pointer, _c.c_int, _c.c_uint64),
    "troupe_environment_step": (_c.c_int, Pointer, Pointer),
    "troupe_environment_render": (_c.c_char_p, Pointer, _c.c_int),
}


def _places() -> list[str]:
    own = os.environ.get("TROUPE_ENVIRONMENTS_LIBRARY")
    if own:
        return [own]
    here = Path(__file__).resolve()
    checkout = [parent / "build/release/lib" for parent in here.parents[3:4]]
    return [*(str(folder / _FILE) for folder in (here.parent, *checkout) if (folder / _FILE).exists()), _FILE]


@functools.cache
def load() -> ctypes.CDLL:
    """OSError saying where it was looked for: the file that the variable TROUPE_ENVIRONMENTS_LIBRARY names, or else
    beside this module, in the checkout's build/release/lib, and where the system has libraries."""
    reasons = []
    for place in _places():
        try:
            library = ctypes.CDLL(place)
            break
        except OSError as error:
            reasons.append(str(error))
    else:
        raise OSError(
            f"{_FILE} was not found ({'; '.join(reasons)}): build Troupe's target troupe_environments, install the "
            "package troupe-libraries, or name the file by TROUPE_ENVIRONMENTS_LIBRARY"
        )
    for name, (result, *arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    found = library.troupe_environments_interface()
    if found != _INTERFACE:
        raise OSError(f"{place}: interface {found}, expected {_INTERFACE}: the library is of another version")
    return library


def last_error() -> ValueError:
    return ValueError(load().troupe_environments_error().decode())


def names() -> list[str]:
    """Of the environments that there are."""
    found, library = [], load()
    while (name := library.troupe_environments_name(len(found))) is not None:
        found.append(name.decode())
    return found


def describe(name: str) -> str:
    """What an environment is, and its settings with defaults, ranges and meaning. ValueError where there is none."""
    library, given = load(), name.encode()
    summary, settings = library.troupe_environments_summary(given), library.troupe_environments_settings(given)
    if summary is None:
        raise ValueError(f'no environment is called "{name}": {", ".join(names())}')
    return f"{summary.decode()}\n{settings.decode()}"
