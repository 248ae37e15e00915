"""An hour's worth of threads on both platforms in minutes, in bad weather: `run` measures what it takes."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from core.clock import SystemClock
from tests.faults.load import count
from tests.faults.load.crowd import Crowd, Known, crowd, let_be
from tests.faults.load.evidence import carried_out
from tests.faults.load.people import Chat, Thread
from tests.faults.load.watch import Program, program
from tests.faults.load.weather import SHARE, Weather
from tests.faults.report import Report

#: Above these, memory or open files are taken to grow.
MOST_GROWTH = 5.0  #: MiB with each 1,000 questions
MOST_FILES = 10  #: from the first fifth of the time to the last
_RETRY_AFTER = 1.0  #: what the weather's 429s ask for


@dataclass(frozen=True, slots=True)
class Hour:
    """So many threads within so many seconds; this share of answers leads to another question."""

    threads: int = 1_000
    seconds: float = 270.0
    goes_on: float = 0.3
    thinks: float = 3.0
    """Seconds, at most, between an answer and what is asked next."""
    share: float = SHARE
    patience: float = 120.0
    measures_growth: bool = True
    """A short one is over before anything can be told of growth."""
    on_its_way: timedelta = count.IN_FLIGHT


async def run(scale: float = 1.0, seed: str = "") -> Report:
    """Ask in 1,000 threads in four and a half minutes; `scale` makes the run longer or shorter."""
    usual = Hour()
    plan = Hour(max(20, round(usual.threads * scale)), usual.seconds * scale, measures_growth=scale >= 0.5)
    return await carried_out("hour", seed, lambda folder, chosen: hour(plan, folder, chosen))


async def hour(plan: Hour, folder: Path, seed: str, known: Known = let_be) -> Report:
    """Carry a plan out in a folder of its own. `known` is called with the crowd before anybody asks."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    async with crowd(folder, SystemClock()) as here:
        known(here)
        people = [here.newcomer(chat) for chat in Chat for _ in range(plan.threads // 2)]
        weather = Weather(random.Random(f"{seed} weather"), plan.share)  # noqa: S311 - to be repeated
        async with program(here) as watched:
            weather.comes_over(here)
            began = here.clock.monotonic()
            missing = await _live(here, people, plan, rng)
            took = here.clock.monotonic() - began
        return _report(here, plan, weather, watched, seed=seed, took=took, missing=missing)


async def _live(here: Crowd, people: Sequence[Thread], plan: Hour, rng: random.Random) -> Sequence[str]:
    """Let everybody ask at their time, and go on asking; return what is still owed at the end."""
    try:
        async with asyncio.timeout(plan.seconds + plan.patience), asyncio.TaskGroup() as group:
            for thread in people:
                begins = rng.uniform(0, plan.seconds)
                pauses = [rng.uniform(0.1, plan.thinks) for _ in range(3) if rng.random() < plan.goes_on]
                group.create_task(_converse(here, thread, begins, pauses))
    except TimeoutError:
        return [f"lost: {len(here.questions) - here.answered} questions have no answer"]
    return await here.settled(plan.patience)


async def _converse(here: Crowd, thread: Thread, begins: float, pauses: Sequence[float]) -> None:
    await here.clock.sleep(begins)
    asked = await here.ask(thread)
    for pause in pauses:
        await here.answer(asked)
        await here.clock.sleep(pause)
        asked = await here.ask(thread)


def _report(
    here: Crowd,
    plan: Hour,
    weather: Weather,
    watched: Program,
    *,
    seed: str,
    took: float,
    missing: Sequence[str],
) -> Report:
    states = here.states()
    asked_for = count.announced(here.chats(), _RETRY_AFTER)
    kept = count.pauses(here.chats(), asked_for, on_its_way=plan.on_its_way)
    warm = len(here.questions) // 4
    memory, growth = watched.memory(warm)
    fewest, most, opened = watched.files(warm)
    figures = {
        "seed": seed,
        **count.tell(here, states),
        "faults met": f"{weather.met.total()} of {weather.requests} requests: {_told(weather.met)}",
        "429s, early calls": f"{kept.announced}, {len(kept.early)}; {len(kept.in_flight)} were in flight",
        "memory": f"{memory:.0f} MiB at the end, {growth:+.2f} MiB with each 1,000 questions",
        "open files": f"{fewest} to {most}, {opened:+g} from the first fifth of the time to the last",
        "questions a second": f"{len(here.questions) / took:.2f} in {took:.0f} s",
    }
    found = count.verdict(here, states, may_give_up=True)  # some questions meet one fault after the other
    grown = []
    if plan.measures_growth and growth > MOST_GROWTH:
        grown.append(f"memory grows by {growth:.1f} MiB with each 1,000 questions")
    if plan.measures_growth and opened > MOST_FILES:
        grown.append(f"open files have grown by {opened:g}")
    return Report("hour", figures, [*missing, *found, *kept.early, *grown])


def _told(met: Mapping[str, int]) -> str:
    places = Counter(kind.partition(" ")[0] for kind in met for _ in range(met[kind]))
    return ", ".join(f"{many} {place}" for place, many in places.most_common()) + f"; {len(met)} kinds"
