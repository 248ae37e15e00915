"""The only place where concrete things meet: store, clients, services and adapters, from Settings."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from starlette.routing import Route

from bots.settings import Settings
from bots.slack.inbound import SLACK
from bots.web import app as web
from bots.web.metrics import exposition
from bots.web.serving import WebServer
from bots.wiring.moving import migrated, moved
from bots.wiring.parts import (
    clock_over,
    discord_access,
    install_address,
    installing_over,
    keyring_over,
    linking_over,
    names_shared,
    new_delivery_id,
    opened_store,
    resealing_over,
    reviewing_over,
    services_over,
    slack_access,
)
from bots.wiring.roles import Role, fitted
from bots.wiring.seats import seats_over
from bots.wiring.sides import Side, sides_over
from bots.wiring.trust import tell_whom_we_trust
from bots.wiring.working import Workers, delivering_over, listening_to, wakes_over
from core.clock import Clock, SharedClock
from core.errors import StoreUnavailable
from core.model import Tally
from core.ports import Transact
from core.services.offered import Services
from core.store import Copied, Deed, SoleProcess, Step, check, described, is_shared, take_time

__all__ = [
    "Copied",
    "Deed",
    "Role",
    "Step",
    "Threadline",
    "clock_over",
    "described",
    "discord_access",
    "installing_over",
    "keyring_over",
    "linking_over",
    "migrated",
    "moved",
    "new_delivery_id",
    "opened_store",
    "resealing_over",
    "reviewing_over",
    "running",
    "slack_access",
]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Threadline:
    """A running Threadline: where it listens, and the tasks that end only if something is badly wrong."""

    url: str
    working: Sequence["asyncio.Task[None]"]
    tally: Callable[[], Awaitable[Tally]]
    """Tells what the queue holds now."""


@dataclass(frozen=True, slots=True)
class Core:
    """The services over one store."""

    store: Transact
    services: Services
    sides: Collection[Side]
    is_shared: bool

    async def is_ready(self) -> bool:
        """Tell whether it can do its part: whether the database takes a transaction.

        Where others can do it instead, the platforms have to know us as well.
        """
        if self.is_shared and not all(side.is_known for side in self.sides):
            return False
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
async def running(settings: Settings, clock: SharedClock, role: Role = Role.ALL) -> AsyncIterator[Threadline]:
    """Run everything that is configured, or a role's part of it; leaving the context stops it cleanly.

    First nothing new is taken in, then what is under way is given its time, then all is closed. Raises
    StoreUnusable, SealUnbroken, EndpointMisplaced, AddressUnusable, RoleImpossible, and what the platforms
    answer.
    """
    if settings.chat.key is None and not settings.secret_keys:
        raise ValueError("to run, there must be a key to ask the assistant with, or what seals some")
    if settings.slack is None and settings.discord is None:
        raise ValueError("to run, the settings must name a platform")
    settings = fitted(settings, role, shared=names_shared(settings))
    tell_whom_we_trust(settings)
    async with AsyncExitStack() as stack:
        engine, store = await stack.enter_async_context(opened_store(settings))
        if is_shared(engine):
            await asyncio.to_thread(take_time, engine, clock)
        else:
            stack.enter_context(SoleProcess(engine))
            await asyncio.to_thread(check, engine)
        oauth = settings.slack is not None and settings.slack.oauth is not None
        await resealing_over(settings, store).check(tokens=oauth)
        keyring = await stack.enter_async_context(keyring_over(settings, clock))
        wakes = await stack.enter_async_context(wakes_over(engine, clock))
        seats = await stack.enter_async_context(seats_over(store, clock, wakes, role))
        made = sides_over(settings, clock, store, seats, connects=role.connects)
        sides = await stack.enter_async_context(made)
        workers, ends = Workers(None, wakes, clock), [] if seats.renewing is None else [seats.renewing]
        if role.works:
            posters = {platform: side.poster for platform, side in sides.items()}
            half = delivering_over(settings, engine, store, keyring, posters, clock=clock)
            here, working = await stack.enter_async_context(half)
            workers, ends = Workers(here, wakes, clock), [*ends, working]
        services = services_over(settings, store, clock, workers, keyring)
        core = Core(store, services, sides.values(), is_shared(engine))

        ends += await stack.enter_async_context(listening_to(wakes, workers.woken, seats.heard))
        routes: list[Route] = []
        for platform, side in sides.items():
            stack.push_async_callback(side.hush)
            await core.services.linking.begin(platform)
            routes += await side.attach(core.services)
        standing = partial(seats.standing, role)
        app = web.build(routes, core.is_ready, partial(core.metrics, clock), standing)
        server = WebServer(app, settings.http.host, settings.http.port)
        url = await server.start()
        stack.push_async_callback(server.aclose)
        ends += [task for side in sides.values() if (task := await side.listen()) is not None]
        names = {str(platform): side.name for platform, side in sides.items()}
        log.info("running", url=url, role=role.value, **names, **install_address(settings, routes))
        yield Threadline(url, ends, lambda: core.tally(clock.now()))
