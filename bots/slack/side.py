"""Slack's side of a running Threadline, put together from plain values: client, poster, listeners."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.routing import Route

from bots.bounded import BoundedResponse
from bots.errands import Errands
from bots.slack import http
from bots.slack.app import build
from bots.slack.catch_up import CatchUp
from bots.slack.commands import Commands
from bots.slack.identity import Identity, identify
from bots.slack.listening import Listening
from bots.slack.members import Members
from bots.slack.outbound import SlackPoster
from bots.slack.shortcut import AskAbout
from bots.slack.sockets import Sockets
from bots.slack.stop_button import StopButton
from core.clock import Clock
from core.ports import Poster
from core.services.offered import Services

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
async def web_client(bot_token: str, api_url: str, proxy: str | None = None) -> AsyncIterator[AsyncWebClient]:
    """Give a client over one session. It retries nothing: a dropped post might be posted twice."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT, response_class=BoundedResponse) as session:
        client = AsyncWebClient(token=bot_token, base_url=api_url, session=session, retry_handlers=[])
        client.proxy = proxy  # given none, slack_sdk would look one up in the environment by itself
        yield client


@asynccontextmanager
async def slack_side(access: Access, clock: Clock, admins: frozenset[str]) -> AsyncIterator["SlackSide"]:
    """Ask Slack who we are and give everything that talks with it. Raises errors of core.errors."""
    async with web_client(access.bot_token, access.api_url, access.proxy) as client:
        yield SlackSide(access, client, await identify(client), clock, admins)


class SlackSide:
    """The poster, which delivers; and the listeners, which begin with `attach` and `listen`."""

    def __init__(
        self,
        access: Access,
        client: AsyncWebClient,
        identity: Identity,
        clock: Clock,
        admins: frozenset[str],
    ) -> None:
        self.identity = identity
        self._access = access
        self._client = client
        self._clock = clock
        self._admins = admins
        self._members = Members(client, clock)
        self._errands = Errands()
        self._sockets: Sockets | None = None
        self._catching: asyncio.Task[int] | None = None
        self.poster: Poster = SlackPoster(client, self._members, clock)

    async def attach(self, services: Services) -> list[Route]:
        """Bind the listeners to the services, and return the routes by which signed HTTP reaches them."""
        asking, linking = services.asking, services.linking
        listening = Listening(services, self._clock, bot_user=self.identity.bot_user)
        self._catch_up = CatchUp(
            self._client, self.identity, asking, linking, self._clock, offer=listening.offer
        )
        await self._catch_up.remember()
        app = build(
            self._client,
            self.identity,
            bot_token=self._access.bot_token,
            signing_secret=self._access.signing_secret,
            listening=listening,
            commands=Commands(linking, self._members, self._errands, admins=self._admins),
            ask_about=AskAbout(
                asking, self._client, self._errands, self._clock, bot_user=self.identity.bot_user
            ),
            stop_button=StopButton(services.stopping, self._errands),
        )
        if self._access.app_token is not None:
            self._sockets = Sockets(app, self._client, self._access.app_token, self._clock)
        secret = self._access.signing_secret
        return [] if secret is None else [http.route(app, secret)]

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self.identity.name

    async def listen(self) -> None:
        """Open the socket, if there is one, and look for what was written while nobody listened."""
        if self._sockets is not None:
            await self._sockets.connect()
        self._catching = asyncio.create_task(self._catch_up.run(), name="catch up")

    async def hush(self) -> None:
        """Take nothing more in, and finish what was asked for by commands and clicks."""
        if self._catching is not None:
            self._catching.cancel()
            await asyncio.gather(self._catching, return_exceptions=True)
        if self._sockets is not None:
            await self._sockets.aclose()
            self._sockets = None
        await self._errands.aclose()
