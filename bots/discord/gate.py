"""The REST client, which makes no call that is of no use: before we are known, or with a refused token."""

import asyncio
from typing import Any

import aiohttp
import discord
import structlog
from discord.gateway import DiscordClientWebSocketResponse
from discord.http import HTTPClient, Route
from discord.utils import MISSING

from bots.bounded import BoundedResponse
from core.clock import Clock
from core.connections import Connector
from core.errors import AccountRefused, Unreachable

log = structlog.get_logger(__name__)

#: Seconds for which nothing is sent after Discord has refused the token: it bans an address after 10,000 such
#: answers in ten minutes (topics/rate-limits), and one a minute tells when the token is good again.
ASIDE = 60.0
_ALERT = (
    "discord does not accept the bot token any more: set DISCORD_TOKEN anew and start again; what is owed "
    "there is kept"
)
_BY_ANOTHER_TOKEN = "/webhooks/"  # noqa: S105 the beginning of a path: an interaction's own token is in it
_LOGGING_IN = frozenset({"/users/@me", "/oauth2/applications/@me"})


class GatedHttp(HTTPClient):
    """discord.py's, with a gate before it: what may not pass fails at once, as if Discord had said so."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, clock: Clock, *, proxy: str | None, patience: float
    ) -> None:
        """`patience`: the longest wait for a rate limit that discord.py sits out by itself, in seconds."""
        super().__init__(loop, proxy=proxy, max_ratelimit_timeout=patience)
        self._clock = clock
        self._shut_until: float | None = None
        self.is_known = True  #: `log_in` says when not

    async def static_login(self, token: str) -> Any:
        """Do what discord.py 2.7.1 does, over a session that reads no reply without bounds."""
        if self.connector is MISSING:
            self.connector = Connector(limit=0)
        self._HTTPClient__session = aiohttp.ClientSession(
            connector=self.connector,
            response_class=BoundedResponse,
            ws_response_class=DiscordClientWebSocketResponse,
            trace_configs=None if self.http_trace is None else [self.http_trace],
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._global_over = asyncio.Event()
        self._global_over.set()
        before, self.token = self.token, token
        try:
            return await self.request(Route("GET", "/users/@me"))
        except discord.HTTPException as error:
            self.token = before
            if error.status == 401:
                raise discord.LoginFailure("Discord does not accept the bot token") from error
            raise

    async def request(self, route: Route, **more: Any) -> Any:
        """Make a call. Raises as discord.py does; Unreachable or AccountRefused where it is not tried."""
        by_another_token = route.path.startswith(_BY_ANOTHER_TOKEN)
        if route.path not in _LOGGING_IN:
            self._pass(by_another_token=by_another_token)
        tells_of_us = self.is_known and not by_another_token
        try:
            done = await super().request(route, **more)
        except discord.HTTPException as error:
            if tells_of_us:
                self._learn(error.status)
            raise
        if tells_of_us:
            self._learn(200)
        return done

    async def start_over(self) -> None:
        """Forget a login that came to nothing: the next one makes its connections anew."""
        self.is_known = False
        await self.close()
        self.clear()
        self.connector = MISSING

    def _pass(self, *, by_another_token: bool) -> None:
        """Raise where a call is of no use. One by another token tells nothing of ours, nor depends on it."""
        if not self.is_known:
            raise Unreachable("Discord has not told us yet who we are")
        now = self._clock.monotonic()
        if self._shut_until is not None and not by_another_token:
            if now < self._shut_until:
                raise AccountRefused("Discord does not accept the bot token (not asked again yet)")
            self._shut_until = now + ASIDE  # this call is the one that tells

    def _learn(self, status: int) -> None:
        """Shut after a refused token, which is said once; open again when the token was good for a reply."""
        if status == 401:
            if self._shut_until is None:
                log.error(_ALERT)
            self._shut_until = self._clock.monotonic() + ASIDE
        elif self._shut_until is not None and status < 500 and status != 429:
            self._shut_until = None
            log.info("discord accepts the bot token again")
