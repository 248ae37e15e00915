"""Discord's side of a running Threadline, put together from plain values: client, poster, listeners."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import discord
from starlette.routing import Route

from bots.discord.catch_up import AGAIN_AFTER, CatchUp
from bots.discord.choices import Choices
from bots.discord.client import ThreadlineClient, let_in, log_in, pointed_at, stay_connected
from bots.discord.commands import Commands
from bots.discord.fetching import Fetching
from bots.discord.forms import Forms
from bots.discord.intake import Intake
from bots.discord.marks import Marks
from bots.discord.members import Members
from bots.discord.opening import Opening
from bots.discord.outbound import DiscordPoster
from bots.discord.receipts import Receipts
from bots.discord.replies import Replies
from bots.discord.tree import command_tree
from bots.discord.typists import Typing
from bots.errands import Errands
from core.clock import Clock
from core.errors import Retryable
from core.model import ThreadKey
from core.ports import Catalogue, Poster
from core.services.asking import Asking
from core.services.collecting import Collecting
from core.services.linking import Linking

_READY_WITHIN = 5.0  # seconds; later the connection comes about by itself


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
    catalogue: Catalogue,
    move: Callable[[ThreadKey, str], Awaitable[bool]],
) -> AsyncIterator["DiscordSide"]:
    """Log in and give everything that talks with Discord; `move` is the port's, for threads once opened.

    Raises ConnectionRefused, and other errors of core.errors.
    """
    client = ThreadlineClient(clock, message_content=access.message_content, proxy=access.proxy)
    with pointed_at(access.api_url, access.gateway_url):
        side = DiscordSide(access, client, clock, admins=admins, catalogue=catalogue, move=move)
        try:
            await log_in(client, access.token)
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
        catalogue: Catalogue,
        move: Callable[[ThreadKey, str], Awaitable[bool]],
    ) -> None:
        self._access = access
        self._client = client
        self._clock = clock
        self._admins = admins
        self._typing = Typing(client, clock)
        self._choices = Choices(catalogue, clock)
        self._errands = Errands()
        self._receipts = Receipts(access.token)
        self._marks = Marks(access.token)
        self._members = Members(client, clock)
        self._replies = Replies(client)
        self._opening = Opening(client, self._replies, self._receipts, move)
        self._catching: asyncio.Task[None] | None = None
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

    async def attach(self, asking: Asking, linking: Linking, collecting: Collecting) -> list[Route]:
        """Bind the listeners to the services; nothing comes in by HTTP."""
        everything = self._access.message_content
        intake = Intake(
            self._client,
            asking,
            opening=self._opening,
            replies=self._replies,
            receipts=self._receipts,
            errands=self._errands,
            reads_everything=everything,
        )
        commands = Commands(
            intake,
            linking,
            self._choices,
            Fetching(collecting, self._replies, self._marks),
            self._members,
            admins=self._admins,
            reads_everything=everything,
        )
        command_tree(self._client, commands)
        self._intake = intake
        self._catch_up = CatchUp(self._client, asking, linking, self._clock, intake.message)
        await self._catch_up.remember()
        self._client.on_said = self._hear
        self._client.on_form = Forms(intake, self._marks).on_form
        self._client.on_failed = commands.failed
        self._client.on_again = self._catch_up.want
        self._catching = asyncio.create_task(self._catch_up.keep_up(), name="discord catch up")
        return []

    async def listen(self) -> "asyncio.Task[None]":
        """Open the gateway; return the task that ends when Discord will not have us any more."""
        self._connecting = asyncio.create_task(
            stay_connected(self._client, self._clock), name="discord gateway"
        )
        await let_in(self._client, self._connecting, _READY_WITHIN)
        return self._connecting

    async def hush(self) -> None:
        """Take nothing more in, and finish what was asked for; answers can be posted still."""
        self._client.on_said = self._client.on_form = self._client.on_again = None
        for task in (self._catching, self._connecting):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._connecting is not None:
            await self._client.let_go()
        await self._errands.aclose()

    async def aclose(self) -> None:
        """Stop what is still shown; nothing can be posted any more."""
        await self._typing.aclose()
        await self._client.close()

    async def _hear(self, message: discord.Message) -> None:
        """Take a message in. What could not be stored is looked for once more, as Discord tells it once."""
        try:
            await self._errands.carry(self._intake.message(message))
        except Retryable:
            self._catch_up.want(AGAIN_AFTER)
            raise
