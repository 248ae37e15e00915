"""Statements on the driver's own cursor fail as any others do: callers learn that nothing was done."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection, Engine, event

from core.errors import StoreUnavailable
from core.model import Conversation, Delivery, DeliveryId, State
from core.ports import UnitOfWork
from core.store import PooledStore, Store, connect, migrate, open_store
from tests.fixtures.queued import SHOP, Work, enqueue, thread


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    if request.param == "sqlite":
        engine = connect(f"sqlite:///{tmp_path / 'threadline.db'}")
        migrate(engine)
    else:
        engine = connect(request.getfixturevalue("postgres_url"))
    yield engine
    engine.dispose()


@pytest_asyncio.fixture
async def store(engine: Engine) -> AsyncIterator[Store | PooledStore]:
    store = open_store(engine)
    yield store
    await store.aclose()


#: What no driver can make a value of, though its database keeps it.
_UNREADABLE = {
    "sqlite": "UPDATE deliveries SET author = CAST(X'ff' AS TEXT)",
    "postgresql": "UPDATE deliveries SET due_at = 'infinity'",
}


def _getting(uow: UnitOfWork) -> Delivery | None:
    return uow.deliveries.get(DeliveryId("a"))


def _listing(uow: UnitOfWork) -> Sequence[Delivery]:
    return uow.deliveries.listed(State.BURIED, 10)


@pytest.mark.parametrize("ask", [_getting, _listing])
async def test_a_row_that_cannot_be_read_is_told_as_a_fault_of_the_store(
    store: Store | PooledStore, engine: Engine, ask: Work[object]
) -> None:
    """Drivers make values of what they are sent when it is fetched; SQLite goes on to search then, too."""
    await store(lambda uow: enqueue(uow, "a", state=State.BURIED))
    with engine.begin() as connection:
        connection.exec_driver_sql(_UNREADABLE[engine.dialect.name])
    with pytest.raises(StoreUnavailable):
        await store(ask)
    assert (await store(_opening("b"))).thread == thread("b")


async def test_a_connection_that_turns_out_to_be_closed_costs_no_answer_and_no_other_connection(
    postgres_url: str,
) -> None:
    """What others work on stays in the pool, to be closed with it: it is not left to whoever finds it."""
    engine = connect(postgres_url)
    store = PooledStore(engine)
    await store(_opening("a"))
    begun, go_on = threading.Event(), threading.Event()

    def at_length(uow: UnitOfWork) -> Conversation | None:
        begun.set()
        go_on.wait(5)
        return uow.conversations.get(thread("a"))

    beside = asyncio.create_task(store(at_length))
    await asyncio.to_thread(begun.wait, 5)
    event.listen(engine, "begin", _close, once=True)
    assert await store(_finding("a")) is not None
    go_on.set()
    assert await beside is not None
    await store.aclose()
    gc.collect()  # a connection that nobody closed complains now


def _close(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.close()


def _opening(name: str) -> Work[Conversation]:
    return lambda uow: uow.conversations.open(thread(name), SHOP)


def _finding(name: str) -> Work[Conversation | None]:
    return lambda uow: uow.conversations.get(thread(name))
