"""Our answers → Discord: a `Poster`. Public ones are the bot's own messages, private ones replies."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import discord

from bots import texts
from bots.discord import calls
from bots.discord.calls import Refused, TicketSpent, calling
from bots.discord.keys import Kind, mark, marks, nonce, queued_nonce, spot
from bots.discord.markup import is_file, parts
from bots.discord.members import Members
from bots.discord.messages import Said
from bots.discord.opening import Opening, Place, asked_in, thread_name
from bots.discord.receipts import Receipts, Ticket
from bots.discord.replies import Replies
from bots.discord.typists import Typing
from core.clock import Clock
from core.errors import AskerAway, CannotLook
from core.model import (
    Address,
    AnswerPart,
    AuthorId,
    Notice,
    QueuedUntil,
    Reason,
    Remark,
    ThreadState,
    Working,
    WorkspaceId,
)

# A shorter wait shows as typing that goes on.
_TYPED_AWAY = timedelta(seconds=60)
# A form is dated by our clock, the answer's message by Discord's.
_CLOCKS_APART = timedelta(minutes=5)
_PAGE, _PAGES = 100, 5


class DiscordPoster:
    """Shows answers, notices and states in Discord."""

    def __init__(
        self,
        client: discord.Client,
        *,
        opening: Opening,
        replies: Replies,
        receipts: Receipts,
        members: Members,
        typing: Typing,
        clock: Clock,
    ) -> None:
        self._client = client
        self._opening = opening
        self._replies = replies
        self._receipts = receipts
        self._members = members
        self._typing = typing
        self._clock = clock

    def split(self, answer: str, remarks: Collection[Remark]) -> Sequence[str]:
        """Return Markdown parts that each fit a message; a very long answer's last one is a whole file."""
        said = texts.remarks(remarks)
        return parts(f"{answer}\n\n{said}" if said else answer)

    async def post(self, to: Address, part: AnswerPart) -> str:
        """Post a part; a private one to its asker alone."""
        said = _of_part(to, part)
        if spot(to.thread).kind is Kind.PRIVATE:
            return await self._whisper(to, part, said)
        return await self._say(to, part, said)

    async def notify(self, to: Address, notice: Notice) -> str:
        """Post a notice in its thread; one about a thread that refuses us goes to its asker directly."""
        said = _of_notice(to, notice)
        if spot(to.thread).kind is Kind.PRIVATE:
            return await self._whisper(to, notice, said)
        if notice.reason is Reason.POST_REFUSED:
            return await self._tell_directly(to, notice, said)
        return await self._say(to, notice, said)

    async def find(self, to: Address, piece: AnswerPart | Notice) -> str | None:
        """Look for a piece's message: by its button, or its words after the last such."""
        said = _of_notice(to, piece) if isinstance(piece, Notice) else _of_part(to, piece)
        if spot(to.thread).kind is Kind.PRIVATE:
            ticket = self._ticket(to)
            if ticket is None:
                return await self._found(await self._direct(to), to, said)
            if _number(piece) > 0:
                raise AskerAway("a private part may or may not have been shown")
            return None  # the interaction's own message is only made to say it once more
        if isinstance(piece, Notice) and piece.reason is Reason.POST_REFUSED:
            return await self._found(await self._direct(to), to, said)
        place = await self._opening.place(to)
        try:
            return await self._found(place.channel, to, said)
        except Refused as error:
            if error.code != calls.UNKNOWN_CHANNEL:
                raise CannotLook(str(error)) from error
            return None  # the thread is not there: nothing was posted in it

    async def show_state(self, to: Address, state: ThreadState) -> None:
        """Show as typing; tell of a longer wait in a message, of a private question in its own."""
        private = spot(to.thread).kind is Kind.PRIVATE
        if isinstance(state, QueuedUntil) and state.at - self._clock.now() > _TYPED_AWAY:
            when = f"{discord.utils.format_dt(state.at, 't')} ({discord.utils.format_dt(state.at, 'R')})"
            await self._tell_wait(to, state, texts.queued(when), private=private)
        elif not private:
            place = await self._opening.place(to)
            if state is Working.IDLE:
                self._typing.end(place.channel)
            else:
                self._typing.begin(place.channel)

    async def names(self, workspace: WorkspaceId, authors: Collection[AuthorId]) -> Mapping[AuthorId, str]:
        """Return display names, remembered for ten minutes."""
        return await self._members.names(workspace, authors)

    async def _tell_wait(self, to: Address, state: QueuedUntil, words: str, *, private: bool) -> None:
        if private:
            ticket = self._ticket(to)
            if ticket is not None:
                await self._replies.edit(ticket, Said(words))
            return
        place = await self._opening.place(to)
        self._typing.end(place.channel)
        named = f"<@{to.author}> {words}" if place.inline else words  # it pings nobody: the answer will
        await self._send(place.channel, Said(named), queued_nonce(to.delivery, state.at))

    async def _say(self, to: Address, piece: AnswerPart | Notice, said: Said) -> str:
        place = await self._opening.place(to)
        try:
            return await self._post(place, to, piece, said)
        except Refused as error:
            place = await self._opening.instead(to, place, error)
            return await self._post(place, to, piece, said)

    async def _post(self, place: Place, to: Address, piece: AnswerPart | Notice, said: Said) -> str:
        self._typing.end(place.channel)
        if place.inline and _number(piece) == 0:
            said = _inline(to, place, said)
        if said.mark is not None:  # the conversation's key may have changed since it was claimed
            said = replace(said, mark=mark(place.thread, to.delivery))
        return await self._send(place.channel, said, nonce(to.delivery, piece))

    async def _send(self, channel: int, said: Said, mark_of_post: str) -> str:
        with said.parameters(nonce=mark_of_post) as params:
            async with calling():
                message = await self._client.http.send_message(channel, params=params)
                return str(message["id"])

    async def _whisper(self, to: Address, piece: AnswerPart | Notice, said: Said) -> str:
        """Show something to its asker alone: while the interaction can be answered there, else directly."""
        ticket = self._ticket(to)
        if ticket is not None:
            tell = self._replies.add if _number(piece) > 0 else self._replies.edit
            try:
                return str(await tell(ticket, said))
            except TicketSpent:
                pass
        return await self._tell_directly(to, piece, said)

    async def _tell_directly(self, to: Address, piece: AnswerPart | Notice, said: Said) -> str:
        channel = await self._direct(to)
        ticket = self._receipts.open(to.receipt)
        if ticket is not None and _number(piece) == 0:
            about = thread_name(asked_in(ticket.header))
            said = replace(said, words=f"-# {about}\n{said.words}")
        try:
            return await self._send(channel, said, nonce(to.delivery, piece))
        except Refused as error:
            raise AskerAway(str(error)) from error

    async def _direct(self, to: Address) -> int:
        try:
            async with calling():
                opened = await self._client.http.start_private_message(int(to.author))
        except Refused as error:
            raise AskerAway(str(error)) from error
        return int(opened["id"])

    def _ticket(self, to: Address) -> Ticket | None:
        """Return the interaction's ticket while it is good."""
        ticket = self._receipts.open(to.receipt)
        return ticket if ticket is not None and ticket.expires_at > self._clock.now() else None

    async def _found(self, channel: int, to: Address, said: Said) -> str | None:
        """Look from the newest message on, as far as the delivery before this one, or the question's time."""
        where = self._client.get_partial_messageable(channel)
        since = discord.utils.time_snowflake(to.asked_at - _CLOCKS_APART)
        before: discord.Object | None = None
        for _ in range(_PAGES):
            async with calling():
                page = [one async for one in where.history(limit=_PAGE, before=before)]
            for message in page:
                if message.id < since or self._is_earlier(message, to):
                    return None
                if self._is_it(message, to, said):
                    return str(message.id)
            if len(page) < _PAGE:
                return None
            before = discord.Object(page[-1].id)
        raise CannotLook("the channel has more messages than we may look through")

    def _is_earlier(self, message: discord.Message, to: Address) -> bool:
        """Whether a message ends another delivery of the same conversation: ours would be behind it."""
        mine = message.author == self._client.user
        return mine and any(
            found.thread == to.thread.thread and found.delivery < to.delivery for found in marks(message)
        )

    def _is_it(self, message: discord.Message, to: Address, said: Said) -> bool:
        if message.author != self._client.user:
            return False
        ours = marks(message)
        if ours or said.mark is not None:
            return said.mark is not None and any(found.delivery == to.delivery for found in ours)
        return message.content.strip().endswith(said.words.strip())


def _of_part(to: Address, part: AnswerPart) -> Said:
    button = mark(to.thread, to.delivery) if part.last else None
    if is_file(part.text):
        return Said(texts.WHOLE_ANSWER, part.text, button)
    return Said(part.text, mark=button)


def _of_notice(to: Address, notice: Notice) -> Said:
    return Said(texts.notice(notice, to.delivery, admin=texts.GUILD_ADMIN))


def _inline(to: Address, place: Place, said: Said) -> Said:
    """Have a message outside its thread name its asker, and say why it is there."""
    trouble = f"\n-# {place.trouble}\n" if place.trouble else " "
    return replace(said, words=f"<@{to.author}>{trouble}{said.words}", names=(int(to.author),))


def _number(piece: AnswerPart | Notice) -> int:
    return 0 if isinstance(piece, Notice) else piece.number
