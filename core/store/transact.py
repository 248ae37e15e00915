"""The store over SQLite: one writer thread commits what is waiting in groups, many questions to one fsync."""

import asyncio
import queue
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StoreUnavailable
from core.ports import UnitOfWork
from core.store.unit_of_work import SqlUnitOfWork

T = TypeVar("T")

_GROUP = 64


@dataclass(frozen=True, slots=True)
class _Job:
    """A piece of work, and where its caller waits. The types of the two agree by `Store.__call__`."""

    work: Callable[[UnitOfWork], Any]
    caller: "asyncio.Future[Any]"


@dataclass(frozen=True, slots=True)
class _Failed:
    """What a piece of work raised, in the place of its result."""

    error: BaseException


class Store:
    """A `Transact` over an engine for SQLite, which has room for one writer.

    What waits is run in one transaction, as a group. Where a piece of it fails all are rolled back, and each
    is run again under a savepoint of its own, so that one fails alone. Callers learn their results only
    after the commit; if that fails, all of them get StoreUnavailable.
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
        caller: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, caller))
        return await caller

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
                _tell(group, self._run([job.work for job in group]))
            if last:
                return

    def _next_group(self) -> tuple[list[_Job], bool]:
        """Wait for one job and take along what else is there; True with it when there is no more to come."""
        group: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            if not job.caller.cancelled():
                group.append(job)
            if len(group) >= _GROUP:
                return group, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _run(self, group: Sequence[Callable[[UnitOfWork], Any]]) -> list[Any]:
        try:
            with self._engine.begin() as connection:
                uow = SqlUnitOfWork(connection)
                return [work(uow) for work in group]
        except SQLAlchemyError as error:
            failed = _Failed(unavailable(error))
        except BaseException as error:  # noqa: BLE001 whatever it is, its caller sees it, and the writer lives
            failed = _Failed(error)
        return [failed] if len(group) == 1 else self._run_apart(group)

    def _run_apart(self, group: Sequence[Callable[[UnitOfWork], Any]]) -> list[Any]:
        try:
            with self._engine.begin() as connection:
                return [_attempt(connection, work) for work in group]
        except SQLAlchemyError as error:
            return [_Failed(unavailable(error))] * len(group)


def _tell(group: Sequence[_Job], results: Sequence[Any]) -> None:
    """Give the callers their results: each loop is woken once for all of its own."""
    told: defaultdict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = defaultdict(list)
    for job, result in zip(group, results, strict=True):
        told[job.caller.get_loop()].append((job.caller, result))
    for loop, its_own in told.items():
        with suppress(RuntimeError):  # a loop that is closed has nobody waiting
            loop.call_soon_threadsafe(_resolve, its_own)


def _resolve(results: Sequence[tuple["asyncio.Future[Any]", Any]]) -> None:
    for caller, result in results:
        if caller.done():  # cancelled meanwhile
            continue
        if isinstance(result, _Failed):
            caller.set_exception(result.error)
        else:
            caller.set_result(result)


def unavailable(error: SQLAlchemyError) -> StoreUnavailable:
    """Return what callers are told when the database did not take their work, in the driver's words."""
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    told = StoreUnavailable(f"{type(error).__name__}: {said}")
    told.__cause__ = error
    return told


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
        return _Failed(unavailable(error))
    except BaseException as error:  # noqa: BLE001 whatever it is, its caller sees it, and the writer lives
        savepoint.rollback()
        return _Failed(error)
    savepoint.commit()
    return result
