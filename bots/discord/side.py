"""Discord's side of a running Threadline, put together from plain values: client, poster, listeners."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import discord
import structlog
from starlette.routing import Route

from bots.discord.accounts import AccountForm
from bots.discord.catch_up import AGAIN_AFTER, CatchUp
from bots.discord.choices import Choices
from bots.discord.client import ThreadlineClient, let_in, log_in, pointed_at, stay_connected
from bots.discord.commands import Commands
from bots.discord.fetching import Fetching
from bots.discord.forms import Forms
from bots.discord.hearing import Hearing
from bots.discord.intake import Intake
from bots.discord.leaving import Leaving
from bots.discord.line import Pauses
from bots.discord.marks import Marks
from bots.discord.members import Members
from bots.discord.opening import Opening
from bots.discord.outbound import DiscordPoster
from bots.discord.owed import Owed
from bots.discord.receipts import Receipts
from bots.discord.replies import Replies
from bots.discord.tree import command_tree
from bots.discord.trust import Trust
from bots.discord.typists import Typing
from bots.errands import Errands
from core.clock import Clock
from core.errors import RateLimited, Retryable
from core.model import ThreadKey
from core.ports import Poster
from core.services.offered import Services

log = structlog.get_logger(__name__)

_READY_WITHIN = 5.0  # seconds, for the login and then for the connection; later they come about by themselves
_LONGEST_TOLD_WAIT = 3600.0  # seconds for which a login waits if Discord names a longer time still


@dataclass(frozen=True, slots=True)
class Access:
    """What Discord knows the bot by. Without a `gateway_url` Discord's own is used."""

    token: str
    api_url: str
    gateway_url: str | None = None
    message_content: bool = False
    proxy: str | None = None


@asynccontextmanager
async def discord_side(
    access: Access,
    clock: Clock,
    admins: frozenset[str],
    move: Callable[[ThreadKey, str], Awaitable[bool]],
) -> AsyncIterator["DiscordSide"]:
    """Log in and give everything that talks with Discord; `move` is the port's, for threads once opened.

    A Discord that is away keeps nobody: `listen` goes on trying, and what is posted meanwhile fails as
    Unreachable. Raises ConnectionRefused, and other Permanent errors of core.errors.
    """
    client = ThreadlineClient(clock, message_content=access.message_content, proxy=access.proxy)
    with pointed_at(access.api_url, access.gateway_url):
        side = DiscordSide(access, client, clock, admins=admins, move=move)
        try:
            await _try_to_log_in(client, access.token)
            yield side
        finally:
            await side.aclose()


