"""One writer thread that commits what is waiting in groups: many accepted questions, one fsync."""

import asyncio
import queue
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StoreUnavailable
from core.ports import UnitOfWork
from core.store.unit_of_work import SqlUnitOfWork

T = TypeVar("T")

_GROUP = 64

# A caller's work and where its result goes; the types of the two agree by `Store.__call__`.
_Job = tuple[Callable[[UnitOfWork], Any], "Future[Any]"]


class Store:
    """A `Transact` over a SQLAlchemy engine.

    Each piece of work runs under a savepoint of its own: one that fails rolls back alone. Callers learn
    their results only after the group's commit; if that fails, all of them get StoreUnavailable.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closed = False
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = Thread(target=self._serve, name="store", daemon=True)
        self._thread.start()

    async def __call__(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` in a transaction. A cancelled caller misses its result, never half of the work."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        future: Future[T] = Future()
        self._jobs.put((work, future))
        return await asyncio.wrap_future(future)

    async def aclose(self) -> None:
        """Finish what is waiting, then close the connection."""
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._engine.dispose()

    def _serve(self) -> None:
        while True:
            group, last = self._next_group()
            if group:
                self._run(group)
            if last:
                return

    def _next_group(self) -> tuple[list[_Job], bool]:
        """Wait for one job and take along what else is there; True with it when there is no more to come."""
        group: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            if job[1].set_running_or_notify_cancel():
                group.append(job)
            if len(group) >= _GROUP:
                return group, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _run(self, group: list[_Job]) -> None:
        try:
            with self._engine.begin() as connection:
                results = [_attempt(connection, work) for work, _ in group]
        except SQLAlchemyError as error:
            results = [_unavailable(error)] * len(group)
        for (_, future), result in zip(group, results, strict=True):
            if isinstance(result, _Failed):
                future.set_exception(result.error)
            else:
                future.set_result(result)


class _Failed:
    """What a piece of work raised, in the place of its result."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _unavailable(error: SQLAlchemyError) -> _Failed:
    unavailable = StoreUnavailable(f"{type(error).__name__}: {getattr(error, 'orig', None) or error}")
    unavailable.__cause__ = error
    return _Failed(unavailable)


def _attempt(connection: Connection, work: Callable[[UnitOfWork], Any]) -> Any:
    """Return what `work` returned, or how it failed, after rolling it back.

    Raises SQLAlchemyError when even that is impossible: then the database has ended the whole transaction
    by itself (SQLite does when the disk is full), and nothing of the group is left to be committed.
    """
    savepoint = connection.begin_nested()
    try:
        result = work(SqlUnitOfWork(connection))
    except SQLAlchemyError as error:
        try:
            savepoint.rollback()
        except SQLAlchemyError:
            raise error from None
        return _unavailable(error)
    except BaseException as error:  # noqa: BLE001 whatever it is, its caller sees it, and the writer lives
        savepoint.rollback()
        return _Failed(error)
    savepoint.commit()
    return result
