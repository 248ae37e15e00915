"""Slack's side of a running Threadline, put together from plain values: client, poster, listeners."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bots.errands import Errands
from bots.slack import http
from bots.slack.access import Access, web_client
from bots.slack.accounts import AccountForm
from bots.slack.app import build
from bots.slack.catch_up import CatchUp
from bots.slack.commands import Commands
from bots.slack.departures import Departures
from bots.slack.install import flow, routes
from bots.slack.keeping import Keeping
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
from core.services.seating import Seating, Sitting

log = structlog.get_logger(__name__)

_READY_WITHIN = 5.0  # seconds, for Slack's first word and then for the socket; later they come by themselves


@asynccontextmanager
async def slack_side(
    access: Access,
    clock: Clock,
    admins: frozenset[str],
    installing: Installing | None = None,
    *,
    seating: Seating,
    elsewhere: Callable[[], None],
) -> AsyncIterator["SlackSide"]:
    """Find out who we are and give everything that talks with Slack; `oauth` needs `installing`.

    `elsewhere` has the process look for what was missed that has the seat for it.

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
        side = SlackSide(
            access,
            client,
            workspaces,
            clock,
            entry=entry,
            admins=admins,
            seating=seating,
            elsewhere=elsewhere,
        )
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
        seating: Seating,
        elsewhere: Callable[[], None],
    ) -> None:
        """`entry`: how workspaces install us, if they do."""
        self._access = access
        self._client = client
        self._workspaces = workspaces
        self._entry = entry
        self._clock = clock
        self._admins = admins
        self._seating = seating
        self._elsewhere = elsewhere
        self._errands = Errands()
        self._has_begun = False
        self._met: Retryable | None = None
        self._take: Callable[[Request], Awaitable[Response]] | None = None
        self._keeping: Keeping | None = None
        self._staying: asyncio.Task[None] | None = None
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
        if not self._access.listens:
            return []
        await self._bind(services)
        signed = self._access.signing_secret is not None
        events = [Route(http.PATH, self._receive, methods=["POST"])] if signed else []
        return events if self._entry is None else [*events, *routes(self._entry)]

    @property
    def is_known(self) -> bool:
        """Tell whether Slack has told us who we are: what it sends before that it has to send again."""
        return self._has_begun

    def look(self) -> None:
        """Look for what was missed, if that is for this process to do."""
        if self._keeping is not None:
            self._keeping.look()

    async def listen(self) -> "asyncio.Task[None]":
        """Open the socket, if there is one, and look for what was written while nobody listened.

        Returns the task that ends when Slack will not have us. A Slack that is away is not waited for.
        """
        self._staying = asyncio.create_task(self._stay(), name="slack")
        if self._has_begun and self._keeping is not None:
            connected = asyncio.create_task(self._keeping.connected.wait())
            both = (connected, self._staying)
            await asyncio.wait(both, timeout=_READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            connected.cancel()
            if self._staying.done():
                self._staying.result()
        return self._staying

    async def hush(self) -> None:
        """Take nothing more in, and finish what was asked for by commands and clicks."""
        if self._staying is not None:
            self._staying.cancel()
            await asyncio.gather(self._staying, return_exceptions=True)
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
        if self._keeping is not None:
            await self._keeping.run()
        await asyncio.Event().wait()

    async def _bind(self, services: Services) -> None:
        """Put together what listens."""
        workspaces, clock, secret = self._workspaces, self._clock, self._access.signing_secret
        asking, linking = services.asking, services.linking
        departures = Departures(services.purging, clock)
        listening = Listening(services, departures, missed=self._look_later)
        catch_up = CatchUp(workspaces, asking, linking, clock, offer=listening.offer, amend=listening.amend)
        await catch_up.remember()
        respond = Responding(self._client)
        accounts = AccountForm(services.accounting, admins=self._admins)
        app = build(
            self._client,
            workspaces,
            flow=self._entry,
            listening=listening,
            leaving=Leaving(workspaces, services.purging, departures, clock),
            commands=Commands(linking, self._errands, respond, accounts=accounts, admins=self._admins),
            accounts=accounts,
            ask_about=AskAbout(asking, self._errands, clock),
            stop_button=StopButton(services.stopping, self._errands, respond),
            missed=self._look_later,
        )
        token = self._access.app_token
        self._keeping = Keeping(
            catch_up,
            self._seating,
            clock,
            socket=None if token is None else partial(self._socket, app, token),
            elsewhere=self._elsewhere,
        )
        self._take = None if secret is None else http.endpoint(app, secret)

    def _socket(self, app: AsyncApp, token: str, sitting: Sitting) -> Sockets:
        return Sockets(app, self._client, token, self._clock, back=self._back, ours=sitting.ours)

    def _back(self) -> None:
        if self._keeping is not None:
            self._keeping.back()

    def _look_later(self) -> None:
        if self._keeping is not None:
            self._keeping.missed()

    async def _receive(self, request: Request) -> Response:
        """Pass a request on. Slack sends an event again that came before it had told us who we are."""
        if self._take is None or not self._has_begun:
            return PlainTextResponse("not ready yet", 503)
        return await self._take(request)
