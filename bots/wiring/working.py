"""The delivering half, as a process runs it that works; and how the others reach those that do."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from sqlalchemy import Engine

from bots.schedule import Schedule
from bots.settings import Settings
from bots.wiring.parts import asking_rules
from core.clock import Clock, SharedClock
from core.model import Delivery, Platform, WorkspaceId
from core.ports import Poster, Transact
from core.project_api import Keyring
from core.retry import Limits
from core.services.answering import Answering, AnsweringRules
from core.services.delivering import Delivering
from core.services.leases import Leases
from core.services.marking import Marking
from core.services.posting import Posting
from core.services.retaining import Retaining
from core.services.rush import Rush
from core.store import Wakes, is_shared, keep_time

log = structlog.get_logger(__name__)

_DRAIN_SECONDS = 20.0


class Workers:
    """Whoever walks deliveries: this process, if it does, and others on its database, if there may be any.

    What was cancelled, its holder elsewhere learns as it renews its lease.
    """

    def __init__(self, here: Delivering | None, wakes: Wakes | None, clock: Clock) -> None:
        self.rush = Rush(clock) if here is None else here.rush
        self._here = here
        self._wakes = wakes

    def wake(self) -> None:
        """Have them look for due work."""
        self.woken()
        if self._wakes is not None:
            self._wakes.notify()

    def woken(self) -> None:
        """Look for due work, as another process has said that there is some."""
        if self._here is not None:
            self._here.wake()

    def cancelled(self, deliveries: Sequence[Delivery]) -> None:
        """End what is under way for deliveries that were cancelled."""
        if self._here is not None:
            self._here.cancelled(deliveries)

    def purged(self, platform: Platform, workspace: WorkspaceId) -> None:
        """End what is under way for a workspace of which nothing is left."""
        if self._here is not None:
            self._here.purged(platform, workspace)


@asynccontextmanager
async def wakes_over(engine: Engine, clock: SharedClock) -> AsyncIterator[Wakes | None]:
    """Give what processes on one database wake one another by, and keep its time; None: there is only one."""
    if not is_shared(engine):
        yield None
        return
    wakes = Wakes(engine, clock)
    keeping = asyncio.create_task(keep_time(engine, clock), name="time")
    try:
        yield wakes
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await wakes.aclose()


@asynccontextmanager
async def listening_to(
    wakes: Wakes | None, on_wake: Callable[[], None], on_word: Callable[[str | None], None]
) -> AsyncIterator[Sequence["asyncio.Task[None]"]]:
    """Listen to the other processes meanwhile; give the task that does."""
    if wakes is None:
        yield ()
        return
    listening = asyncio.create_task(wakes.listen(on_wake, on_word), name="listening")
    try:
        yield (listening,)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@asynccontextmanager
async def delivering_over(
    settings: Settings,
    engine: Engine,
    store: Transact,
    keyring: Keyring,
    posters: Mapping[Platform, Poster],
    *,
    clock: Clock,
) -> AsyncIterator[tuple[Delivering, "asyncio.Task[None]"]]:
    """Run the delivering half. What the last process held is free at once, if we are the only one."""
    leases = Leases(store, clock)
    log.info("store open", taken_over=0 if is_shared(engine) else await leases.take_over())
    schedule = Schedule(clock, lambda: delivering.wake())  # noqa: PLW0108 it is made below, and needs the schedule
    delivering = _built(
        settings,
        store,
        keyring,
        posters,
        clock=clock,
        leases=leases,
        on_next_due=schedule.next_due,
        shared=is_shared(engine),
    )
    if settings.retention is not None:
        schedule.regularly(Retaining(store, clock, keep=settings.retention).forget_outlived)
    schedule.start()
    working = asyncio.create_task(delivering.run(), name="delivering")
    try:
        yield delivering, working
    finally:
        delivering.stop()
        await asyncio.gather(working, return_exceptions=True)
        log.info("stopped", cut_off=await delivering.drain(_DRAIN_SECONDS))
        await schedule.stop()


def _built(
    settings: Settings,
    store: Transact,
    keyring: Keyring,
    posters: Mapping[Platform, Poster],
    *,
    clock: Clock,
    leases: Leases,
    on_next_due: Callable[[datetime | None], None],
    shared: bool,
) -> Delivering:
    dice = random.SystemRandom().random
    limits, own = Limits(deadline=settings.deadline), asking_rules(settings).own
    rules = AnsweringRules(settings.history_characters, limits, own=own, shared=shared)
    return Delivering(
        store,
        clock,
        leases,
        Answering(store, keyring, posters, clock=clock, leases=leases, rules=rules, random=dice),
        Posting(store, posters, clock, leases, random=dice),
        marking=Marking(store, posters, clock, random=dice),
        concurrency=settings.concurrency,
        on_next_due=on_next_due,
    )
