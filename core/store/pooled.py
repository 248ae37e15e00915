"""The store over PostgreSQL: a few threads with a connection each, one transaction per piece of work."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from core.errors import StoreUnavailable
from core.ports import UnitOfWork
from core.store.postgres import AT_ONCE
from core.store.transact import Store, unavailable
from core.store.unit_of_work import SqlUnitOfWork

T = TypeVar("T")

#: So often a piece of work is begun, if others get in its way each time.
_TRIES = 5
# Another transaction was in the way, or wrote first what is to be there once: begun again, it is seen.
_IN_THE_WAY = frozenset({"40001", "40P01", "23505"})


class PooledStore:
    """A `Transact` over an engine for PostgreSQL, which groups the commits of many transactions itself.

    A deadlock, a row that another process has just inserted, or a connection that turns out to be lost before
    the commit is no failure: the piece of work is run again, in a new transaction.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closed = False
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="store")

    async def __call__(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` in a transaction. A cancelled caller misses its result, never half of the work."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        return await asyncio.wrap_future(self._threads.submit(self._run, work))

    async def aclose(self) -> None:
        """Finish what is waiting, then close the connections."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    def _run(self, work: Callable[[UnitOfWork], T]) -> T:
        for _ in range(_TRIES - 1):
            try:
                return self._attempt(work)
            except _Again:
                continue
        try:
            return self._attempt(work)
        except _Again as again:
            raise unavailable(again.error) from again.error

    def _attempt(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` once. Raises _Again where that did nothing, and may do better."""
        try:
            with self._engine.connect() as connection:
                with connection.begin() as transaction:
                    result = _within(connection, work)
                    transaction.commit()
                return result
        except SQLAlchemyError as error:
            raise unavailable(error) from error


class _Again(Exception):
    """The transaction was rolled back for no fault of the work's own."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__()
        self.error = error


def _within(connection: Connection, work: Callable[[UnitOfWork], T]) -> T:
    try:
        return work(SqlUnitOfWork(connection))
    except DBAPIError as error:
        if error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _IN_THE_WAY:
            raise _Again(error) from error
        raise


def open_store(engine: Engine) -> Store | PooledStore:
    """Return the store for an engine of `connect`."""
    return PooledStore(engine) if engine.dialect.name == "postgresql" else Store(engine)
