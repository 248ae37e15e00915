"""Which channel a conversation's messages go to: its thread, opened when it begins, or the channel itself."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import discord
import structlog

from bots import texts
from bots.discord import calls
from bots.discord.calls import Refused, TicketSpent, calling
from bots.discord.keys import DIRECT, Kind, Spot, moved, spot
from bots.discord.messages import Said
from bots.discord.naming import asked_in, thread_name
from bots.discord.receipts import Receipts, Ticket
from bots.discord.replies import Replies
from core.errors import Retryable, ThreadlineError
from core.model import Address, ThreadKey

log = structlog.get_logger(__name__)

_REMEMBERED = 10_000
_ASKER = re.compile(r"<@(\d+)>")
_ARCHIVED_AFTER: Final = 4_320  # minutes of silence, then it leaves the list; a message brings it back
_TROUBLES = {
    calls.NO_PERMISSION: texts.NO_THREAD_PERMISSION,
    calls.NO_ACCESS: texts.NO_THREAD_PERMISSION,
    calls.THREAD_LOCKED: texts.NO_THREAD_LOCKED,
    calls.THREAD_ARCHIVED: texts.NO_THREAD_LOCKED,
    calls.TOO_MANY_THREADS: texts.NO_THREAD_TOO_MANY,
    calls.UNKNOWN_CHANNEL: texts.NO_THREAD_GONE,
    calls.UNKNOWN_MESSAGE: texts.NO_THREAD_GONE,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation is shown. `inline`: in its channel, for want of a thread, because of `trouble`."""

    channel: int
    thread: ThreadKey  #: the conversation's key as it is now
    inline: bool = False
    trouble: str = ""


