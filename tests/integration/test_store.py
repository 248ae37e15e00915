"""The store over a real SQLite file: commits in groups, and what it says when disk or lock fail it."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import StoreUnavailable
from core.model import Conversation, DeliveryId, LaneId
from core.ports import UnitOfWork
from core.store import Store, connect, migrate
from tests.fixtures.gate import Gate, cancelled_midway
from tests.fixtures.queued import KEY, NOW, SHOP, Work, enqueue, thread


class Spilt(Exception):
    """What a piece of work may raise."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(_url(tmp_path), busy_ms=20)
    migrate(engine)
    yield engine
    engine.dispose()


async def test_pieces_that_wait_are_committed_together_and_a_failing_one_rolls_back_alone(
    engine: Engine,
) -> None:
    commits = _count(engine, "commit")
    store = Store(engine)
    gate = Gate(store)
    await gate.entered()

    def spill(uow: UnitOfWork) -> None:
        enqueue(uow, "spilt")
        raise Spilt

    asked = [asyncio.ensure_future(store(work)) for work in (_opening("a"), spill, _twice, _opening("b"))]
    await asyncio.sleep(0)
    await gate.let_go()
    first, spilt, refused, last = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(spilt, Spilt)
    assert isinstance(refused, StoreUnavailable)
    assert len(commits) == 2
    for name, opened in (("a", first), ("b", last)):
        assert await store(_finding(name)) == opened
    for name in ("t-spilt", "t-one"):
        assert await store(_finding(name)) is None
    await store.aclose()


async def test_callers_learn_nothing_before_the_commit(engine: Engine) -> None:
    committing, proceed = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        committing.set()
        assert proceed.wait(5)

    event.listen(engine, "commit", hold)
    store = Store(engine)
    asked = asyncio.ensure_future(store(_opening("a")))
    assert await asyncio.to_thread(committing.wait, 5)
    await asyncio.sleep(0)
    assert not asked.done()
    proceed.set()
    assert (await asked).thread == thread("a")
    await store.aclose()


async def test_more_than_one_group_is_worked_off(engine: Engine) -> None:
    commits = _count(engine, "commit")
    store = Store(engine)
    gate = Gate(store)
    await gate.entered()
    asked = [asyncio.ensure_future(store(_opening(f"t{number}"))) for number in range(100)]
    await asyncio.sleep(0)
    await gate.let_go()
    assert len({one.id for one in await asyncio.gather(*asked)}) == 100
    assert len(commits) == 3
    await store.aclose()


async def test_fifty_questions_at_once_are_all_kept(engine: Engine) -> None:
    store = Store(engine)
    await asyncio.gather(*(store(_enqueuing(f"q{number}")) for number in range(50)))
    tally = await store(lambda uow: uow.deliveries.tally(NOW))
    assert sum(tally.by_state.values()) == 50
    await store.aclose()


async def test_a_cancelled_caller_takes_its_waiting_work_with_it(engine: Engine) -> None:
    store = Store(engine)
    gate = Gate(store)
    await gate.entered()
    asked = asyncio.ensure_future(store(_opening("a")))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait([asked])
    await asyncio.sleep(0)  # only then does the store hear of it
    await gate.let_go()
    assert await store(lambda uow: uow.conversations.get(thread("a"))) is None
    assert asked.cancelled()
    await store.aclose()


async def test_work_whose_caller_is_cancelled_midway_is_still_done_whole(engine: Engine) -> None:
    store = Store(engine)
    with pytest.raises(asyncio.CancelledError):
        await (await cancelled_midway(store))
    for name in ("a", "b"):
        assert await store(_finding(name)) is not None
    await store.aclose()


async def test_closing_finishes_what_waits_and_then_refuses(engine: Engine, tmp_path: Path) -> None:
    store = Store(engine)
    gate = Gate(store)
    await gate.entered()
    asked = [asyncio.ensure_future(store(_opening(name))) for name in "abc"]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(store.aclose())
    await asyncio.sleep(0)
    await gate.let_go()
    await closing
    assert [(await one).thread for one in asked] == [thread(name) for name in "abc"]
    with pytest.raises(StoreUnavailable, match="closed"):
        await store(_opening("d"))
    await store.aclose()
    again = Store(connect(_url(tmp_path)))
    assert await again(lambda uow: uow.conversations.get(thread("c"))) == await asked[2]
    await again.aclose()


async def test_a_locked_database_is_unavailable_and_then_available_again(
    engine: Engine, tmp_path: Path
) -> None:
    store = Store(engine)
    other = sqlite3.connect(tmp_path / "threadline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await store(_opening("a"))
    other.execute("ROLLBACK")
    other.close()
    assert (await store(_opening("a"))).thread == thread("a")
    await store.aclose()


async def test_on_a_full_disk_nobody_is_told_that_their_work_was_kept(engine: Engine) -> None:
    """SQLite ends the whole transaction when the disk is full, the earlier pieces of the group included."""
    event.listen(engine, "connect", _almost_full)
    engine.dispose()
    store = Store(engine)
    gate = Gate(store)
    await gate.entered()
    pieces = (_opening("a"), _filling, _opening("b"))
    asked = [asyncio.ensure_future(store(work)) for work in pieces]
    await asyncio.sleep(0)
    await gate.let_go()
    for refused in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(refused, StoreUnavailable)
        assert "full" in str(refused)
    for name in ("a", "b"):
        assert await store(_finding(name)) is None
    await store.aclose()


async def test_an_exit_in_a_piece_of_work_reaches_its_caller_and_the_writer_lives(engine: Engine) -> None:
    store = Store(engine)

    def leave(_: UnitOfWork) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await store(leave)
    assert (await store(_opening("a"))).thread == thread("a")
    await store.aclose()


async def test_what_is_kept_survives_reopening(engine: Engine, tmp_path: Path) -> None:
    store = Store(engine)
    conversation = await store(lambda uow: enqueue(uow, "one"))
    await store(lambda uow: uow.deliveries.store_parts(DeliveryId("one"), ["part"]))
    before = await store(lambda uow: uow.deliveries.head(conversation.id))
    await store.aclose()
    again = Store(connect(_url(tmp_path)))
    assert await again(lambda uow: uow.deliveries.head(conversation.id)) == before
    assert (await again(lambda uow: uow.deliveries.parts(DeliveryId("one"))))[0].text == "part"
    assert (await again(lambda uow: uow.lanes.get(KEY))).id == LaneId("key")
    await again.aclose()


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'threadline.db'}"


def _opening(name: str) -> Work[Conversation]:
    return lambda uow: uow.conversations.open(thread(name), SHOP)


def _finding(name: str) -> Work[Conversation | None]:
    return lambda uow: uow.conversations.get(thread(name))


def _enqueuing(name: str) -> Work[Conversation]:
    return lambda uow: enqueue(uow, name)


def _twice(uow: UnitOfWork) -> None:
    enqueue(uow, "one")
    enqueue(uow, "one")


def _filling(uow: UnitOfWork) -> None:
    uow.deliveries.store_parts(DeliveryId("one"), ["x" * 1_000_000])


def _almost_full(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA page_count")
    (pages,) = cursor.fetchall()[0]
    cursor.execute(f"PRAGMA max_page_count={pages + 5}")
    cursor.close()


def _count(engine: Engine, what: str) -> list[Connection]:
    seen: list[Connection] = []
    append: Callable[[Connection], None] = seen.append
    event.listen(engine, what, append)
    return seen
