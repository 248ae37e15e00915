"""The stores that the machine runs over, each made fresh; one more is one more entry in `STORES`."""

import asyncio
import atexit
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TypeVar

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from core.ports import Transact, UnitOfWork
from core.store import connect, open_store
from core.testing import MemoryStore
from tests.fixtures.database import empty_database
from tests.fixtures.postgres import Postgres, server

T = TypeVar("T")
Opened = Callable[[], AbstractContextManager[Transact]]


class Blocking:
    """A `Store` whose transactions happen at one moment of the machine's loop.

    The store lives on a loop of its own, and the machine's waits for it, so that each run goes the same way.
    """

    def __init__(self, engine: Engine) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="machine's store", daemon=True)
        self._thread.start()
        self._store = open_store(engine)

    async def __call__(self, work: Callable[[UnitOfWork], T]) -> T:
        await asyncio.sleep(0)
        return asyncio.run_coroutine_threadsafe(self._store(work), self._loop).result()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._store.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def memory() -> Iterator[Transact]:
    """Give the twin."""
    yield MemoryStore()


@contextmanager
def sqlite() -> Iterator[Transact]:
    """Give the real store over a temporary file. Power is never lost here: nothing waits for the disk."""
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(empty_database(Path(folder)))
        event.listen(engine, "connect", _hasty)
        store = Blocking(engine)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def postgres() -> Iterator[Transact]:
    """Give the real store over the tests' PostgreSQL server."""
    store = Blocking(connect(_server().emptied()))
    try:
        yield store
    finally:
        store.close()


STORES: Mapping[str, Opened] = {"memory": memory, "sqlite": sqlite, "postgres": postgres}


@cache
def _server() -> Postgres:
    """Return a server that is begun once, and stopped when the process ends."""
    until_the_end = ExitStack()
    atexit.register(until_the_end.close)
    return until_the_end.enter_context(server())


def _hasty(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()
