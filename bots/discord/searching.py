"""Looks for our own messages after an attempt whose outcome is unknown. It posts nothing."""

from datetime import timedelta

import discord

from bots.discord.calls import calling
from bots.discord.marks import marks
from bots.discord.messages import Said
from core.errors import CannotLook
from core.model import Address

# A form is dated by our clock, the answer's message by Discord's.
_CLOCKS_APART = timedelta(minutes=5)
_PAGE, _PAGES = 100, 5


class Search:
    """Knows a delivery's last message by its button, the others by their words after the last such."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def find(self, channel: int, to: Address, said: Said) -> str | None:
        """Look from the newest message on, as far as the delivery before this one, or the question's time.

        Raises CannotLook behind hundreds of messages, and other errors of core.errors.
        """
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
        return message.author == self._client.user and any(
            found.thread.thread == to.thread.thread and found.delivery < to.delivery
            for found in marks(message)
        )

    def _is_it(self, message: discord.Message, to: Address, said: Said) -> bool:
        if message.author != self._client.user:
            return False
        ours = marks(message)
        if ours or said.mark is not None:
            return said.mark is not None and any(found.delivery == to.delivery for found in ours)
        return message.content.strip().endswith(said.words.strip())
