"""All that is read or written while questions live: none of it goes through a table that grows."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from sqlalchemy import Engine, event

from core.errors import CreditsSpent, RateLimited, Unavailable
from core.model import LaneId, Outcome, State
from core.ports import UnitOfWork
from core.services.allowances import Allowances
from core.services.retaining import Retaining
from core.store import Store, connect, migrate
from tests.fixtures.queued import at, enqueue
from tests.fixtures.world import ANA, BEN, CHAT, World, channel

_SCANS = tuple(f"SCAN {name}" for name in ("deliveries", "turns", "conversations", "parts", "lanes"))
# Read whole, these hold no more than what is under way, or waits for somebody.
_BOUNDED = tuple(f"ix_deliveries_{name}" for name in ("leased", "open", "aside", "kept"))

Said = dict[str, Any]


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'threadline.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


@contextmanager
def overheard(engine: Engine) -> Iterator[Said]:
    """Note each statement that the database is given, with the values it was last given with."""
    said: Said = {}

    def note(*call: Any) -> None:
        statement, values, is_many = call[2], call[3], call[5]
        said[statement] = values[0] if is_many else values

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def scans(engine: Engine, said: Said) -> list[tuple[str, str]]:
    """Return the statements for which a growing table is read from end to end, with where."""
    with engine.connect() as connection:
        steps = [
            (str(row[3]), statement)
            for statement, values in said.items()
            if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    return [told for told in steps if told[0].startswith(_SCANS) and not told[0].endswith(_BOUNDED)]


async def _live(world: World) -> None:
    """Have all kinds of questions asked, and all that may become of one come to one of them."""
    await world.leases.take_over()
    await world.linking.begin(CHAT)
    await world.ask("no project", thread="t0")
    await world.settle()
    await world.linking.link(channel(), world.shop, ANA)
    world.poster.limit = 10
    for number in range(3):
        await world.ask("one", thread=f"t{number}")
        await world.ask("and two", thread=f"t{number}", author=BEN)
    await world.settle()
    edited = world.last_question
    await world.amending.edited(edited)
    await world.amending.deleted(channel(), edited.message)
    await world.later(60)
    await world.ask("stopped", thread="t4")
    assert await world.ask("stop", thread="t4") is Outcome.STOPPED
    world.chat.script = [RateLimited(timedelta(seconds=90)), Unavailable(), CreditsSpent()]
    await world.ask("hard", thread="t5")
    for _ in range(4):
        await world.later(100)
    await world.reviewing.listed(State.BURIED)


async def _look(world: World) -> None:
    """Look at it as operators, catch-up and the daily tidying do."""
    now = world.clock.now()
    await world.transact(lambda uow: uow.deliveries.tally(now))
    await world.asking.ledger(CHAT, now - timedelta(hours=6))
    await world.collecting.kept(CHAT, ANA)
    await world.leases.sweep()
    world.clock.advance(timedelta(days=2).total_seconds())
    tidying = asyncio.create_task(
        Retaining(world.transact, world.clock, keep=timedelta(days=1)).forget_outlived()
    )
    await world.until(tidying.done)
    assert tidying.result() > 0


async def test_nothing_that_lives_goes_through_all_that_ever_was(engine: Engine) -> None:
    store = Store(engine)
    world = World(default=None, transact=store, budget=20, allowances=Allowances(9, 9, 9, 9))
    with overheard(engine) as said:
        await _live(world)
        await _look(world)
    await store.aclose()
    assert len(said) > 60
    assert scans(engine, said) == []


async def test_in_an_outage_closed_lanes_in_which_all_is_told_are_not_looked_through_one_by_one(
    engine: Engine,
) -> None:
    """Each workspace's key has a lane, and all of them close when the assistant is away."""
    store, asked = Store(engine), []
    await store(_close_many)
    event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    now, hour = at(30), timedelta(hours=1)
    assert await store(lambda uow: uow.deliveries.behind_pauses(now, now - hour, now - hour, 50)) == []
    assert await store(lambda uow: uow.deliveries.tell_paused(now, now, now, 20)) == []
    assert len([one for one in asked if one.startswith("SELECT")]) == 2
    late = await store(lambda uow: uow.deliveries.behind_pauses(now, now, now, 5))
    assert [delivery.id for delivery, _ in late] == [f"q{number}" for number in range(5)]
    await store.aclose()


def _close_many(uow: UnitOfWork) -> None:
    for number in range(9):
        lane = LaneId(f"key {number}")
        enqueue(uow, f"q{number}", lane=lane, told=True)
        uow.lanes.save(replace(uow.lanes.get(lane), away_since=at(0), paused_until=at(60)))
