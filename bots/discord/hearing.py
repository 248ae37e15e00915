"""Takes in what people write, and what becomes of it: messages, their edits, their deletions."""

from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TypeVar

import discord
import structlog

from bots.discord.calls import calling
from bots.discord.inbound import Where, is_talk, to_question, withdrawn
from bots.discord.keys import DISCORD, Kind, spot
from bots.discord.looking import look
from bots.discord.naming import thread_name
from bots.discord.opening import Opening, Place
from bots.discord.owed import Owed
from bots.discord.permissions import permissions, trouble
from bots.discord.replies import Replies
from bots.errands import Errands
from core.clock import Clock
from core.errors import ThreadlineError
from core.model import Amendment, ChannelKey, MessageId, Outcome, Question
from core.services.amending import Amending
from core.services.asking import Asking

log = structlog.get_logger(__name__)

Came = TypeVar("Came", Outcome, Amendment)

_FRESH = frozenset({Outcome.ACCEPTED, Outcome.UNLINKED, Amendment.TAKEN})
_SILENT = frozenset({Amendment.UNKNOWN, Amendment.UNCHANGED})
_REMEMBERED = 10_000
_LATELY = timedelta(hours=24)  # as long as a question is tried
_PLACES = 50


class Hearing:
    """Offers what is written to `Asking` and `Amending`, and sees to the thread of what begins one."""

    def __init__(
        self,
        client: discord.Client,
        asking: Asking,
        amending: Amending,
        *,
        opening: Opening,
        replies: Replies,
        errands: Errands,
        owed: Owed,
        clock: Clock,
        reads_everything: bool,
    ) -> None:
        self._client = client
        self._asking = asking
        self._amending = amending
        self._opening = opening
        self._replies = replies
        self._errands = errands
        self._owed = owed
        self._clock = clock
        self._reads_everything = reads_everything
        self._gone: dict[int, None] = {}

    async def message(self, message: discord.Message, counts_unaddressed: bool = True) -> Outcome:
        """Take in a message, live or looked up. Raises errors of core.errors: then it is not stored.

        Without `counts_unaddressed` one that goes on in a thread of ours must mention us.
        """
        if not is_talk(message):
            return Outcome.IGNORED
        here = await self._where(message)
        if self._is_gone(message):  # meanwhile; what is offered now is known before it can be
            return Outcome.IGNORED
        question = to_question(message, here, me=self._me, reads_everything=self._reads_everything)
        if question is None or not (counts_unaddressed or question.addressed or question.begins):
            return Outcome.IGNORED
        outcome = await self._offer(message, here, question, self._asking.accept)
        log.info("question offered", outcome=outcome.value, event_id=question.event)
        if outcome is Outcome.DUPLICATE:  # and perhaps edited while nobody listened
            self.edited(message)
        return outcome

    def edited(self, message: discord.Message) -> None:
        """Have a message's latest text taken in. A link's preview, or a thread at it, is no edit."""
        if is_talk(message) and message.edited_at is not None:
            self._owed.owe(message.id, partial(self._edit, message))

    def half_edited(self, guild: int | None, channel: int, message: int) -> None:
        """Have an edit taken in of which we were not told all: the message is fetched."""
        self._owed.owe(message, partial(self._fetch, guild, channel, message))

    def deleted(self, guild: int | None, channel: int, messages: Collection[int]) -> None:
        """Have it noted that messages are gone: none of them is taken in from now on."""
        for message in messages:
            self._owed.forget(message)
            self._gone[message] = None
        while len(self._gone) > _REMEMBERED:
            del self._gone[next(iter(self._gone))]
        self._owed.owe(("gone", *messages), partial(self._delete, guild, channel, messages))

    @property
    def _me(self) -> int:
        return 0 if self._client.user is None else self._client.user.id

    async def _where(self, message: discord.Message) -> Where:
        return await look(self._client, message.channel, None if message.guild is None else message.guild.id)

    def _is_gone(self, message: discord.Message) -> bool:
        """Whether it was deleted, or we have left its server, of which nothing must be kept then."""
        guild = message.guild.id if message.guild is not None else getattr(message.channel, "guild_id", None)
        left = guild is not None and self._client.get_guild(guild) is None
        return left or message.id in self._gone

    async def _fetch(self, guild: int | None, channel: int, message: int) -> None:
        async with calling():
            where = self._client.get_partial_messageable(channel, guild_id=guild)
            found = await where.fetch_message(message)
        if is_talk(found):
            await self._edit(found)

    async def _edit(self, message: discord.Message) -> None:
        here = await self._where(message)
        if self._is_gone(message):
            return
        me, reads_everything = self._me, self._reads_everything
        question = to_question(message, here, me=me, reads_everything=reads_everything)
        question = question or withdrawn(message, here, me=me, reads_everything=reads_everything)
        if question is None:
            log.info("an edit that we are not shown", event_id=str(message.id))
            return
        amendment = await self._offer(message, here, question, self._amending.edited)
        if amendment not in _SILENT:
            log.info("question edited", amendment=amendment.value, event_id=question.event)

    async def _offer(
        self,
        message: discord.Message,
        here: Where,
        question: Question,
        take: Callable[[Question], Awaitable[Came]],
    ) -> Came:
        """Offer a question; if it begins a conversation, have a thread opened for it."""
        begins = here.thread is None and not here.is_direct and question.thread == here.key(message.id)
        opens = begins and self._opening.begin(question.thread)
        came: Came | None = None
        try:
            came = await take(question)
        finally:
            if opens and came is Outcome.STOPPED:
                self._opening.stay(question.thread)
            elif opens and came not in _FRESH:
                self._opening.forget(question.thread)
        if opens and came in _FRESH:
            why_not = trouble(permissions(message))
            name = thread_name(question.text)
            self._errands.run(_opened(self._opening.from_message(question.thread, name, why_not)))
        return came

    async def _delete(self, guild: int | None, channel: int, messages: Collection[int]) -> None:
        known = self._client.get_channel(channel) or discord.Object(channel)
        here = await look(self._client, known, guild)
        at = ChannelKey(DISCORD, here.workspace, str(here.channel))
        for message in messages:
            asked = self._replies.shows(message) or message
            amendment = await self._forgo(at, MessageId(str(asked)), direct=here.is_direct)
            if amendment not in _SILENT:
                log.info("question deleted", amendment=amendment.value, event_id=str(asked))

    async def _forgo(self, at: ChannelKey, message: MessageId, *, direct: bool) -> Amendment:
        amendment = await self._amending.deleted(at, message)
        if amendment is Amendment.UNKNOWN and direct:
            # A reply to a private answer is a question of the channel that the answer belongs to.
            today = self._clock.wall(self._clock.now())  # which messages are dated by
            ledger = await self._asking.ledger(DISCORD, today - _LATELY)
            places = dict.fromkeys(one.linked_at for one in ledger if spot(one).kind is Kind.PRIVATE)
            for place in islice(places, _PLACES):
                if amendment is Amendment.UNKNOWN:
                    amendment = await self._amending.deleted(place, message)
        return amendment


async def _opened(opening: Awaitable[Place]) -> None:
    try:
        await opening
    except ThreadlineError as error:  # who posts will try again
        log.info("no thread opened yet", error=type(error).__name__, said=str(error))
