"""Slack's side of a running Threadline, put together from plain values: client, poster, listeners."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bots.bounded import BoundedResponse
from bots.errands import Errands
from bots.slack import http
from bots.slack.accounts import AccountForm
from bots.slack.app import build
from bots.slack.catch_up import AGAIN_AFTER, CatchUp
from bots.slack.commands import Commands
from bots.slack.departures import Departures
from bots.slack.install import OAuth, flow, routes
from bots.slack.leaving import Leaving
from bots.slack.listening import Listening
from bots.slack.outbound import SlackPoster
from bots.slack.patience import patiently
from bots.slack.responding import Responding
from bots.slack.shortcut import AskAbout
from bots.slack.sockets import Sockets
from bots.slack.stop_button import StopButton
from bots.slack.workspaces import ManyWorkspaces, OneWorkspace, Workspaces, as_bot
from core.clock import Clock
from core.errors import Retryable, Unreachable
from core.ports import Poster
from core.services.installing import Installing
from core.services.offered import Services

log = structlog.get_logger(__name__)

_READY_WITHIN = 5.0  # seconds, for Slack's first word and then for the socket; later they come by themselves

# One session, so one connection for many calls; its time-out is the one that counts.
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)


@dataclass(frozen=True, slots=True)
class Access:
    """What Slack knows the app by. Socket Mode has an `app_token`, signed HTTP a `signing_secret`.

    An app of one workspace has a `bot_token`; one that any workspace can install has `oauth` instead.
    """

    bot_token: str | None
    app_token: str | None
    signing_secret: str | None
    api_url: str
    proxy: str | None = None
    oauth: OAuth | None = None


@asynccontextmanager
async def web_client(
    token: str | None, api_url: str, proxy: str | None = None
) -> AsyncIterator[AsyncWebClient]:
    """Give a client over one session. It retries nothing: a dropped post might be posted twice."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT, response_class=BoundedResponse) as session:
        client = AsyncWebClient(token=token, base_url=api_url, session=session, retry_handlers=[])
        client.proxy = proxy  # given none, slack_sdk would look one up in the environment by itself
        yield client


@asynccontextmanager
async def slack_side(
    access: Access, clock: Clock, admins: frozenset[str], installing: Installing | None = None
) -> AsyncIterator["SlackSide"]:
    """Find out who we are and give everything that talks with Slack; `oauth` needs `installing`.

    A Slack that is away keeps nobody: `listen` goes on asking, and what is posted meanwhile fails as
    Unreachable. Raises TokenRefused, SealUnbroken and other Permanent errors of core.errors.
    """
    async with web_client(None, access.api_url, access.proxy) as client:
        workspaces: Workspaces
        if access.bot_token is not None:
            workspaces, entry = OneWorkspace(as_bot(client, access.bot_token), clock), None
        elif access.oauth is not None and installing is not None:
            workspaces = ManyWorkspaces(client, installing, clock)
            entry = flow(client, access.oauth, installing, workspaces)
        else:
            raise ValueError("an app of one workspace has a bot token, one of many has `oauth`")
        side = SlackSide(access, client, workspaces, clock, entry=entry, admins=admins)
        await side.ask_once()
        yield side


class SlackSide:
    """The poster, which delivers; and the listeners, which begin with `attach` and `listen`."""

    def __init__(
        self,
        access: Access,
        client: AsyncWebClient,
        workspaces: Workspaces,
        clock: Clock,
        *,
        entry: AsyncOAuthFlow | None,
        admins: frozenset[str],
    ) -> None:
        """`entry`: how workspaces install us, if they do."""
        self._access = access
        self._client = client
        self._workspaces = workspaces
        self._entry = entry
        self._clock = clock
        self._admins = admins
        self._errands = Errands()
        self._has_begun = False
        self._met: Retryable | None = None
        self._route: Route | None = None
        self._sockets: Sockets | None = None
        self._connected = asyncio.Event()
        self._staying: asyncio.Task[None] | None = None
        self._catching: asyncio.Task[None] | None = None
        self.name = ""
        """The workspace's name, or how many have us."""
        self.poster: Poster = SlackPoster(workspaces, clock)

    async def ask_once(self) -> None:
        """Find out who we are, and do not wait for it long; nothing else is sent to Slack until it tells."""
        try:
            async with asyncio.timeout(_READY_WITHIN):
                await self._begin()
        except TimeoutError:
            self._met = Unreachable("Slack does not answer")
        except Retryable as error:
            self._met = error

    async def attach(self, services: Services) -> list[Route]:
        """Bind the listeners to the services, and return the routes by which HTTP reaches them."""
        await self._bind(services)
        signed = self._access.signing_secret is not None
        events = [Route(http.PATH, self._receive, methods=["POST"])] if signed else []
        return events if self._entry is None else [*events, *routes(self._entry)]

    async def listen(self) -> "asyncio.Task[None]":
        """Open the socket, if there is one, and look for what was written while nobody listened.

        Returns the task that ends when Slack will not have us. A Slack that is away is not waited for.
        """
        self._staying = asyncio.create_task(self._stay(), name="slack")
        if self._has_begun:
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

    async def _begin(self) -> None:
        await self._workspaces.begin()
        self.name = await self._workspaces.name()
        self._has_begun = True

    async def _stay(self) -> None:
        """Get to know who we are, however long that takes, and stay. Raises TokenRefused."""
        dice = random.SystemRandom().random
        if not self._has_begun:
            await patiently(self._begin, self._clock, dice, after=self._met)
            log.info("slack is there", name=self.name)
        if self._sockets is not None:
            await patiently(self._sockets.connect, self._clock, dice)
        self._connected.set()
        self._catch_up.want()
        self._catching = asyncio.create_task(self._catch_up.keep_up(), name="catch up")
        await asyncio.Event().wait()

    async def _bind(self, services: Services) -> None:
        """Put together what listens."""
        workspaces, clock, secret = self._workspaces, self._clock, self._access.signing_secret
        asking, linking = services.asking, services.linking
        departures = Departures(services.purging, clock)
        listening = Listening(services, departures, missed=self._look_later)
        self._catch_up = CatchUp(
            workspaces, asking, linking, clock, offer=listening.offer, amend=listening.amend
        )
        await self._catch_up.remember()
        respond = Responding(self._client)
        accounts = AccountForm(services.accounting, admins=self._admins)
        app = build(
            self._client,
            workspaces,
            signing_secret=secret,
            flow=self._entry,
            listening=listening,
            leaving=Leaving(workspaces, services.purging, departures, clock),
            commands=Commands(linking, self._errands, respond, accounts=accounts, admins=self._admins),
            accounts=accounts,
            ask_about=AskAbout(asking, self._errands, clock),
            stop_button=StopButton(services.stopping, self._errands, respond),
            missed=self._look_later,
        )
        if self._access.app_token is not None:
            back, token = self._catch_up.want, self._access.app_token
            self._sockets = Sockets(app, self._client, token, clock, back=back)
        self._route = None if secret is None else http.route(app, secret)

    def _look_later(self) -> None:
        self._catch_up.want(AGAIN_AFTER)

    async def _receive(self, request: Request) -> Response:
        """Pass a request on. Slack sends an event again that came before it had told us who we are."""
        if self._route is None or not self._has_begun:
            return PlainTextResponse("not ready yet", 503)
        answer: Response = await self._route.endpoint(request)
        return answer


async def _end(task: "asyncio.Task[Any] | None") -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
