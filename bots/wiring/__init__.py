"""The only place where concrete things meet: store, clients, services and adapters, from Settings."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy import Engine
from starlette.routing import Route

from bots.discord.keys import DISCORD
from bots.discord.side import discord_side
from bots.schedule import Schedule
from bots.settings import Settings
from bots.slack.inbound import SLACK
from bots.slack.side import slack_side
from bots.web import app as web
from bots.web.metrics import exposition
from bots.web.serving import WebServer
from bots.wiring.parts import (
    asking_rules,
    discord_access,
    installing_over,
    keyring_over,
    linking_over,
    new_delivery_id,
    opened_store,
    reviewing_over,
    services_over,
    slack_access,
)
from core.clock import Clock
from core.errors import StoreUnavailable
from core.model import Platform, Tally, ThreadKey
from core.ports import Poster, Transact
from core.project_api import Keyring
from core.retry import Limits
from core.services.answering import Answering, AnsweringRules
from core.services.delivering import Delivering
from core.services.leases import Leases
from core.services.marking import Marking
from core.services.offered import Services
from core.services.posting import Posting
from core.services.retaining import Retaining
from core.store import SoleProcess, Wakes, check, check_clock, described, is_shared

__all__ = [
    "Threadline",
    "described",
    "discord_access",
    "keyring_over",
    "linking_over",
    "new_delivery_id",
    "opened_store",
    "reviewing_over",
    "running",
    "slack_access",
]

log = structlog.get_logger(__name__)

_DRAIN_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Threadline:
    """A running Threadline: where it listens, and the tasks that end only if something is badly wrong."""

    url: str
    working: Sequence["asyncio.Task[None]"]
    tally: Callable[[], Awaitable[Tally]]
    """Tells what the queue holds now."""


class Side(Protocol):
    """One platform's side of Threadline: the poster, and the listeners."""

    poster: Poster

    @property
    def name(self) -> str:
        """Return the name by which people there know where, or who, we are."""
        ...

    async def attach(self, services: Services) -> list[Route]:
        """Bind the listeners, and return the routes by which HTTP reaches them."""
        ...

    async def listen(self) -> "asyncio.Task[None] | None":
        """Begin to listen; return the task that ends if the platform will have us no more."""
        ...

    async def hush(self) -> None:
        """Take nothing more in."""
        ...


@dataclass(frozen=True, slots=True)
class Core:
    """The services over one store."""

    store: Transact
    services: Services
    working: Sequence["asyncio.Task[None]"]

    async def is_ready(self) -> bool:
        """Tell whether questions can be accepted: whether the database takes a transaction."""
        try:
            return await self.store(lambda uow: uow.links.all(SLACK)) is not None
        except StoreUnavailable:
            return False

    async def tally(self, now: datetime) -> Tally:
        """Return what the queue holds."""
        return await self.store(lambda uow: uow.deliveries.tally(now))

    async def metrics(self, clock: Clock) -> bytes | None:
        """Return what the queue holds as metrics; None while the database is away."""
        now = clock.now()
        try:
            return exposition(await self.tally(now), now)
        except StoreUnavailable:
            return None


@asynccontextmanager
async def running(settings: Settings, clock: Clock) -> AsyncIterator[Threadline]:
    """Run everything that is configured; leaving the context stops it cleanly.

    First nothing new is taken in, then what is under way is given its time, then all is closed. Raises
    StoreUnusable, EndpointMisplaced, AddressUnusable, and what the platforms answer.
    """
    if settings.chat.key is None and not settings.secret_keys:
        raise ValueError("to run, there must be a key to ask the assistant with, or what seals some")
    if settings.slack is None and settings.discord is None:
        raise ValueError("to run, the settings must name a platform")
    async with AsyncExitStack() as stack:
        engine, store = await stack.enter_async_context(opened_store(settings))
        if is_shared(engine):
            await asyncio.to_thread(check_clock, engine, clock)
        else:
            stack.enter_context(SoleProcess(engine))
            await asyncio.to_thread(check, engine)
        keyring = await stack.enter_async_context(keyring_over(settings, clock))
        sides = await _sides(settings, clock, store, stack)
        posters = {platform: side.poster for platform, side in sides.items()}
        core = await stack.enter_async_context(
            _delivering(settings, engine, store, keyring, posters, clock=clock)
        )
        routes: list[Route] = []
        for platform, side in sides.items():
            stack.push_async_callback(side.hush)
            await core.services.linking.begin(platform)
            routes += await side.attach(core.services)
        metrics = partial(core.metrics, clock)
        app = web.build(routes, core.is_ready, metrics)
        server = WebServer(app, settings.http.host, settings.http.port)
        url = await server.start()
        stack.push_async_callback(server.aclose)
        listening = [task for side in sides.values() if (task := await side.listen()) is not None]
        names = {str(platform): side.name for platform, side in sides.items()}
        log.info("running", url=url, **names)
        yield Threadline(url, (*core.working, *listening), lambda: core.tally(clock.now()))


