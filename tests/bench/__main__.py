"""Measures Threadline beside a bare relay and a plain Bolt app: `python -m tests.bench [--quick] [--only NAME]`."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench.counting import Faults, median
from tests.bench.measured import Measured
from tests.bench.scenarios import SCENARIOS, Scenario
from tests.bench.programs import Name, cores


async def run(scenario: Scenario, name: Name, *, quick: bool) -> Measured:
    return await scenario.run(name, quick=quick)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer questions, for development")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), help="this scenario; may be repeated")
    parser.add_argument("--program", action="append", choices=[one.value for one in Name])
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args(arguments)
    os.sched_setaffinity(0, cores()[1])
    console = Console(width=200)
    names = [Name(one) for one in asked.program or [one.value for one in Name]]
    for scenario in asked.only or SCENARIOS:
        runs: dict[Name, list[Measured]] = {}
        names = [one for one in SCENARIOS[scenario].programs if one.value in (asked.program or [n.value for n in Name])]
        for _ in range(SCENARIOS[scenario].times or asked.times):
            for name in names:
                begin = time.monotonic()
                measured = uvloop.run(run(SCENARIOS[scenario], name, quick=asked.quick))
                runs.setdefault(name, []).append(measured)
                console.print(f"{scenario} {name.value} {time.monotonic() - begin:.1f} s {measured.faults}", style="dim")
        table = Table("figure", *(name.value for name in names), title=scenario)
        for figure in runs[names[0]][0].figures:
            table.add_row(figure, *(f"{median([one.figures[figure] for one in runs[name]]):,.2f}" for name in names))
        for fault in ("lost", "doubled", "out_of_order", "early", "unacknowledged"):
            table.add_row(fault, *(str(sum(getattr(one.faults, fault) for one in runs[name])) for name in names))
        console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
