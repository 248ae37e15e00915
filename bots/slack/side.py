"""Slack's side of a running Threadline, put together from plain values: client, poster, listeners."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bots.bounded import BoundedResponse
from bots.errands import Errands
from bots.slack import http
from bots.slack.app import build
from bots.slack.catch_up import AGAIN_AFTER, CatchUp
from bots.slack.commands import Commands
from bots.slack.identity import GatedClient, Identity, identify, is_installed
from bots.slack.listening import Listening
from bots.slack.members import Members
from bots.slack.outbound import SlackPoster
from bots.slack.patience import patiently
from bots.slack.responding import Responding
from bots.slack.shortcut import AskAbout
from bots.slack.sockets import Sockets
from bots.slack.stop_button import StopButton
from core.clock import Clock
from core.errors import Retryable, Unreachable
from core.ports import Poster
from core.services.offered import Services

log = structlog.get_logger(__name__)

_READY_WITHIN = 5.0  # seconds, for Slack's first word and then for the socket; later they come by themselves

# One session, so one connection for many calls; its time-out is the one that counts.
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)


@dataclass(frozen=True, slots=True)
class Access:
    """What Slack knows the app by. Socket Mode has an `app_token`, signed HTTP a `signing_secret`."""

    bot_token: str
    app_token: str | None
    signing_secret: str | None
    api_url: str
    proxy: str | None = None


@asynccontextmanager
async def web_client(bot_token: str, api_url: str, proxy: str | None = None) -> AsyncIterator[GatedClient]:
    """Give a client over one session. It retries nothing: a dropped post might be posted twice."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT, response_class=BoundedResponse) as session:
        client = GatedClient(token=bot_token, base_url=api_url, session=session, retry_handlers=[])
        client.proxy = proxy  # given none, slack_sdk would look one up in the environment by itself
        yield client


@asynccontextmanager
async def slack_side(access: Access, clock: Clock, admins: frozenset[str]) -> AsyncIterator["SlackSide"]:
    """Ask Slack who we are and give everything that talks with it.

    A Slack that is away keeps nobody: `listen` goes on asking, and what is posted meanwhile fails as
    Unreachable. Raises TokenRefused, and other Permanent errors of core.errors.
    """
    async with web_client(access.bot_token, access.api_url, access.proxy) as client:
        side = SlackSide(access, client, clock, admins)
        await side.ask_once()
        yield side


class SlackSide:
    """The poster, which delivers; and the listeners, which begin with `attach` and `listen`."""

    def __init__(self, access: Access, client: GatedClient, clock: Clock, admins: frozenset[str]) -> None:
        self._access = access
        self._client = client
        self._clock = clock
        self._admins = admins
        self._members = Members(client, clock)
        self._errands = Errands()
        self._identity: Identity | None = None
        self._met: Retryable | None = None
        self._route: Route | None = None
        self._sockets: Sockets | None = None
        self._connected = asyncio.Event()
        self._staying: asyncio.Task[None] | None = None
        self._catching: asyncio.Task[None] | None = None
        self.poster: Poster = SlackPoster(client, self._members, clock)

    async def ask_once(self) -> None:
        """Ask Slack who we are, and do not wait for it long; nothing else is sent there until it tells."""
        self._client.is_known = False
        try:
            async with asyncio.timeout(_READY_WITHIN):
                self._identity = await identify(self._client)
        except TimeoutError:
            self._met = Unreachable("Slack does not answer")
        except Retryable as error:
            self._met = error
        else:
            self._client.is_known = True

    async def attach(self, services: Services) -> list[Route]:
        """Bind the listeners to the services, and return the routes by which signed HTTP reaches them."""
        self._services = services
        if self._identity is not None:
            await self._bind(self._identity)
        signed = self._access.signing_secret is not None
        return [Route(http.PATH, self._receive, methods=["POST"])] if signed else []

    @property
    def name(self) -> str:
        """The workspace's name."""
        return "" if self._identity is None else self._identity.name

    async def listen(self) -> "asyncio.Task[None]":
        """Open the socket, if there is one, and look for what was written while nobody listened.

        Returns the task that ends when Slack will not have us. A Slack that is away is not waited for.
        """
        self._staying = asyncio.create_task(self._stay(), name="slack")
        if self._identity is not None:
            connected = asyncio.create_task(self._connected.wait())
            both = (connected, self._staying)
            await asyncio.wait(both, timeout=_READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            connected.cancel()
            if self._staying.done():
                self._staying.result()
        return self._staying

    async def hush(self) -> None:
        """Take nothing more in, and finish what was asked for by commands and clicks."""
        await _end(self._staying)
        await _end(self._catching)
        if self._sockets is not None:
            await self._sockets.aclose()
            self._sockets = None
        await self._errands.aclose()

    async def _stay(self) -> None:
        """Get to know who we are, however long that takes, and stay. Raises TokenRefused."""
        dice = random.SystemRandom().random
        if self._identity is None:
            self._identity = await patiently(self._introduced, self._clock, dice, after=self._met)
            log.info("slack is there", name=self.name)
        if self._sockets is not None:
            await patiently(self._sockets.connect, self._clock, dice)
        self._connected.set()
        self._catch_up.want()
        self._catching = asyncio.create_task(self._catch_up.keep_up(), name="catch up")
        await asyncio.Event().wait()

    async def _introduced(self) -> Identity:
        identity = await identify(self._client)
        await self._bind(identity)
        self._client.is_known = True
        return identity

    async def _bind(self, identity: Identity) -> None:
        """Put together what needs to know who we are."""
        services, bot_user, secret = self._services, identity.bot_user, self._access.signing_secret
        asking, linking = services.asking, services.linking
        listening = Listening(
            services,
            self._clock,
            bot_user=bot_user,
            is_installed=partial(is_installed, self._client),
            missed=self._look_later,
        )
        offer, amend = listening.offer, listening.amend
        self._catch_up = CatchUp(
            self._client, identity, asking, linking, self._clock, offer=offer, amend=amend
        )
        await self._catch_up.remember()
        respond = Responding(self._client)
        app = build(
            self._client,
            identity,
            bot_token=self._access.bot_token,
            signing_secret=secret,
            listening=listening,
            commands=Commands(linking, self._members, self._errands, respond, admins=self._admins),
            ask_about=AskAbout(asking, self._client, self._errands, self._clock, bot_user=bot_user),
            stop_button=StopButton(services.stopping, self._errands, respond),
        )
        if self._access.app_token is not None:
            back, token = self._catch_up.want, self._access.app_token
            self._sockets = Sockets(app, self._client, token, self._clock, back=back)
        self._route = None if secret is None else http.route(app, secret)

    def _look_later(self) -> None:
        self._catch_up.want(AGAIN_AFTER)

    async def _receive(self, request: Request) -> Response:
        """Pass a request on. Slack sends an event again that came before it had told us who we are."""
        if self._route is None:
            return PlainTextResponse("not ready yet", 503)
        answer: Response = await self._route.endpoint(request)
        return answer


async def _end(task: "asyncio.Task[Any] | None") -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
