"""Our answers → Discord: a `Poster`. Public ones are the bot's own messages, private ones replies."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import discord

from bots import texts
from bots.discord import calls
from bots.discord.calls import Refused, TicketSpent, calling
from bots.discord.keys import Kind, nonce, queued_nonce, spot
from bots.discord.marking import Marking, Shelf
from bots.discord.marks import Marks
from bots.discord.markup import is_file, parts
from bots.discord.members import Members
from bots.discord.messages import Said
from bots.discord.naming import asked_in, thread_name
from bots.discord.opening import Opening, Place
from bots.discord.receipts import Receipts, Ticket
from bots.discord.replies import Replies
from bots.discord.searching import Search
from bots.discord.typists import Typing
from bots.discord.wording import notice_said, outside
from core.clock import Clock
from core.errors import AskerAway, CannotLook, PostRefused
from core.model import (
    Address,
    AnswerPart,
    AssistantAway,
    AuthorId,
    Mark,
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
        self._marking = Marking(client)
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
        said = notice_said(to, notice)
        if spot(to.thread).kind is Kind.PRIVATE:
            return await self._whisper(to, notice, said)
        if notice.reason is Reason.POST_REFUSED:
            return await self._tell_directly(to, notice, said)
        return await self._say(to, said, nonce(to.delivery, notice), first=True)

    async def find(self, to: Address, piece: AnswerPart | Notice) -> str | None:
        """Look for a piece's message: by its button, or its words after the last such."""
        said = notice_said(to, piece) if isinstance(piece, Notice) else self._of_part(to, piece)
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

    async def mark(self, to: Address, part: AnswerPart, mark: Mark) -> None:
        """Have a posted part say so, in small print below it."""
        if part.posted is None:
            raise PostRefused("it was never posted")
        where = spot(to.thread)
        if where.kind is Kind.PRIVATE:
            ticket = self._ticket(to)
            own = [] if ticket is None else [Shelf(ticket=ticket)]
            try:
                await self._marking.mark([*own, Shelf(await self._direct(to))], part.posted, mark)
            except Refused as error:
                raise AskerAway(str(error)) from error
            return
        # In the thread, or where it went that its thread refused; begun by an interaction, in the channel.
        places = [where.channel] if where.kind is Kind.BEGUN else [where.id, where.channel]
        shelves = [Shelf(place) for place in dict.fromkeys(places)]
        await self._marking.mark(shelves, part.posted, mark)

    async def show_state(self, to: Address, state: ThreadState) -> None:
        """Show as typing; tell of a longer wait in a message, of a private question in its own."""
        private = spot(to.thread).kind is Kind.PRIVATE
        if isinstance(state, QueuedUntil) and state.at - self._clock.now() > _TYPED_AWAY:
            await self._tell_wait(to, state.at, texts.queued(self._shown(state.at)), private=private)
        elif isinstance(state, AssistantAway):
            await self._tell_wait(to, state.until, texts.away(self._shown(state.until)), private=private)
        elif not private:
            place = await self._opening.place(to)
            if state is Working.IDLE:
                self._typing.end(place.channel)
            else:
                self._typing.begin(place.channel)

    async def names(self, workspace: WorkspaceId, authors: Collection[AuthorId]) -> Mapping[AuthorId, str]:
        """Return display names, remembered for ten minutes."""
        return await self._members.names(workspace, authors)

    def _shown(self, at: datetime) -> str:
        """Return a time as each reader is shown it in their own time zone, and how far off it is."""
        wall = self._clock.wall(at)
        return f"{discord.utils.format_dt(wall, 't')} ({discord.utils.format_dt(wall, 'R')})"

    async def _tell_wait(self, to: Address, until: datetime, words: str, *, private: bool) -> None:
        said = Said(words, mark=self._marks.make(to.thread, to.delivery, stops=True))
        if not private:
            await self._say(to, said, queued_nonce(to.delivery, until), first=True, pings=False)
            return
        ticket = self._ticket(to)
        if ticket is not None:
            await self._opening.acknowledged(ticket)
            await self._replies.edit(ticket, said)

    async def _say(
        self, to: Address, said: Said, mark_of_post: str, *, first: bool, pings: bool = True
    ) -> str:
        """Say something where the conversation is shown, or else where it can be; the `first` says why."""
        place = await self._opening.place(to)
        if place.inline and first:
            said = outside(to, place, said, pings=pings)
        try:
            return await self._post(place, to, said, mark_of_post)
        except Refused as error:
            place = await self._opening.instead(to, place, error)
        if place.inline and first:
            said = outside(to, place, said, pings=pings)
        return await self._post(place, to, said, mark_of_post)

    async def _post(self, place: Place, to: Address, said: Said, mark_of_post: str) -> str:
        self._typing.end(place.channel)
        if said.mark is not None:  # the conversation's key may have changed since it was claimed
            stops = said.mark.stops
            hint = texts.HOW_TO_GO_ON if self._hints and not stops and self._opening.is_new(place) else ""
            mark = self._marks.make(place.thread, to.delivery, stops=stops)
            said = replace(said, words=said.words + hint, mark=mark)
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
        today = self._clock.wall(self._clock.now())  # by which Discord has dated the interaction
        return ticket if ticket is not None and ticket.expires_at > today else None


def _number(piece: AnswerPart | Notice) -> int:
    return 0 if isinstance(piece, Notice) else piece.number
