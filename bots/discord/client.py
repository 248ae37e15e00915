"""The gateway client: what is listened to, how identifies are paced, when a connection is given up."""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bots.discord.calls import DEADLINE, calling
from bots.discord.gate import GatedHttp
from bots.discord.line import Line
from bots.discord.pacing import NotYet, Paced
from bots.discord.views import FollowUpButton
from core.clock import Clock
from core.errors import AccountRefused, Permanent, ThreadlineError

log = structlog.get_logger(__name__)

#: Waits for a rate limit that discord.py sees to itself, in seconds: its smallest setting.
LONGEST_PATIENCE = 30.0
#: Seconds without a heartbeat's answer after which a connection counts as dead.
HEARTBEAT_TIMEOUT = 60.0


class ConnectionRefused(Permanent):
    """Discord does not let the bot connect: someone has to set something right."""


_BAD_TOKEN = "Discord does not accept DISCORD_TOKEN. Copy it again: Developer Portal → Bot → Reset Token."  # noqa: S105 no token
_NO_INTENT = (
    "DISCORD_MESSAGE_CONTENT is on, but the bot lacks the Message Content intent. Switch it on in the "
    "Developer Portal → Bot → Privileged Gateway Intents, or take DISCORD_MESSAGE_CONTENT away: mentions and "
    "/ask work without it."
)

_PUBLIC = (
    "Anybody can add this bot to their server, and would ask under MICROVISUALIZER_API_KEY there. In the "
    "Developer Portal set Installation → Install Link to None and switch Bot → Public Bot off, so that only "
    "its owner can add it; or set THREADLINE_TRUSTED_WORKSPACES to your servers' numbers (* for any server)."
)


def intents(*, message_content: bool) -> discord.Intents:
    """Return what we listen to, and nothing else: no members, no presences."""
    return discord.Intents(
        guilds=True, guild_messages=True, dm_messages=True, message_content=message_content
    )