class Opening:
    """Opens threads, remembers what has become of that, and finds a way where there is none."""

    def __init__(
        self,
        client: discord.Client,
        replies: Replies,
        receipts: Receipts,
        move: Callable[[ThreadKey, str], Awaitable[bool]],
    ) -> None:
        self._client = client
        self._replies = replies
        self._receipts = receipts
        self._move = move
        self._places: dict[ThreadKey, asyncio.Future[Place | None]] = {}
        self._new: dict[int, bool] = {}
        self._attended: dict[int, asyncio.Event] = {}

    def is_new(self, place: Place) -> bool:
        """Whether a thread was opened by this process, and nobody has asked for that yet."""
        return not place.inline and self._new.pop(place.channel, False)

    def begin(self, thread: ThreadKey) -> bool:
        """Announce that a thread will be opened: who posts waits for it. False where it is under way."""
        if thread in self._places:
            return False
        while len(self._places) >= _REMEMBERED:
            self.forget(next(iter(self._places)))
        self._places[thread] = asyncio.get_running_loop().create_future()
        return True

    def forget(self, thread: ThreadKey) -> None:
        """No thread will be opened after all: who waits for it has to look for a place anew."""
        pending = self._places.pop(thread, None)
        if pending is not None and not pending.done():
            pending.set_result(None)

    def stay(self, thread: ThreadKey) -> None:
        """No thread is worth opening for it: what is said goes into the channel."""
        self._found(thread, Place(spot(thread).channel, thread, inline=True))

    def attend(self, ticket: Ticket) -> None:
        """Note that this process sees to an interaction's own message; `heard` says when it can be edited."""
        if ticket.interaction in self._attended:
            return
        while len(self._attended) >= _REMEMBERED:
            self._attended.pop(next(iter(self._attended))).set()
        self._attended[ticket.interaction] = asyncio.Event()

    def heard(self, ticket: Ticket) -> None:
        """Note that Discord was told "thinking", or that it could not be told."""
        self.attend(ticket)
        self._attended[ticket.interaction].set()

    def leave(self, ticket: Ticket) -> None:
        """Leave an interaction's own message to whoever posts next."""
        self._attended.pop(ticket.interaction, asyncio.Event()).set()

    async def acknowledged(self, ticket: Ticket) -> None:
        """Wait until an interaction's own message can be edited, where this process is at it."""
        attended = self._attended.get(ticket.interaction)
        if attended is not None:
            await attended.wait()

    async def from_message(self, thread: ThreadKey, name: str, trouble: str = "") -> Place:
        """Open a thread at the message a conversation began with. With `trouble` there can be none.

        Raises Retryable errors of core.errors; whatever else happens gives a place.
        """
        return await self._settled(thread, self._at_message(thread, name, trouble))

    async def from_reply(self, thread: ThreadKey, ticket: Ticket, trouble: str = "") -> Place:
        """Show an interaction's question, and open a thread there. Raises like `from_message`."""
        self.heard(ticket)
        return await self._settled(thread, self._at_reply(thread, ticket, trouble))

    async def place(self, to: Address) -> Place:
        """Return where a delivery is shown, after a restart too. Raises like `from_message`."""
        known = self._places.get(to.thread)
        found = None if known is None else await asyncio.shield(known)
        if found is not None:
            return found
        where = spot(to.thread)
        if where.kind is not Kind.BEGUN:
            await self._resolve(to)
            return Place(where.id, to.thread)
        ticket = self._receipts.open(to.receipt)
        if ticket is None:
            return Place(where.channel, to.thread, inline=True)
        self.begin(to.thread)
        return await self.from_reply(to.thread, ticket)

    async def instead(self, to: Address, place: Place, error: Refused) -> Place:
        """Return where a message goes that its place has refused. Raises that refusal where there is none."""
        where = spot(to.thread)
        if place.inline or where.is_direct or where.kind is Kind.CLOSED or error.code not in _TROUBLES:
            raise error
        self.forget(to.thread)
        self.begin(to.thread)
        if error.code == calls.UNKNOWN_CHANNEL:
            name = await self._name_of(spot(place.thread))
            return await self._settled(to.thread, self._at_message(place.thread, name, ""))
        return self._found(to.thread, self._inline(place.thread, _TROUBLES[error.code]))

    async def _settled(self, thread: ThreadKey, opening: Awaitable[Place]) -> Place:
        """Tell those who wait what has come of it; what failed for now will be tried again."""
        try:
            return self._found(thread, await opening)
        except ThreadlineError as error:
            pending = self._places.get(thread)
            if pending is not None and not pending.done():
                pending.set_exception(error)
                pending.exception()  # nobody may be waiting for it
            raise
        finally:
            if not self._is_found(thread):
                self.forget(thread)

    def _found(self, thread: ThreadKey, place: Place) -> Place:
        """Remember a place, and tell those who wait for it."""
        pending = self._places.get(thread)
        if pending is not None and not pending.done():
            pending.set_result(place)
        return place

    def _is_found(self, thread: ThreadKey) -> bool:
        pending = self._places.get(thread)
        return pending is not None and pending.done() and pending.exception() is None

    async def _at_reply(self, thread: ThreadKey, ticket: Ticket, trouble: str) -> Place:
        channel, direct = spot(thread).channel, thread.workspace == DIRECT
        try:
            shown = await self._replies.edit(ticket, Said(ticket.header))
        except Retryable:
            raise
        except ThreadlineError as error:
            log.info("an interaction's message is out of reach", error=type(error).__name__, said=str(error))
            shown = 0 if direct else await self._header(channel, ticket)
        if direct or not shown:
            return Place(channel, thread, inline=True)
        await self._move(thread, str(shown))
        return await self._at_message(moved(thread, shown), thread_name(asked_in(ticket.header)), trouble)

    async def _header(self, channel: int, ticket: Ticket) -> int:
        """Show a question by a message of our own, and return its id; 0 where we may not."""
        who = _ASKER.match(ticket.header)
        said = Said(ticket.header, names=() if who is None else (int(who[1]),))
        try:
            with said.parameters(nonce=f"header-{ticket.interaction % 10**18}") as params:
                async with calling():
                    message = await self._client.http.send_message(channel, params=params)
                    shown = int(message["id"])
        except Refused:
            return 0
        self._replies.note(shown, ticket)
        return shown

    async def _at_message(self, thread: ThreadKey, name: str, trouble: str) -> Place:
        if trouble:
            return self._inline(thread, trouble)
        where = spot(thread)
        try:
            async with calling():
                await self._client.http.start_thread_with_message(
                    where.channel, where.id, name=name, auto_archive_duration=_ARCHIVED_AFTER
                )
            while len(self._new) >= _REMEMBERED:
                del self._new[next(iter(self._new))]
            self._new[where.id] = True
        except Refused as error:
            if error.code == calls.THREAD_ALREADY_THERE:
                return Place(where.id, thread)
            log.info("no thread opened", code=error.code, said=str(error))
            return self._inline(thread, _TROUBLES.get(error.code, texts.NO_THREAD))
        return Place(where.id, thread)

    @staticmethod
    def _inline(thread: ThreadKey, trouble: str) -> Place:
        return Place(spot(thread).channel, thread, inline=True, trouble=trouble)

    async def _resolve(self, to: Address) -> None:
        """Have an interaction say what was asked, which a former process has left "thinking"."""
        ticket = self._receipts.open(to.receipt)
        if ticket is None or ticket.interaction in self._attended:
            return
        try:
            await self._replies.edit(ticket, Said(ticket.header))
        except TicketSpent:
            log.info("a former interaction can no longer be answered", delivery=to.delivery)
        self.heard(ticket)

    async def _name_of(self, where: Spot) -> str:
        try:
            async with calling():
                message = await self._client.http.get_message(where.channel, where.id)
                author, said = int(message["author"]["id"]), message["content"]
        except ThreadlineError:
            return texts.THREAD_NAME
        ours = self._client.user is not None and author == self._client.user.id
        return thread_name(asked_in(said) if ours else said)
