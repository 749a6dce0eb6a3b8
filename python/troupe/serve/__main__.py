"""`python -m troupe.serve`: serves an environment of PettingZoo, of Gymnasium, or one of your own."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from typing import Any

from troupe.serve import serve
from troupe.serve.connection import literal


def pettingzoo_maker(name: str) -> Callable[..., Any]:
    """Of `MODULE`, which has parallel_env or env; PettingZoo's own by what follows "pettingzoo."."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not name.startswith(error.name or "?"):
            raise
        module = importlib.import_module(f"pettingzoo.{name}")
    for maker in ("parallel_env", "env"):
        if hasattr(module, maker):
            return getattr(module, maker)  # type: ignore[no-any-return]
    raise SystemExit(f"{module.__name__} has neither parallel_env nor env")


def gymnasium_maker(name: str) -> Callable[..., Any]:
    import gymnasium

    def make(**given: Any) -> Any:
        try:
            return gymnasium.make(name, disable_env_checker=True, **given)
        except gymnasium.error.UnregisteredEnv as error:
            hint = "" if ":" in name else f" If a package brings it: --gymnasium PACKAGE:{name}"
            raise SystemExit(f"{error}{hint}") from error

    return make


def function_maker(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    if not function:
        raise SystemExit(f"--function {name}: expected MODULE:FUNCTION")
    return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]


def parse(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m troupe.serve", description=__doc__)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--pettingzoo", metavar="MODULE", help="mpe2.simple_spread_v3, classic.connect_four_v3, …")
    kind.add_argument("--gymnasium", metavar="ID", help="CartPole-v1, module:Name-v0, …")
    kind.add_argument("--function", metavar="MODULE:FUNCTION", help="a function of yours that makes an environment")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="the environment's argument")
    parser.add_argument("--statistics", metavar="NAMES", default="", help="keys of the last infos to report, by commas")
    parser.add_argument("--state", action="store_true", help="the critic sees state() in place of all observations")
    parser.add_argument("--teams", action="store_true", help="groups of agents play against each other")
    parser.add_argument("--copies", type=int, default=8, help="without a worker: how many to try")
    parser.add_argument("--seconds", type=float, default=5.0, help="without a worker: for how long")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    given = parse(words)
    fixed = {name: literal(value) for name, _, value in (word.partition("=") for word in given.set)}

    def make(**arguments: Any) -> Any:
        maker: Callable[..., Any]
        if given.pettingzoo:
            maker = pettingzoo_maker(given.pettingzoo)
        elif given.gymnasium:
            maker = gymnasium_maker(given.gymnasium)
        else:
            maker = function_maker(given.function)
        return maker(**{**fixed, **arguments})

    serve(
        make,
        statistics=[name for name in given.statistics.split(",") if name],
        state=given.state,
        teams=given.teams,
        copies=given.copies,
        seconds=given.seconds,
    )


if __name__ == "__main__":
    main()
