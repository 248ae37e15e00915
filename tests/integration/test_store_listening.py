"""Processes over one PostgreSQL server wake one another, also after the server has been away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from core.clock import SystemClock
from core.store import Wakes, connect
from core.testing import SettableClock
from tests.fixtures.postgres import Postgres

_SOON = 10.0


@dataclass
class Listener:
    """A process that counts how often it was woken."""

    wakes: Wakes
    woken: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        self.woken += 1
        self._changed.set()

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(_SOON):
            while not happened():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def _listening(url: str, clock: SystemClock | SettableClock) -> AsyncIterator[Listener]:
    """Give a process that listens, from its first wake on: that of having connected."""
    engine = connect(url)
    one = Listener(Wakes(engine, clock))
    task = asyncio.create_task(one.wakes.listen(one.wake))
    try:
        await one.until(lambda: one.woken == 1)
        yield one
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await one.wakes.aclose()
        engine.dispose()


@pytest_asyncio.fixture
async def telling(postgres_url: str) -> AsyncIterator[Wakes]:
    engine = connect(postgres_url)
    wakes = Wakes(engine, SystemClock())
    yield wakes
    await wakes.aclose()
    engine.dispose()


async def test_what_one_process_tells_the_others_hear_and_itself_does_not(postgres_url: str) -> None:
    clock = SystemClock()
    async with _listening(postgres_url, clock) as one, _listening(postgres_url, clock) as other:
        one.wakes.notify()
        await other.until(lambda: other.woken == 2)
        other.wakes.notify()
        await one.until(lambda: one.woken == 2)
        assert (one.woken, other.woken) == (2, 2)


async def test_what_is_told_many_times_at_once_is_heard_a_few_times(
    postgres_url: str, telling: Wakes
) -> None:
    async with _listening(postgres_url, SystemClock()) as one:
        for _ in range(500):
            telling.notify()
        await telling.aclose()
        await one.until(lambda: one.woken >= 2)
        assert one.woken < 100
        telling.notify()  # as may happen while a process ends
        assert one.woken < 100


async def test_after_the_server_was_away_it_listens_again_and_looks_for_what_it_missed(
    postgres: Postgres, postgres_url: str, telling: Wakes
) -> None:
    if not postgres.is_ours:
        pytest.skip("a server of somebody else is not to be restarted")
    clock = SettableClock()
    async with _listening(postgres_url, clock) as one:
        postgres.kill()
        telling.notify()
        await telling.aclose()  # nobody heard it, and nobody minds
        postgres.restart()
        assert one.woken == 1
        async with asyncio.timeout(_SOON):
            while one.woken == 1:
                clock.advance(1)
                await asyncio.sleep(0)
        engine = connect(postgres_url)
        later = Wakes(engine, clock)
        later.notify()
        await one.until(lambda: one.woken == 3)
        await later.aclose()
        engine.dispose()
