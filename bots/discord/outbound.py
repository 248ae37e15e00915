"""Our answers → Discord: a `Poster`. Public ones are the bot's own messages, private ones replies."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import discord

from bots import texts
from bots.discord import calls
from bots.discord.calls import Refused, TicketSpent, calling
from bots.discord.keys import DIRECT, Kind, nonce, queued_nonce, spot
from bots.discord.marks import Marks
from bots.discord.markup import is_file, parts
from bots.discord.members import Members
from bots.discord.messages import Said
from bots.discord.opening import Opening, Place, asked_in, thread_name
from bots.discord.receipts import Receipts, Ticket
from bots.discord.replies import Replies
from bots.discord.searching import Search
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


class DiscordPoster:
    """Shows answers, notices and states in Discord."""

    def __init__(
        self,
        client: discord.Client,
        *,
        opening: Opening,
        replies: Replies,
        receipts: Receipts,
        marks: Marks,
        members: Members,
        typing: Typing,
        clock: Clock,
        hints: bool = False,
    ) -> None:
        """`hints`: tell in a new thread how to go on, as plain messages there are not shown to us."""
        self._hints = hints
        self._client = client
        self._opening = opening
        self._replies = replies
        self._receipts = receipts
        self._marks = marks
        self._search = Search(client)
        self._members = members
        self._typing = typing
        self._clock = clock

    def split(self, answer: str, remarks: Collection[Remark]) -> Sequence[str]:
        """Return Markdown parts that each fit a message; a very long answer's last one is a whole file."""
        said = texts.remarks(remarks)
        return parts(f"{answer}\n\n{said}" if said else answer)

    async def post(self, to: Address, part: AnswerPart) -> str:
        """Post a part; a private one to its asker alone."""
        said = self._of_part(to, part)
        if spot(to.thread).kind is Kind.PRIVATE:
            return await self._whisper(to, part, said)
        return await self._say(to, said, nonce(to.delivery, part), first=part.number == 0)

    async def notify(self, to: Address, notice: Notice) -> str:
        """Post a notice in its thread; one about a thread that refuses us goes to its asker directly."""
        said = _of_notice(to, notice)
        if spot(to.thread).kind is Kind.PRIVATE:
            return await self._whisper(to, notice, said)
        if notice.reason is Reason.POST_REFUSED:
            return await self._tell_directly(to, notice, said)
        return await self._say(to, said, nonce(to.delivery, notice), first=True)

    async def find(self, to: Address, piece: AnswerPart | Notice) -> str | None:
        """Look for a piece's message: by its button, or its words after the last such."""
        said = _of_notice(to, piece) if isinstance(piece, Notice) else self._of_part(to, piece)
        if spot(to.thread).kind is Kind.PRIVATE:
            ticket = self._ticket(to)
            if ticket is None:
                return await self._search.find(await self._direct(to), to, said)
            if _number(piece) > 0:
                raise AskerAway("a private part may or may not have been shown")
            return None  # the interaction's own message is only made to say it once more
        if isinstance(piece, Notice) and piece.reason is Reason.POST_REFUSED:
            return await self._search.find(await self._direct(to), to, said)
        place, channel = await self._opening.place(to), spot(to.thread).channel
        found = await self._found(place.channel, to, said, may_be_gone=True)
        if found is None and spot(to.thread).kind is not Kind.CLOSED and channel != place.channel:
            return await self._found(channel, to, said)  # where it goes that its thread refuses
        return found

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
        if not private:
            await self._say(to, Said(words), queued_nonce(to.delivery, state.at), first=True, pings=False)
            return
        ticket = self._ticket(to)
        if ticket is not None:
            await self._opening.acknowledged(ticket)
            await self._replies.edit(ticket, Said(words))

    async def _say(
        self, to: Address, said: Said, mark_of_post: str, *, first: bool, pings: bool = True
    ) -> str:
        """Say something where the conversation is shown, or else where it can be; the `first` says why."""
        place = await self._opening.place(to)
        if place.inline and first:
            said = _inline(to, place, said, pings=pings)
        try:
            return await self._post(place, to, said, mark_of_post)
        except Refused as error:
            place = await self._opening.instead(to, place, error)
        if place.inline and first:
            said = _inline(to, place, said, pings=pings)
        return await self._post(place, to, said, mark_of_post)

    async def _post(self, place: Place, to: Address, said: Said, mark_of_post: str) -> str:
        self._typing.end(place.channel)
        if said.mark is not None:  # the conversation's key may have changed since it was claimed
            hint = texts.HOW_TO_GO_ON if self._hints and self._opening.is_new(place) else ""
            said = replace(said, words=said.words + hint, mark=self._marks.make(place.thread, to.delivery))
        return await self._send(place.channel, said, mark_of_post)

    async def _send(self, channel: int, said: Said, mark_of_post: str) -> str:
        with said.parameters(nonce=mark_of_post) as params:
            async with calling():
                message = await self._client.http.send_message(channel, params=params)
                return str(message["id"])

    async def _whisper(self, to: Address, piece: AnswerPart | Notice, said: Said) -> str:
        """Show something to its asker alone: while the interaction can be answered there, else directly."""
        ticket = self._ticket(to)
        if ticket is not None:
            await self._opening.acknowledged(ticket)
            tell = self._replies.add if _number(piece) > 0 else self._replies.edit
            try:
                return str(await tell(ticket, said))
            except TicketSpent:
                pass
            except Refused as error:
                raise AskerAway(str(error)) from error
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

    async def _found(self, channel: int, to: Address, said: Said, *, may_be_gone: bool = False) -> str | None:
        try:
            return await self._search.find(channel, to, said)
        except Refused as error:
            if may_be_gone and error.code == calls.UNKNOWN_CHANNEL:
                return None
            raise CannotLook(str(error)) from error

    async def _direct(self, to: Address) -> int:
        try:
            async with calling():
                opened = await self._client.http.start_private_message(to.author)
        except Refused as error:
            raise AskerAway(str(error)) from error
        return int(opened["id"])

    def _of_part(self, to: Address, part: AnswerPart) -> Said:
        button = self._marks.make(to.thread, to.delivery) if part.last else None
        if is_file(part.text):
            return Said(texts.WHOLE_ANSWER, part.text, button)
        return Said(part.text, mark=button)

    def _ticket(self, to: Address) -> Ticket | None:
        """Return the interaction's ticket while it is good."""
        ticket = self._receipts.open(to.receipt)
        return ticket if ticket is not None and ticket.expires_at > self._clock.now() else None


def _of_notice(to: Address, notice: Notice) -> Said:
    if notice.reason is Reason.NOT_LINKED and to.thread.workspace == DIRECT:
        return Said(texts.DIRECT_NOT_LINKED)
    if notice.reason is Reason.POST_REFUSED:
        return Said(texts.GUILD_POST_REFUSED.format(channel=f"<#{to.thread.channel}>"))
    return Said(texts.notice(notice, to.delivery, admin=texts.GUILD_ADMIN))


def _inline(to: Address, place: Place, said: Said, *, pings: bool) -> Said:
    """Have a message outside its thread name its asker, and say why it is there."""
    if to.thread.workspace == DIRECT:
        return said
    trouble = f"\n-# {place.trouble}\n" if place.trouble else " "
    names = (int(to.author),) if pings else ()
    return replace(said, words=f"<@{to.author}>{trouble}{said.words}", names=names)


def _number(piece: AnswerPart | Notice) -> int:
    return 0 if isinstance(piece, Notice) else piece.number
