"""The long runs, and a table of what they found: `python -m tests.faults.soak [NAME …]`."""

import argparse
import asyncio
import importlib
import inspect
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from rich.console import Console

from tests.faults.report import Report, show

RUNS: Mapping[str, str] = {
    "crash": "tests.faults.crash.campaign",
    "storm": "tests.faults.load.storm",
    "hour": "tests.faults.load.hour",
    "outage": "tests.faults.load.outage",
    "fair": "tests.faults.load.fair",
    "machine": "tests.faults.machine.run",
    "fleet": "tests.faults.fleet.run",
    "move": "tests.faults.load.moving",
}
"""Each name's module: it has a coroutine `run`, which may take `scale` and `seed`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is named, one after the other, all of it by default; return 0 if there was no fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(RUNS)}; all if none is named")
    parser.add_argument("--scale", type=float, default=1.0, help="how much longer than usual, or shorter")
    parser.add_argument("--seed", default="", help="repeat one run, where a run can be repeated")
    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.names) - set(RUNS))
    if unknown:
        parser.error(f"no such run: {', '.join(unknown)}")
    reports = [_report(name, scale=asked.scale, seed=asked.seed) for name in asked.names or RUNS]
    return 0 if show(reports, Console()) else 1


def _report(name: str, **wishes: Any) -> Report:
    """Run one by its name. Its module is looked for only now: if it cannot be had, that is a fault."""
    try:
        run: Callable[..., Awaitable[Report]] = importlib.import_module(RUNS[name]).run
    except ImportError as error:
        return Report(name, {}, [f"it cannot be run: {error}"])
    taken = inspect.signature(run).parameters
    return asyncio.run(_awaited(run(**{wish: value for wish, value in wishes.items() if wish in taken})))


async def _awaited(running: Awaitable[Report]) -> Report:
    return await running


if __name__ == "__main__":
    sys.exit(main())