async def _sides(
    settings: Settings, clock: Clock, store: Transact, stack: AsyncExitStack
) -> Mapping[Platform, Side]:
    """Log in wherever the settings say."""
    sides: dict[Platform, Side] = {}
    if settings.slack is not None:
        installing = installing_over(settings, store, clock)
        slack = slack_side(slack_access(settings.slack), clock, settings.admins, installing)
        sides[SLACK] = await stack.enter_async_context(slack)
    if settings.discord is not None:

        async def move(thread: ThreadKey, to: str) -> bool:
            return await store(lambda uow: uow.conversations.move(thread, to))

        discord = discord_side(discord_access(settings.discord), clock, settings.admins, move)
        sides[DISCORD] = await stack.enter_async_context(discord)
    return sides


@asynccontextmanager
async def _delivering(
    settings: Settings,
    engine: Engine,
    store: Transact,
    keyring: Keyring,
    posters: Mapping[Platform, Poster],
    *,
    clock: Clock,
) -> AsyncIterator[Core]:
    """Run the delivering half. What the last process held is free at once, if we are the only one."""
    leases = Leases(store, clock)
    log.info("store open", taken_over=0 if is_shared(engine) else await leases.take_over())
    schedule = Schedule(clock, lambda: delivering.wake())  # noqa: PLW0108 it is made below, and needs the schedule
    delivering = _build_delivering(
        settings, store, keyring, posters, clock=clock, leases=leases, on_next_due=schedule.next_due
    )
    if settings.retention is not None:
        schedule.regularly(Retaining(store, clock, keep=settings.retention).forget_outlived)
    schedule.start()
    working = asyncio.create_task(delivering.run(), name="delivering")
    try:
        async with _woken(engine, clock, delivering) as (wake, listening):
            services = services_over(settings, store, clock, delivering, keyring, wake=wake)
            yield Core(store, services, (working, *listening))
    finally:
        delivering.stop()
        await asyncio.gather(working, return_exceptions=True)
        log.info("stopped", cut_off=await delivering.drain(_DRAIN_SECONDS))
        await schedule.stop()


@asynccontextmanager
async def _woken(
    engine: Engine, clock: Clock, delivering: Delivering
) -> AsyncIterator[tuple[Callable[[], None], Sequence["asyncio.Task[None]"]]]:
    """Give what to call when something has fallen due: other processes on the database are told of it, too.

    With it comes the task that listens to them, where there may be any.
    """
    if not is_shared(engine):
        yield delivering.wake, ()
        return
    wakes = Wakes(engine, clock)
    listening = asyncio.create_task(wakes.listen(delivering.wake), name="listening")

    def wake() -> None:
        delivering.wake()
        wakes.notify()

    try:
        yield wake, (listening,)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await wakes.aclose()


def _build_delivering(
    settings: Settings,
    store: Transact,
    keyring: Keyring,
    posters: Mapping[Platform, Poster],
    *,
    clock: Clock,
    leases: Leases,
    on_next_due: Callable[[datetime | None], None],
) -> Delivering:
    dice = random.SystemRandom().random
    limits, own = Limits(deadline=settings.deadline), asking_rules(settings).own
    rules = AnsweringRules(settings.history_characters, limits, own=own)
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
