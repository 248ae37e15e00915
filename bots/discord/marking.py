"""Has a message of ours say what became of its question, in small print below; else nothing of it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import discord
from discord.http import Route, handle_message_parameters
from discord.utils import MISSING

from bots import texts
from bots.discord import calls
from bots.discord.calls import Refused, TicketSpent, calling
from bots.discord.marks import read_mark
from bots.discord.markup import MESSAGE_LIMIT
from bots.discord.receipts import Ticket
from bots.discord.views import row_of
from core.model import Mark

_ELSEWHERE = frozenset({calls.UNKNOWN_MESSAGE, calls.UNKNOWN_CHANNEL})


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a message may be: in a channel, or among those that an interaction was answered with."""

    channel: int = 0
    ticket: Ticket | None = None

    def route(self, method: str, message: str, application: int | None) -> Route:
        """Return the route of a message there."""
        if self.ticket is None:
            path = "/channels/{channel_id}/messages/{message_id}"
            return Route(method, path, channel_id=self.channel, message_id=message)
        path = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"
        token = self.ticket.token
        return Route(method, path, webhook_id=application, webhook_token=token, message_id=message)


class Marking:
    """Reads a message as it is shown, and edits it. Made twice, a mark looks as if made once."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def mark(self, shelves: Sequence[Shelf], message: str, mark: Mark) -> None:
        """Mark a message, which is on one of these shelves. Raises Refused where it is on none."""
        for shelf in shelves[:-1]:
            try:
                return await self._mark_awake(shelf, message, mark)
            except TicketSpent:
                continue
            except Refused as error:
                if error.code not in _ELSEWHERE:
                    raise
        return await self._mark_awake(shelves[-1], message, mark)

    async def _mark_awake(self, shelf: Shelf, message: str, mark: Mark) -> None:
        """Mark a message; an archived thread is woken for it, as by any message that is posted there."""
        try:
            return await self._mark(shelf, message, mark)
        except Refused as error:
            if error.code != calls.THREAD_ARCHIVED or shelf.ticket is not None:
                raise
        async with calling():
            await self._client.http.edit_channel(shelf.channel, archived=False)
        return await self._mark(shelf, message, mark)

    async def _mark(self, shelf: Shelf, message: str, mark: Mark) -> None:
        application = self._client.application_id
        async with calling():
            found = await self._client.http.request(shelf.route("GET", message, application))
            shown = cast("dict[str, Any]", found)
            content, labels = str(shown["content"]), _labels(shown)
            words = marked(content, mark)
            told = texts.MARKED[mark] if words is None else ""
            words = unmarked(content) if words is None else words
            if words == content and labels == ([told] if told else []):
                return
            with handle_message_parameters(
                words,
                view=row_of(_answer(shown), told) if told or labels else MISSING,
                flags=discord.MessageFlags(suppress_embeds=True),
                allowed_mentions=discord.AllowedMentions.none(),
            ) as params:
                route = shelf.route("PATCH", message, application)
                await self._client.http.request(route, json=params.payload)


# Where there is no room for it, a greyed-out button says it: a message of its own could come twice.
def marked(words: str, mark: Mark) -> str | None:
    """Return a message's words with the mark below; None if it has no room, even in place of a hint."""
    whole = unmarked(words)
    for kept in (whole, whole.removesuffix(texts.HOW_TO_GO_ON)):
        said = kept + _small(mark)
        if len(said.encode("utf-16-le")) // 2 <= MESSAGE_LIMIT:
            return said
    return None


def unmarked(words: str) -> str:
    """Return a message's words as they were before it was marked."""
    for mark in Mark:
        words = words.removesuffix(_small(mark))
    return words


def _small(mark: Mark) -> str:
    return f"\n-# {texts.mark(mark)}"


def _buttons(shown: dict[str, Any]) -> list[dict[str, Any]]:
    return [button for row in shown.get("components", ()) for button in row.get("components", ())]


def _answer(shown: dict[str, Any]) -> Any:
    found = (read_mark(str(button.get("custom_id", ""))) for button in _buttons(shown))
    return next((one for one in found if one is not None), None)


def _labels(shown: dict[str, Any]) -> list[str]:
    """What its buttons say of its question."""
    said = [str(button.get("label")) for button in _buttons(shown)]
    return [label for label in said if label in texts.MARKED.values()]
