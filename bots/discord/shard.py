"""One shard of the gateway: its client, and all that is heard over it. It posts nothing by itself."""

import asyncio
from dataclasses import dataclass

import discord
import structlog

from bots.discord.accounts import AccountForm
from bots.discord.catch_up import AGAIN_AFTER, CatchUp
from bots.discord.choices import Choices
from bots.discord.client import ThreadlineClient, stay_connected
from bots.discord.commands import Commands
from bots.discord.fetching import Fetching
from bots.discord.forms import Forms
from bots.discord.hearing import Hearing
from bots.discord.intake import Intake
from bots.discord.leaving import Leaving
from bots.discord.marks import Marks
from bots.discord.members import Members
from bots.discord.opening import Opening
from bots.discord.owed import Owed
from bots.discord.receipts import Receipts
from bots.discord.replies import Replies
from bots.discord.tree import command_tree
from bots.discord.trust import Trust
from bots.errands import Errands
from core.clock import Clock
from core.errors import Retryable
from core.services.offered import Services
from core.services.seating import Sitting

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the shards of a process have in common, with who posts."""

    clock: Clock
    admins: frozenset[str]
    reads_everything: bool
    errands: Errands
    owed: Owed
    receipts: Receipts
    marks: Marks
    members: Members
    replies: Replies
    opening: Opening


class Shard:
    """Hears what is said in its share of the servers, and catches up with what nobody has heard there."""

    def __init__(self, client: ThreadlineClient, shared: Shared, services: Services) -> None:
        """Bind the listeners to the services."""
        self.client = client
        self._shared = shared
        asking, linking, clock = services.asking, services.linking, shared.clock
        intake = Intake(
            client,
            asking,
            services.stopping,
            opening=shared.opening,
            replies=shared.replies,
            receipts=shared.receipts,
            errands=shared.errands,
        )
        trust = Trust(intake, shared.admins)
        accounts = AccountForm(services.accounting, intake, trust)
        commands = Commands(
            intake,
            linking,
            services.accounting,
            Fetching(services.collecting, shared.replies, shared.marks),
            shared.members,
            choices=Choices(services.accounting.projects, clock),
            accounts=accounts,
            trust=trust,
            reads_everything=shared.reads_everything,
        )
        command_tree(client, commands)
        self._hearing = self._hearing_over(services)
        self._leaving = Leaving(client, services.purging, linking, shared.owed, clock)
        self._catch_up = CatchUp(client, asking, linking, clock, self._hearing.message)
        self._catching: asyncio.Task[None] | None = None
        self._has_run = False
        self._bind(commands, Forms(intake, shared.marks, accounts))

    async def begin(self) -> None:
        """Note how far our threads had come, before anything is heard."""
        await self._catch_up.remember()
        self._catching = asyncio.create_task(self._catch_up.keep_up(), name="discord catch up")

    async def run(self, sitting: Sitting) -> None:
        """Stay connected, with the shard's seat, until cancelled. Raises ConnectionRefused."""
        if self._has_run:  # meanwhile another process may have heard what we have not
            await self._remember_anew()
        self._has_run = True
        self.client.is_ours = sitting.ours
        try:
            await stay_connected(self.client, self._shared.clock)
        finally:
            await self.client.let_go()

    def deafen(self) -> None:
        """Take nothing more in, whatever comes."""
        client = self.client
        client.on_said = client.on_form = client.on_pressed = client.on_again = None
        client.on_edited = client.on_half_edited = client.on_deleted = client.on_left = None

    async def end(self) -> None:
        """Stop catching up."""
        if self._catching is not None:
            self._catching.cancel()
            await asyncio.gather(self._catching, return_exceptions=True)

    async def _remember_anew(self) -> None:
        try:
            await self._catch_up.remember()
        except Retryable as error:
            log.warning("looking from where we began", error=type(error).__name__, said=str(error))

    def _bind(self, commands: Commands, forms: Forms) -> None:
        client, hearing = self.client, self._hearing
        client.on_said = self._hear
        client.on_form, client.on_pressed = forms.on_form, forms.on_pressed
        client.on_failed = commands.failed
        client.on_again = self._look_back
        client.on_edited, client.on_half_edited = hearing.edited, hearing.half_edited
        client.on_deleted, client.on_left = hearing.deleted, self._leaving.left

    async def _hear(self, message: discord.Message) -> None:
        """Take a message in. What could not be stored is looked for once more, as Discord tells it once."""
        try:
            await self._shared.errands.carry(self._hearing.message(message))
        except Retryable:
            self._catch_up.want(AGAIN_AFTER)
            raise

    def _look_back(self) -> None:
        """Look for what was missed before this session."""
        self._catch_up.want()
        self._leaving.missed(self.client.guilds_before())

    def _hearing_over(self, services: Services) -> Hearing:
        shared = self._shared
        return Hearing(
            self.client,
            services.asking,
            services.amending,
            opening=shared.opening,
            replies=shared.replies,
            errands=shared.errands,
            owed=shared.owed,
            clock=shared.clock,
            reads_everything=shared.reads_everything,
        )
