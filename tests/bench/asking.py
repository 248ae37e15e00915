"""How questions come: at even distances, in closed loops, all at once, one after the other in a thread."""

import asyncio
from collections.abc import Sequence

from tests.bench.bed import Bed
from tests.bench.counting import Asked
from tests.bench.journal import now


async def steadily(here: Bed, *, a_second: float, many: int) -> None:
    """Have new threads begun at even distances, however long answers take."""
    begun = now()
    asking = []
    for number in range(many):
        await asyncio.sleep(begun + number / a_second - now())
        asking.append(asyncio.create_task(here.side.ask()))
    await _answered(here, await asyncio.gather(*asking))


async def closed_loop(here: Bed, *, at_once: int, seconds: float) -> None:
    """Have so many people ask, each anew in a new thread when they have their answer."""
    end = now() + seconds

    async def one_after_the_other() -> None:
        while now() < end and await here.journal.answered(await here.side.ask(), here.plan.patience):
            pass

    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))


async def at_once(here: Bed, *, many: int) -> None:
    """Have so many threads begun in the same moment."""
    await _answered(here, await asyncio.gather(*(here.side.ask() for _ in range(many))))


async def begin(here: Bed, *, threads: int, until: int) -> None:
    """Have so many threads begun, each of which goes on to a turn as soon as it has its answers."""

    async def conversation() -> None:
        await _go_on(here, await here.side.ask(), 1, until)

    await asyncio.gather(*(conversation() for _ in range(threads)))


async def all_go_on(here: Bed, openings: Sequence[Asked], after: int, until: int) -> None:
    """Have threads go on from what follows one turn to another turn."""
    await asyncio.gather(*(_go_on(here, opening, after, until) for opening in openings))


async def _go_on(here: Bed, opening: Asked, after: int, until: int) -> None:
    asked = opening
    for turn in range(after + 1, until + 1):
        if not await here.journal.answered(asked, here.plan.patience + here.plan.delay):
            return
        asked = await here.side.ask(opening, turn)
    await here.journal.answered(asked, here.plan.patience + here.plan.delay)


async def in_quick_succession(here: Bed, *, threads: int, each: int) -> None:
    """Have each thread get its questions as fast as they are taken in, without a look at the answers."""

    async def hastily() -> list[Asked]:
        opening = await here.side.ask()
        return [opening, *[await here.side.ask(opening, turn) for turn in range(2, each + 1)]]

    hasty = await asyncio.gather(*(hastily() for _ in range(threads)))
    await _answered(here, [asked for ones in hasty for asked in ones])


async def _answered(here: Bed, asked: list[Asked]) -> None:
    await here.journal.all_answered(asked, here.plan.patience + here.plan.delay, here.plan.limit)
