"""Measures Threadline beside a bare relay and a plain Bolt app: `python -m tests.bench`."""

import argparse
import os
import sys
import time
from collections.abc import Sequence

import uvloop
from rich.console import Console

from tests.bench import report
from tests.bench.measured import Measured
from tests.bench.programs import Name, cores
from tests.bench.scenarios import SCENARIOS, Scenario


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is named, all of it by default; return 0 unless Threadline lost, doubled or reordered."""
    asked = _asked(arguments)
    os.sched_setaffinity(0, cores()[1])
    console = Console(width=150)
    names = [Name(one) for one in asked.program or [one.value for one in Name]]
    results: dict[str, dict[Name, list[Measured]]] = {}
    for scenario in asked.only or SCENARIOS:
        measured = _rounds(scenario, names, times=asked.times, quick=asked.quick, console=console)
        if measured:
            results[scenario] = measured
    kept = report.show(results, console)
    if asked.write:
        report.write(results)
    return 0 if kept else 1


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer questions, one round: for development")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), metavar="SCENARIO",
                        help=f"may be repeated; {', '.join(SCENARIOS)}")  # fmt: skip
    parser.add_argument("--program", action="append", choices=[one.value for one in Name])
    parser.add_argument("--times", type=int, help="rounds, each of all programs; 3 unless told, 1 if quick")
    parser.add_argument("--write", action="store_true", help="write tables and plot into the repository")
    asked = parser.parse_args(arguments)
    if asked.write and (asked.only or asked.program):
        parser.error("--write is for a run of everything")
    asked.times = asked.times or (1 if asked.quick else 3)
    return asked


def _rounds(
    scenario: str, names: Sequence[Name], *, times: int, quick: bool, console: Console
) -> dict[Name, list[Measured]]:
    """Run a scenario's programs in turns, so that what else the machine does meets all of them."""
    chosen = SCENARIOS[scenario]
    measured: dict[Name, list[Measured]] = {name: [] for name in names if name in chosen.programs}
    for number in range(min(times, chosen.times or times)):
        for name, runs in measured.items():
            if number and name in chosen.once:
                continue
            begun = time.monotonic()
            runs.append(uvloop.run(_run(chosen, name, quick=quick)))
            said = f"{scenario}, round {number + 1}, {name.value}: {time.monotonic() - begun:.0f} s"
            console.print(said, style="dim", highlight=False)
    return measured


async def _run(scenario: Scenario, name: Name, *, quick: bool) -> Measured:
    return await scenario.run(name, quick=quick)


if __name__ == "__main__":
    sys.exit(main())
