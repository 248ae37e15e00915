"""Takes in what is asked by commands, forms and menus: committed first, then shown. It hears no messages."""

import asyncio
from dataclasses import dataclass
from typing import Any

import discord
import structlog

from bots import texts
from bots.discord.calls import calling
from bots.discord.inbound import Where
from bots.discord.keys import Kind, thread_key
from bots.discord.looking import look
from bots.discord.messages import Said
from bots.discord.opening import Opening
from bots.discord.permissions import missing, trouble
from bots.discord.receipts import Receipts, Ticket
from bots.discord.replies import Replies
from bots.errands import Errands
from core.errors import Retryable, StoreUnavailable, ThreadlineError
from core.model import AuthorId, EventId, MessageId, Outcome, ProjectId, Question, ThreadKey
from core.services.asking import Asking
from core.services.stopping import Stopping, says_stop
from core.text import clean

log = structlog.get_logger(__name__)

#: Seconds we wait for the database before we answer "thinking": Discord allows three in all.
_COMMIT_WITHIN = 2.0
_FRESH = frozenset({Outcome.ACCEPTED, Outcome.UNLINKED})


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks by a command, a form or a menu. `shown` is how others see it, if not as `text`."""

    text: str
    shown: str = ""
    project: ProjectId | None = None
    private: bool = False
    thread: ThreadKey | None = None  #: the conversation that goes on, None for the place's own


class Intake:
    """Offers what is asked to `Asking`, and sees to its being shown; or to `Stopping`, if it is that."""

    def __init__(
        self,
        client: discord.Client,
        asking: Asking,
        stopping: Stopping,
        *,
        opening: Opening,
        replies: Replies,
        receipts: Receipts,
        errands: Errands,
    ) -> None:
        self._client = client
        self._asking = asking
        self._stopping = stopping
        self._opening = opening
        self._replies = replies
        self._receipts = receipts
        self._errands = errands

    async def where(self, channel: object, guild: int | None) -> Where:
        """Read a channel, and ask Discord about one that is not known yet."""
        return await look(self._client, channel, guild)

    async def interaction(self, interaction: discord.Interaction[Any], asked: Asked) -> None:
        """Take in what is asked by an interaction: commit, then show it, in whatever way is left.

        It goes to its end, also where Discord's connection does meanwhile.
        """
        await self._errands.carry(self._interaction(interaction, asked))

    async def _interaction(self, interaction: discord.Interaction[Any], asked: Asked) -> None:
        here = await self.where(interaction.channel, interaction.guild_id)
        if says_stop(clean(asked.text).strip()):
            await self._stop(interaction, asked.thread or await self._key(interaction, here, asked))
            return
        lacking = missing(interaction, here)
        if lacking and not asked.private:
            await self.say(interaction, texts.may_not_write(lacking))
            return
        header = clean(texts.asked(interaction.user.id, asked.shown or asked.text, asked.project))
        ticket = Ticket(interaction.id, interaction.token, header)
        question = await self._asked(interaction, here, asked, ticket)
        opens = question.thread.thread.startswith(Kind.BEGUN.value) and self._opening.begin(question.thread)
        self._opening.attend(ticket)
        accepting = asyncio.create_task(self._asking.accept(question))
        await asyncio.wait([accepting], timeout=_COMMIT_WITHIN)
        failed = accepting.done() and accepting.exception() is not None
        if not failed:
            await self._defer(interaction, private=asked.private)
        self._opening.heard(ticket)
        outcome = Outcome.IGNORED
        try:
            outcome = await accepting
        except StoreUnavailable as error:
            log.warning("question not stored", event_id=question.event, said=str(error))
            await (
                self.say(interaction, texts.NOT_STORED) if failed else self._edit(ticket, texts.NOT_STORED)
            )
            return
        finally:
            if opens and outcome not in _FRESH:
                self._opening.forget(question.thread)
        log.info("question offered", outcome=outcome.value, event_id=question.event)
        await self._show(
            question, ticket, outcome, asked, opens=opens, trouble=trouble(interaction.app_permissions)
        )

    async def stop(self, interaction: discord.Interaction[Any], thread: ThreadKey) -> None:
        """Let go of what an interaction's author waits for in a conversation, and tell them alone."""
        await self._errands.carry(self._stop(interaction, thread))

    async def _stop(self, interaction: discord.Interaction[Any], thread: ThreadKey) -> None:
        await self.think(interaction)
        stopped = await self._stopping.stop(thread, AuthorId(str(interaction.user.id)))
        log.info("stopped", questions=stopped)
        await self.say(interaction, texts.stopped(stopped))

    async def think(self, interaction: discord.Interaction[Any]) -> None:
        """Tell an interaction's author alone that an answer will come: before what may take long."""
        await self._defer(interaction, private=True)

    async def say(self, interaction: discord.Interaction[Any], words: str) -> None:
        """Answer an interaction, to its author alone: at once, or after `think`."""
        if interaction.response.is_done():
            await self._replies.edit(Ticket(interaction.id, interaction.token, ""), Said(words))
            return
        async with calling():
            await interaction.response.send_message(
                words, ephemeral=True, allowed_mentions=discord.AllowedMentions.none(), suppress_embeds=True
            )

    async def confirm(self, interaction: discord.Interaction[Any], words: str) -> None:
        """Say what was done. It stays done where that cannot be said."""
        try:
            await self.say(interaction, words)
        except ThreadlineError as error:
            log.warning("confirmation not shown", error=type(error).__name__, said=str(error))

    async def _show(
        self,
        question: Question,
        ticket: Ticket,
        outcome: Outcome,
        asked: Asked,
        *,
        opens: bool,
        trouble: str,
    ) -> None:
        if outcome is Outcome.REFUSED:
            await self._edit(ticket, texts.TOO_MANY_HERE)
        elif outcome is Outcome.DUPLICATE or asked.private:
            return  # an answer's first part, or a notice, will take the place of "thinking"
        elif opens:
            await self._opened(self._opening.from_reply(question.thread, ticket, trouble))
        else:
            await self._edit(ticket, ticket.header)

    async def _asked(
        self, interaction: discord.Interaction[Any], here: Where, asked: Asked, ticket: Ticket
    ) -> Question:
        thread = asked.thread or await self._key(interaction, here, asked)
        return Question(
            event=EventId(str(interaction.id)),
            message=MessageId(str(interaction.id)),
            thread=thread,
            author=AuthorId(str(interaction.user.id)),
            text=asked.text,
            asked_at=interaction.created_at,
            project=asked.project,
            receipt=self._receipts.seal(ticket),
        )

    async def _key(self, interaction: discord.Interaction[Any], here: Where, asked: Asked) -> ThreadKey:
        """A private conversation is its own; so is one in the channel, or about another project directly."""
        begun = thread_key(here.workspace, here.channel, interaction.id, Kind.BEGUN)
        standing = here.key(interaction.id)
        if asked.private:
            return thread_key(here.workspace, here.channel, interaction.id, Kind.PRIVATE)
        if not here.is_direct:
            return begun if here.thread is None else standing
        same = asked.project is None or await self._asking.project_of(standing) in {None, asked.project}
        return standing if same else begun

    async def _defer(self, interaction: discord.Interaction[Any], *, private: bool) -> None:
        """Tell Discord that an answer will come. Too late for that, the answer comes all the same."""
        try:
            async with calling():
                await interaction.response.defer(ephemeral=private, thinking=True)
        except ThreadlineError as error:
            log.warning("not acknowledged", error=type(error).__name__, said=str(error))

    async def _edit(self, ticket: Ticket, words: str) -> None:
        try:
            await self._replies.edit(ticket, Said(words))
        except ThreadlineError as error:
            log.warning("an interaction's message is not shown", error=type(error).__name__, said=str(error))
            if isinstance(error, Retryable):
                self._opening.leave(ticket)

    @staticmethod
    async def _opened(opening: Any) -> None:
        try:
            await opening
        except ThreadlineError as error:  # who posts will try again
            log.info("no thread opened yet", error=type(error).__name__, said=str(error))