class DiscordSide:
    """The poster, which delivers; and the listeners, which begin with `attach` and `listen`."""

    def __init__(
        self,
        access: Access,
        client: ThreadlineClient,
        clock: Clock,
        *,
        admins: frozenset[str],
        move: Callable[[ThreadKey, str], Awaitable[bool]],
    ) -> None:
        self._access = access
        self._client = client
        self._clock = clock
        self._admins = admins
        self._typing = Typing(client, clock)
        self._errands = Errands()
        self._owed = Owed(clock, self._errands)
        self._receipts = Receipts(access.token)
        self._marks = Marks(access.token)
        self._members = Members(client, clock)
        self._replies = Replies(client)
        self._opening = Opening(client, self._replies, self._receipts, move)
        self._catching: asyncio.Task[None] | None = None
        self._owing: asyncio.Task[None] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self.poster: Poster = DiscordPoster(
            client,
            opening=self._opening,
            replies=self._replies,
            receipts=self._receipts,
            marks=self._marks,
            members=self._members,
            typing=self._typing,
            clock=clock,
            hints=not access.message_content,
        )

    @property
    def name(self) -> str:
        """The bot's own name."""
        return self._client.user.name if self._client.user is not None else ""

    async def attach(self, services: Services) -> list[Route]:
        """Bind the listeners to the services; nothing comes in by HTTP."""
        asking, linking, collecting = services.asking, services.linking, services.collecting
        everything = self._access.message_content
        intake = Intake(
            self._client,
            asking,
            services.stopping,
            opening=self._opening,
            replies=self._replies,
            receipts=self._receipts,
            errands=self._errands,
        )
        trust = Trust(intake, self._admins)
        accounts = AccountForm(services.accounting, intake, trust)
        commands = Commands(
            intake,
            linking,
            services.accounting,
            Fetching(collecting, self._replies, self._marks),
            self._members,
            choices=Choices(services.accounting.projects, self._clock),
            accounts=accounts,
            trust=trust,
            reads_everything=everything,
        )
        command_tree(self._client, commands)
        self._hearing = self._hearing_over(services)
        self._leaving = Leaving(self._client, services.purging, linking, self._owed)
        self._catch_up = CatchUp(self._client, asking, linking, self._clock, self._hearing.message)
        await self._catch_up.remember()
        forms = Forms(intake, self._marks, accounts)
        self._client.on_said = self._hear
        self._client.on_form, self._client.on_pressed = forms.on_form, forms.on_pressed
        self._client.on_failed = commands.failed
        self._client.on_again = self._look_back
        self._client.on_edited, self._client.on_half_edited = self._hearing.edited, self._hearing.half_edited
        self._client.on_deleted, self._client.on_left = self._hearing.deleted, self._leaving.left
        self._catching = asyncio.create_task(self._catch_up.keep_up(), name="discord catch up")
        self._owing = asyncio.create_task(self._owed.keep_up(), name="discord changes")
        return []

    async def listen(self) -> "asyncio.Task[None]":
        """Open the gateway; return the task that ends when Discord will not have us any more.

        A Discord that did not answer the login is not waited for.
        """
        self._connecting = asyncio.create_task(
            _stay_logged_in(self._client, self._access.token, self._clock), name="discord gateway"
        )
        if self._client.http.is_known:
            await let_in(self._client, self._connecting, _READY_WITHIN)
        return self._connecting

    async def hush(self) -> None:
        """Take nothing more in, and finish what was asked for; answers can be posted still."""
        self._client.on_said = self._client.on_form = self._client.on_pressed = self._client.on_again = None
        self._client.on_edited = self._client.on_half_edited = self._client.on_deleted = None
        self._client.on_left = None
        for task in (self._catching, self._owing, self._connecting):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._connecting is not None:
            await self._client.let_go()
        self._errands.run(self._owed.finish())
        await self._errands.aclose()

    async def aclose(self) -> None:
        """Stop what is still shown; nothing can be posted any more."""
        await self._typing.aclose()
        await self._client.close()

    async def _hear(self, message: discord.Message) -> None:
        """Take a message in. What could not be stored is looked for once more, as Discord tells it once."""
        try:
            await self._errands.carry(self._hearing.message(message))
        except Retryable:
            self._catch_up.want(AGAIN_AFTER)
            raise

    def _look_back(self) -> None:
        """Look for what was missed before this session."""
        self._catch_up.want()
        self._leaving.missed(self._client.guilds_before())

    def _hearing_over(self, services: Services) -> Hearing:
        return Hearing(
            self._client,
            services.asking,
            services.amending,
            opening=self._opening,
            replies=self._replies,
            errands=self._errands,
            owed=self._owed,
            clock=self._clock,
            reads_everything=self._access.message_content,
        )


async def _try_to_log_in(client: ThreadlineClient, token: str) -> None:
    try:
        await log_in(client, token, _READY_WITHIN)
    except Retryable as error:
        log.warning("discord is away", error=type(error).__name__, said=str(error))


async def _stay_logged_in(client: ThreadlineClient, token: str, clock: Clock) -> None:
    """Log in, however long that takes, and stay connected. Raises ConnectionRefused where that is no use."""
    pauses = Pauses(random.SystemRandom().random)
    while not client.http.is_known:
        try:
            await log_in(client, token)
        except Retryable as error:
            pause = max(pauses.after(None), _named(error))
            log.warning("discord is away", said=str(error), failed=pauses.failed, waiting=round(pause, 1))
            await clock.sleep(pause)
    await stay_connected(client, clock)


def _named(error: Retryable) -> float:
    """Return for how many seconds Discord asks us not to log in, within reason."""
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return min(error.retry_after.total_seconds(), _LONGEST_TOLD_WAIT)
    return 0.0
