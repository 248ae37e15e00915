"""What this process holds: leases are short, renewed by the living, and checked before each deed."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from core.clock import Clock
from core.errors import LeaseLost, StoreUnavailable
from core.model import Delivery, DeliveryId, Platform, State, WorkspaceId
from core.ports import Transact, UnitOfWork
from core.services.overtaking import trim

T = TypeVar("T")
log = structlog.get_logger(__name__)

#: Short, so that recovery never waits for the assistant's slowness.
LEASE = timedelta(seconds=8)
RENEW_EVERY = 2.5  #: seconds
#: So far ahead of now, what the last process wrote was written by another clock.
_AHEAD = timedelta(seconds=5)
_EVER = timedelta(days=36_500)
#: How long a transaction that must not be lost is tried again before it is left to the next holder.
_PERSIST_WAITS = (0.1, 0.4, 1.0, 2.0, 3.0, 3.0)


@dataclass(slots=True)
class _Held:
    delivery: Delivery
    task: "asyncio.Task[None]"
    renewed: float  #: monotonic seconds


class Leases:
    """The deliveries that live tasks of this process hold."""

    def __init__(self, transact: Transact, clock: Clock) -> None:
        self._transact = transact
        self._clock = clock
        self._held: dict[DeliveryId, _Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def end(self) -> datetime:
        """Return when a lease taken or renewed now will end."""
        return self._clock.now() + LEASE

    def hold(self, delivery: Delivery, task: asyncio.Task[None], *, since: float) -> None:
        """Note a delivery that was claimed, and the task that walks it.

        `since`: the monotonic time from which its lease counts, before the claim was committed.
        """
        self._held[delivery.id] = _Held(delivery, task, since)

    def drop(self, delivery: Delivery) -> None:
        """Forget a delivery whose task has ended; if it was claimed anew meanwhile, that claim stays."""
        held = self._held.get(delivery.id)
        if held is not None and held.delivery is delivery:
            del self._held[delivery.id]

    def walking(self, delivery: Delivery) -> "asyncio.Task[None] | None":
        """Return the task that still walks an earlier claim of a delivery."""
        held = self._held.get(delivery.id)
        return None if held is None else held.task

    def tasks(self) -> list["asyncio.Task[None]"]:
        """Return the tasks that walk what is held."""
        return [held.task for held in self._held.values()]

    def cut_off(self, delivery: DeliveryId) -> "asyncio.Task[None] | None":
        """Cancel the task that walks a delivery, as there is nothing to be walked any more; return it."""
        held = self._held.get(delivery)
        if held is None:
            return None
        held.task.cancel()
        return held.task

    def held_for(self, platform: Platform, workspace: WorkspaceId) -> Sequence[DeliveryId]:
        """Return the deliveries of a workspace that are held here."""
        theirs = ((one.delivery.id, one.delivery.thread) for one in self._held.values())
        return [id_ for id_, thread in theirs if (thread.platform, thread.workspace) == (platform, workspace)]

    async def take_over(self) -> int:
        """As the only process, at its start: free what the last one held; return how much that was."""
        return await self._transact(lambda uow: take_over(uow, self._clock.now()))

    async def beat(self) -> Sequence[Delivery]:
        """Renew every held lease; the task of one that was lost is cancelled.

        Return those that were lost because they were cancelled, by another process: nobody has them now.
        """
        held = list(self._held.values())
        if not held:
            return ()
        at, until = self._clock.monotonic(), self.end()
        asked = [one.delivery for one in held]

        def work(uow: UnitOfWork) -> tuple[Collection[DeliveryId], Sequence[Delivery]]:
            renewed = set(uow.deliveries.renew(asked, until))
            lost = [one for one in asked if one.id not in renewed]
            return renewed, [one for one in lost if _is_cancelled(uow.deliveries.get(one.id))]

        kept, cancelled = await self._transact(work)
        for one in held:
            if one.delivery.id in kept:
                one.renewed = at
            elif self._held.get(one.delivery.id) is one:
                log.warning("lease lost, delivery cancelled", delivery=one.delivery.id)
                one.task.cancel()
        return cancelled

    async def sweep(self) -> int:
        """Return to the queue what dead holders have let expire; return how many.

        What came for a thread that has not become ours is forgotten.
        """
        held = set(self._held)

        def work(uow: UnitOfWork) -> int:
            now = self._clock.now()
            freed = uow.deliveries.release_expired(now, held)
            trim(uow, now)
            return freed

        return await self._transact(work)

    async def check(self, delivery: Delivery) -> None:
        """Make sure that the lease is still ours: called right before each question and each post.

        Raises LeaseLost if it is not. A process that was stopped past its lease learns it here.
        """
        held = self._held.get(delivery.id)
        if held is None or held.delivery.fence != delivery.fence:
            raise LeaseLost
        if self._clock.monotonic() - held.renewed >= LEASE.total_seconds() / 2:
            await self.confirm(delivery)

    async def confirm(self, delivery: Delivery) -> None:
        """Renew the lease, however young it is: another process may have cancelled, or purged, what it is of.

        Called after what takes time, where no transaction comes before the deed. Raises LeaseLost.
        """
        held, until = self._held.get(delivery.id), self.end()
        at = self._clock.monotonic()
        if held is None or not await self._transact(lambda uow: uow.deliveries.renew([delivery], until)):
            raise LeaseLost
        held.renewed = at

    async def persist(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run a transaction whose result has been paid for, through a short absence of the database.

        Raises StoreUnavailable after about ten seconds, and whatever else `work` raises at once.
        """
        for wait in _PERSIST_WAITS:
            try:
                return await self._transact(work)
            except StoreUnavailable as error:
                log.warning("store unavailable, will try again", error=str(error))
                await self._clock.sleep(wait)
        return await self._transact(work)


def _is_cancelled(found: Delivery | None) -> bool:
    return found is not None and found.state is State.CANCELLED


def take_over(uow: UnitOfWork, now: datetime) -> int:
    """Free what a process held that has ended, and that was the only one; return how much that was.

    Where its clock was ahead of ours, what it wrote would wait until ours comes there: it is set back.
    """
    freed = uow.deliveries.release_expired(now + _EVER, ())
    for lane in uow.deliveries.tally(now).lanes.values():
        if lane.away_since is not None and lane.paused_since is None:
            uow.lanes.save(replace(lane, paused_until=None))  # a start is a reason to look again
    newest = uow.deliveries.newest()
    if newest is not None and newest - now > _AHEAD:
        log.warning("the clock was ahead when this was written", seconds=(newest - now).total_seconds())
        uow.deliveries.set_back(newest - now, now)
    return freed
