"""The loop that takes what is due and walks it to its next resting place. It can die anywhere."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from core.clock import Clock
from core.errors import BrokenAnswer, LeaseLost, StoreUnavailable, ThreadlineError
from core.model import Delivery, Lane, Mark, Platform, State, WorkspaceId
from core.ports import Transact, UnitOfWork
from core.services.answering import Answering, Owed
from core.services.failing import TELL_AWAY_FROM, TELL_FROM
from core.services.leases import RENEW_EVERY, Leases
from core.services.marking import Marking
from core.services.posting import Posting
from core.services.preparing import Prepared
from core.services.rush import Rush

log = structlog.get_logger(__name__)

SWEEP_EVERY = 1.0  #: seconds
_AT_ONCE = 1_000  #: deliveries one process walks at the same time
_FRESH = 0.25  #: seconds for which what was read with a claim may be sent unread
_TOLD_AT_ONCE = 20  #: threads told of a pause before the next look


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A delivery that was just claimed; if it is to be asked, with what to send."""

    delivery: Delivery
    prepared: Prepared | None


@dataclass(frozen=True, slots=True)
class _Aside:
    """What is to be told beside the answers."""

    untold: Sequence[tuple[Delivery, Lane]] = ()
    marks: Sequence[tuple[Delivery, Mark]] = ()


_NOTHING = _Aside()