class ThreadlineClient(Paced):
    """Passes messages, forms and readiness on, to what is set before the gateway is opened."""

    http: GatedHttp

    def __init__(
        self,
        clock: Clock,
        *,
        message_content: bool,
        proxy: str | None,
        private: bool = False,
        heartbeat_timeout: float = HEARTBEAT_TIMEOUT,
        of: "ThreadlineClient | None" = None,
    ) -> None:
        """`private`: only its owner may be able to add the bot. `of`: the client that has logged in, and
        whose calls are made for this one, too."""
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody speaks here
        super().__init__(
            clock,
            intents=intents(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            heartbeat_timeout=heartbeat_timeout,
            max_messages=None,
        )
        own = GatedHttp(self.loop, clock, proxy=proxy, patience=LONGEST_PATIENCE)
        self._own_http = own
        self.http = self._connection.http = own if of is None else of.http
        self._of = of
        self.private = private
        self._has_looked_back = False
        self.is_ours: Callable[[], bool] = lambda: True
        self.let_in = asyncio.Event()
        self.on_said: Callable[[discord.Message], Awaitable[object]] | None = None
        self.on_form: Callable[[discord.Interaction[Any]], Awaitable[None]] | None = None
        self.on_pressed: Callable[[discord.Interaction[Any]], Awaitable[None]] | None = None
        self.on_failed: Callable[[discord.Interaction[Any], Exception], Awaitable[None]] | None = None
        self.on_again: Callable[[], None] | None = None
        self.add_dynamic_items(FollowUpButton)

    def be(self, shard: int, count: int) -> None:
        """Become a shard, before the gateway is opened."""
        self.shard_id, self.shard_count = shard, count
        self._connection.shard_count = count

    async def log_in_as_another(self) -> None:
        """Know who we are as the client does that has logged in."""
        if self._of is not None:
            await self._async_setup_hook()
            ours, theirs = self._connection, self._of._connection
            ours.user, ours.application_id = theirs.user, theirs.application_id
            ours.application_flags = theirs.application_flags

    async def close(self) -> None:
        """Close the connections; those of calls are closed by the client that has logged in."""
        self.http = self._own_http
        await super().close()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Pass nothing on after the end: discord.py announces "ready" some seconds late, to nobody then.

        Nor where the shard has become another process's.
        """
        if not self.is_closed() and self.is_ours():
            super().dispatch(event, *args, **kwargs)

    async def on_connect(self) -> None:
        """Note that the gateway has let us in, in a new session: what is known of guilds comes after that."""
        self._has_looked_back = False
        self.let_in.set()

    async def on_guild_available(self, _: discord.Guild) -> None:
        """Look for what was missed as soon as all guilds are known."""
        if not any(guild.unavailable for guild in self.guilds):
            self._look_back()

    async def on_message(self, message: discord.Message) -> None:
        """Pass a message on, live."""
        if self.on_said is not None:
            try:
                await self.on_said(message)
            except ThreadlineError as error:  # what can be stored later is looked for again
                log.warning("message not taken in", error=type(error).__name__, said=str(error))

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Pass a filled-in form on, or a press: also one that was shown by a process that is gone."""
        if interaction.type is discord.InteractionType.modal_submit and self.on_form is not None:
            await self.on_form(interaction)
        elif interaction.type is discord.InteractionType.component and self.on_pressed is not None:
            await self.on_pressed(interaction)

    async def on_ready(self) -> None:
        """Look for what was missed, whether or not all guilds are known. (Commands are never synced here.)"""
        log.info("discord ready", guilds=len(self.guilds))
        self._look_back()

    async def on_error(self, event_method: str, /, *told: Any, **_: Any) -> None:
        """Tell whose interaction it was that a listener failed; of anything else only the log tells."""
        error = sys.exception()
        asked = next((one for one in told if isinstance(one, discord.Interaction)), None)
        if asked is not None and self.on_failed is not None and isinstance(error, Exception):
            await self.on_failed(asked, error)
        else:
            log.exception("listener failed", listener=event_method)

    def _look_back(self) -> None:
        """Have it looked for what was missed, once for each new session."""
        if self.on_again is not None and not self._has_looked_back:
            self._has_looked_back = True
            self.on_again()


async def log_in(client: ThreadlineClient, token: str, within: float = DEADLINE) -> None:
    """Ask Discord who we are, for so many seconds at most; until it tells, nothing is sent there.

    Raises ConnectionRefused for a bad token, for an intent that is missing (an identify is not spent on
    finding that out), and where a bot is public that must not be. Raises other errors of core.errors.
    """
    client.http.is_known = False
    try:
        async with calling(within):
            await client.login(token)
    except AccountRefused as error:
        raise ConnectionRefused(_BAD_TOKEN) from error
    except ThreadlineError:
        await client.http.start_over()
        raise
    flags = client.application_flags  # bots of few servers have the limited one
    may_read = flags.gateway_message_content or flags.gateway_message_content_limited
    if client.intents.message_content and not may_read:
        raise ConnectionRefused(_NO_INTENT)
    if client.private and client.application is not None and client.application.bot_public:
        raise ConnectionRefused(_PUBLIC)
    client.http.is_known = True


async def stay_connected(client: ThreadlineClient, clock: Clock) -> None:
    """Keep the gateway open until the client is closed. Raises ConnectionRefused where that is no use."""
    line = Line(client, clock, random.SystemRandom().random)
    while not client.is_closed():
        try:
            await line.follow()
        except NotYet as early:
            await client.wait_out(early)
        except discord.ConnectionClosed as error:
            raise _refusal(error) from error


def _refusal(error: discord.ConnectionClosed) -> ConnectionRefused:
    if error.code == 4014:
        return ConnectionRefused(_NO_INTENT)
    if error.code == 4004:
        return ConnectionRefused(_BAD_TOKEN)
    why = f"code {error.code}: {error.reason or 'no reason given'}"
    return ConnectionRefused(f"Discord closed the connection for good ({why}).")


@contextmanager
def pointed_at(api_url: str, gateway_url: str | None) -> Iterator[None]:
    """Have discord.py talk with these addresses, which it keeps for the whole process."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE = api_url
    if gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


async def let_in(client: ThreadlineClient, connecting: "asyncio.Task[None]", seconds: float) -> None:
    """Wait until the gateway has let us in, for so long; raises what the connection died of."""
    waiting = asyncio.create_task(client.let_in.wait())
    try:
        await asyncio.wait([waiting, connecting], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if connecting.done():
            connecting.result()
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
