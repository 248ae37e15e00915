"""Lets questions come as they like over a slow loopback, and stops the clock at a chance moment."""

import asyncio
import random

from tests.faults.crash.rows import WriteLock
from tests.faults.crash.town import Town

QUESTIONS = 20
_SLOWEST = (0.01, 0.05, 0.15)  #: seconds a message is kept at most, one of these for a kill
_MESSAGES = (10, 130)  #: how many requests pass before the kill


async def run_wild(town: Town, rng: random.Random) -> WriteLock | None:
    """Ask twenty questions at once; return at the moment of the kill, half the time with the write lock."""
    town.keeper.slowest = rng.choice(_SLOWEST)
    known = list(town.questions)
    enough = len(town.keeper.passages) + rng.randint(*_MESSAGES)
    for _ in range(QUESTIONS):
        thread = rng.choice(known) if known and rng.random() < 0.4 else None
        known.append(await town.ask(thread=thread, parts=rng.choice((1, 1, 1, 2, 3))))
    await until_busy(town, enough)
    if rng.random() < 0.5:
        return None
    lock = await asyncio.to_thread(WriteLock, town.database)
    await asyncio.to_thread(lock.take)
    await until_busy(town, len(town.keeper.passages) + rng.randint(1, 15), seconds=1.0)
    return lock


async def until_busy(town: Town, enough: int, seconds: float = 2.0) -> None:
    """Return once so many requests have come to the doors in all, or that time is over."""
    try:
        async with asyncio.timeout(seconds):
            await town.until(lambda: len(town.keeper.passages) >= enough)
    except TimeoutError:
        return