class Delivering:
    """Claims what is due and has it answered and posted, until stopped."""

    def __init__(
        self,
        transact: Transact,
        clock: Clock,
        leases: Leases,
        answering: Answering,
        posting: Posting,
        *,
        marking: Marking,
        concurrency: int,
        on_next_due: Callable[[datetime | None], None],
    ) -> None:
        self._transact = transact
        self._clock = clock
        self._leases = leases
        self._answering = answering
        self._posting = posting
        self._marking = marking
        self._concurrency = concurrency
        self._on_next_due = on_next_due
        self.rush = Rush(clock)
        self._wake = asyncio.Event()
        self._stopping = False
        self._telling: asyncio.Task[None] | None = None
        self._clearing: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look for due work now: called after each accepted question, and when something falls due."""
        self._wake.set()

    async def run(self) -> None:
        """Work until `stop` is called; then return, with what was under way left running."""
        beating = asyncio.create_task(self._beat())
        beating.add_done_callback(lambda _: self._wake.set())
        try:
            while not self._stopping:
                if beating.done():
                    beating.result()  # nothing may go on unrenewed
                self._wake.clear()
                await self._round()
                await self._wake.wait()
        finally:
            beating.cancel()
            telling = [] if self._telling is None else [self._telling]
            await asyncio.gather(beating, *telling, *self._clearing, return_exceptions=True)

    def cancelled(self, deliveries: Sequence[Delivery]) -> None:
        """End what is under way here for deliveries that were cancelled, and take away what was shown."""
        cut_off = [self._leases.cut_off(delivery.id) for delivery in deliveries]
        ending = [task for task in cut_off if task is not None]
        clearing = asyncio.create_task(self._clear(deliveries, ending))
        self._clearing.add(clearing)
        clearing.add_done_callback(self._clearing.discard)

    def purged(self, platform: Platform, workspace: WorkspaceId) -> None:
        """End what is under way here for a workspace of which nothing is left."""
        for delivery in self._leases.held_for(platform, workspace):
            self._leases.cut_off(delivery)

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping = True
        self._wake.set()

    async def drain(self, seconds: float) -> int:
        """Wait that long for what is under way, then cut it off; return how many were cut off.

        What is cut off stays leased in the database and is taken up again by the next process.
        """
        tasks = self._leases.tasks()
        if not tasks:
            return 0
        beating = asyncio.create_task(self._beat())
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        beating.cancel()
        await asyncio.gather(beating, *late, return_exceptions=True)
        return len(late)

    async def take_due(self) -> int:
        """Claim what is due and start walking it; return how many were claimed."""
        began, now, until = self._clock.monotonic(), self._clock.now(), self._leases.end()
        room = _AT_ONCE - len(self._leases)

        def work(uow: UnitOfWork) -> tuple[Sequence[_Claimed], _Aside, datetime | None]:
            self._answering.expire(uow)
            taken = uow.deliveries.claim(now, until, self._concurrency, room)
            claimed = [_Claimed(one, self._answering.prepare(uow, one)) for one in taken]
            free = self._telling is None or self._telling.done()
            aside = self._aside(uow, now) if free else _NOTHING
            return claimed, aside, uow.deliveries.next_due(now)

        claimed, aside, next_due = await self._transact(work)
        for one in claimed:
            self._start(one, began)
        self._on_next_due(next_due)
        if aside.untold or aside.marks:
            self._telling = asyncio.create_task(self._tell(aside))
        return len(claimed)

    def _aside(self, uow: UnitOfWork, now: datetime) -> "_Aside":
        untold = uow.deliveries.tell_paused(now, now + TELL_FROM, now - TELL_AWAY_FROM, _TOLD_AT_ONCE)
        return _Aside(untold, self._marking.due(uow))

    async def _tell(self, aside: "_Aside") -> None:
        """Tell threads that their questions wait, and what became of answered ones, beside the loop."""
        told = [one.thread.platform for one, _ in [*aside.untold, *aside.marks]]
        await asyncio.gather(*[self._tell_on(platform, aside) for platform in dict.fromkeys(told)])

    async def _tell_on(self, platform: Platform, aside: "_Aside") -> None:
        """Tell on one platform: another that hangs holds nobody up."""
        await self._answering.tell([one for one in aside.untold if one[0].thread.platform == platform])
        await self._marking.make([one for one in aside.marks if one[0].thread.platform == platform])

    async def _clear(self, deliveries: Sequence[Delivery], ending: "Sequence[asyncio.Task[None]]") -> None:
        if ending:
            await asyncio.wait(ending)  # they may be showing that they work
        for delivery in deliveries:
            await self._answering.idle(delivery)

    async def _round(self) -> None:
        if self.rush.is_on:  # whatever ends it wakes the loop, and so does each sweep
            return
        try:
            await self.take_due()
        except StoreUnavailable as error:
            log.warning("store unavailable", error=str(error))

    def _start(self, claimed: "_Claimed", began: float) -> None:
        delivery = claimed.delivery
        if self._clock.monotonic() - began > _FRESH:  # others may have taken it by now, or paused its lane
            claimed = _Claimed(delivery, None)
        earlier = self._leases.walking(delivery)
        task = asyncio.create_task(self._walk(claimed, earlier), name=f"delivery {delivery.id}")
        self._leases.hold(delivery, task, since=began)
        task.add_done_callback(lambda _: self._ended(delivery))

    def _ended(self, delivery: Delivery) -> None:
        self._leases.drop(delivery)
        self._wake.set()

    async def _walk(self, claimed: "_Claimed", earlier: "asyncio.Task[None] | None") -> None:
        prepared = claimed.prepared
        if earlier is not None:  # it has put the delivery back, and is still showing that
            await asyncio.wait([earlier])
            prepared = None  # it may have been edited meanwhile
        owed: Owed | None = Owed(claimed.delivery)
        current = claimed.delivery
        try:
            if current.state is State.ASKING:
                owed = await self._answering.ask(current, prepared)
            if owed is not None:
                current = owed.delivery
                await self._show(owed)
        except (LeaseLost, StoreUnavailable) as error:
            log.warning("left to the next holder", delivery=current.id, error=str(error))
        except Exception as error:  # whatever bug it is, its asker is told and its lane goes on
            log.exception("delivery failed", delivery=current.id)
            await self._stumbled(current, BrokenAnswer(type(error).__name__))

    async def _show(self, owed: Owed) -> None:
        if owed.delivery.state is State.POSTING:
            await self._posting.post(owed.delivery, owed.parts)
        else:
            await self._posting.tell_unlinked(owed.delivery)

    async def _stumbled(self, delivery: Delivery, error: BrokenAnswer) -> None:
        try:
            settle = self._answering if delivery.state is State.ASKING else self._posting
            owed = await settle.failed(delivery, error)
            if owed is not None:
                await self._posting.post(owed)
        except ThreadlineError as worse:
            log.warning("left to the next holder", delivery=delivery.id, error=str(worse))

    async def _beat(self) -> None:
        """Renew leases and sweep expired ones, on the monotonic clock; each sweep also wakes the loop."""
        renewed = self._clock.monotonic()
        while True:
            await self._clock.sleep(SWEEP_EVERY)
            try:
                if self._clock.monotonic() - renewed >= RENEW_EVERY:
                    elsewhere = await self._leases.beat()
                    renewed = self._clock.monotonic()
                    if elsewhere:
                        self.cancelled(elsewhere)
                await self._leases.sweep()
            except StoreUnavailable as error:
                log.warning("store unavailable", error=str(error))
            self._wake.set()
