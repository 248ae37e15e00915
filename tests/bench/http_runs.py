"""Scenarios over Slack's signed HTTP: what is asked, how fast, and what is measured. One run each."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tests.bench.bed import Bed, Plan, Took, bed
from tests.bench.counting import Faults, acknowledgements
from tests.bench.journal import now
from tests.bench.programs import Name

_ACK_WITHIN = 3.0  #: seconds Slack waits for an acknowledgement


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one run, by name, and what went wrong in it."""

    figures: Mapping[str, float]
    faults: Faults


async def latency(name: Name, *, quick: bool) -> Measured:
    """20 questions a second, each in a thread of its own; the endpoint takes 300 ms."""
    plan = Plan(delay=0.3)

    async def ask(here: Bed) -> None:
        await _steadily(here, a_second=20, many=100 if quick else 300)

    took, here = await _run(name, plan, ask)
    return Measured(took.times(plan.delay) | _calls(took) | {"resident idle": here.idle}, took.faults())


async def saturation(name: Name, *, quick: bool) -> Measured:
    """64 threads in flight, the endpoint answers at once: whoever has an answer asks anew, in a new thread."""

    async def ask(here: Bed) -> None:
        await _closed_loop(here, at_once=64, seconds=3 if quick else 8)

    took, _ = await _run(name, Plan(), ask)
    return Measured(took.rates() | took.times(0.0) | _calls(took), took.faults())


async def crowd(name: Name, *, quick: bool) -> Measured:
    """500 threads at once, each going on as soon as it has its answer; the endpoint takes 2 s."""
    plan = Plan(delay=2.0, concurrency=500, connections=256)

    async def ask(here: Bed) -> None:
        await asyncio.gather(*(_conversation(here, turns=2 if quick else 3) for _ in range(500)))

    took, here = await _run(name, plan, ask)
    memory = {"resident idle": here.idle, "resident peak": here.child.use().peak}
    return Measured(took.rates() | took.times(plan.delay) | memory, took.faults())


async def rush(name: Name, *, quick: bool) -> Measured:
    """2,000 events at once, over 256 connections; the endpoint takes 300 ms. Time runs from the first."""
    plan = Plan(delay=0.3, concurrency=200, connections=256)

    async def ask(here: Bed) -> None:
        written = [here.slack.written() for _ in range(500 if quick else 2_000)]
        begin = now()
        for asked, _ in written:
            asked.sent = begin
        await asyncio.gather(*(here.slack.tell(asked, raw) for asked, raw in written))
        await here.journal.all_answered([asked for asked, _ in written], here.plan.patience)

    took, _ = await _run(name, plan, ask)
    in_time = sum(one <= _ACK_WITHIN for one in acknowledgements(took.asked))
    share = {"acknowledged within 3 s, %": 100 * in_time / len(took.asked)}
    return Measured(share | took.times(plan.delay) | took.rates(), took.faults())


async def _run(
    name: Name, plan: Plan, ask: Callable[[Bed], Awaitable[None]]
) -> tuple[Took, Bed]:
    async with bed(name, plan) as here:
        return await here.measured(lambda: asyncio.ensure_future(ask(here))), here


async def _steadily(here: Bed, *, a_second: int, many: int) -> None:
    """Ask at even distances, however long answers take."""
    begin, loop = now(), asyncio.get_running_loop()
    asking = []
    for number in range(many):
        await asyncio.sleep(begin + number / a_second - now())
        asking.append(loop.create_task(here.slack.ask()))
    asked = await asyncio.gather(*asking)
    await here.journal.all_answered(asked, here.plan.patience)


async def _closed_loop(here: Bed, *, at_once: int, seconds: float) -> None:
    """Have so many people ask, each anew when they have their answer."""
    end = now() + seconds

    async def one_after_the_other() -> None:
        while now() < end:
            asked = await here.slack.ask()
            if not await here.journal.answered(asked, here.plan.patience):
                return

    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))


async def _conversation(here: Bed, *, turns: int) -> None:
    opening = await here.slack.ask()
    await here.journal.answered(opening, here.plan.patience)
    for turn in range(2, turns + 1):
        asked = await here.slack.ask(opening, turn)
        if not await here.journal.answered(asked, here.plan.patience):
            return


def _calls(took: Took) -> dict[str, float]:
    """Return calls of Slack's and new connections per answer; look-ups, which are cached, apart."""
    many = max(1, sum(one.marker is not None for one in took.posted))
    looks = sum(count for method, count in took.methods.items() if _looks_up(method))
    return {
        "Slack calls/answer": (took.methods.total() - looks) / many,
        "look-ups/answer": looks / many,
        "new connections/answer": took.connections.total() / many,
    }


def _looks_up(method: str) -> bool:
    return method.startswith(("users.", "conversations.", "auth."))
