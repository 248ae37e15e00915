"""Many runs, two at once, until every step has been hit often enough; their figures. It judges nothing."""

import asyncio
import math
import shutil
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from tests.faults.crash.run import Plan, Toll, Way
from tests.faults.crash.run import run as run_one
from tests.faults.crash.steps import Step
from tests.faults.report import Report

WANTED = 100
"""Hits for each step."""
_AT_ONCE = 2
_MOST_RUNS = 60
_ROUNDS = 5
_WILDNESS = 0.35


async def run(scale: float = 1.0, seed: str = "") -> Report:
    """Kill until each step has `scale` times a hundred hits; with a seed, repeat the run that had it."""
    console = Console(stderr=True)
    most = math.ceil(_MOST_RUNS * max(1.0, scale))
    plans = iter([_plan(seed)] if seed else [_plan(f"crash-{number}") for number in range(most)])
    tolls: list[Toll] = []

    def enough() -> bool:
        hits: Counter[Step] = sum((toll.hits for toll in tolls), Counter())
        return all(hits[step] >= WANTED * scale for step in Step)

    async def work(plans: Iterator[Plan]) -> None:
        for plan in plans:
            if enough():
                return
            toll = await _run(plan)
            tolls.append(toll)
            found = f"{len(toll.faults)} FAULTS" if toll.faults else "no fault"
            console.print(f"{plan.seed}: {toll.kills} kills, {toll.questions} questions, {found}")

    await asyncio.gather(*(work(plans) for _ in range(_AT_ONCE)))
    return report(tolls, wanted=0 if seed else WANTED * scale)


def report(tolls: Sequence[Toll], *, wanted: float = WANTED) -> Report:
    """Add the tolls up. A step that was hit less often than `wanted` is a fault: nothing was shown of it."""
    faults = [f"{fault} [seed {toll.plan.seed}]" for toll in tolls for fault in toll.faults]
    questions = sum(toll.questions for toll in tolls)
    calls, cut_off = sum(toll.calls for toll in tolls), sum(toll.cut_off for toll in tolls)
    figures = {
        "runs, kills, questions": f"{len(tolls)}, {sum(toll.kills for toll in tolls)}, {questions}",
        "seeds": ", ".join(sorted(toll.plan.seed for toll in tolls)),
        **{f"{step.value} {step.name.lower().replace('_', ' ')}": _hits(tolls, step) for step in Step},
        "told “did not respond” by Discord": str(sum(toll.turned_away for toll in tolls)),
        "lost": str(sum(fault.startswith("lost") for fault in faults)),
        "doubled": str(sum(fault.startswith("doubled") for fault in faults)),
        "out of order": str(sum("out of order" in fault for fault in faults)),
        "chat calls": f"{calls} for {questions} questions; {cut_off} were cut off by a kill",
        "recovery, from the restart": _spread([seconds for toll in tolls for seconds in toll.recoveries]),
        "of which the start": _spread([seconds for toll in tolls for seconds in toll.starts]),
        "of which the work": _spread([seconds for toll in tolls for seconds in toll.caught_up]),
    }
    return Report("crash", figures, [*faults, *_missed(tolls, wanted)])


def _missed(tolls: Sequence[Toll], wanted: float) -> list[str]:
    hits = {step: sum(toll.hits[step] for toll in tolls) for step in Step}
    return [
        f"step {step.value} was hit {many} times, and {wanted:g} were wanted"
        for step, many in hits.items()
        if many < wanted
    ]


def _plan(seed: str) -> Plan:
    """Return the plan of a seed like "crash-7", whose number tells by which way questions come."""
    number = int(seed.rpartition("-")[2])
    return Plan(seed, list(Way)[number % len(Way)], rounds=_ROUNDS, wildness=_WILDNESS)


async def _run(plan: Plan) -> Toll:
    """Carry a plan out in a folder of its own, which is kept where there is something to be looked into."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=f"{plan.seed}-"))
    toll = await run_one(plan, folder)
    if toll.faults:
        toll.faults.append(f"its database and log are in {folder}")
    else:
        await asyncio.to_thread(shutil.rmtree, folder)
    return toll


def _hits(tolls: Sequence[Toll], step: Step) -> str:
    aimed, met, hits = (
        sum(counted[step] for counted in counts)
        for counts in (
            [toll.aimed for toll in tolls],
            [toll.on_target for toll in tolls],
            [toll.hits for toll in tolls],
        )
    )
    return f"{hits} hits; {met} of {aimed} aimed ones"


def _spread(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "–"
    marks = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"p50 {marks[49]:.1f} s, p95 {marks[94]:.1f} s, longest {max(seconds):.1f} s"
