"""`/threadline answers`: hands over the private answers that could not be shown."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import discord

from bots import texts
from bots.discord.calls import calling
from bots.discord.keys import DISCORD
from bots.discord.marks import Marks
from bots.discord.markup import is_file
from bots.discord.messages import Said
from bots.discord.naming import thread_name
from bots.discord.receipts import Ticket
from bots.discord.replies import Replies
from core.model import AuthorId
from core.services.collecting import Collecting, Kept

_AT_ONCE = 5  # answers; Discord's own limits make more of them slow


class Fetching:
    """Shows what is kept to its asker alone, and lets go of it afterwards."""

    def __init__(self, collecting: Collecting, replies: Replies, marks: Marks) -> None:
        self._collecting = collecting
        self._replies = replies
        self._marks = marks

    async def hand_over(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the command. What was not shown whole, when something goes wrong, comes again."""
        ticket = Ticket(interaction.id, interaction.token, "")
        async with calling():
            await interaction.response.defer(ephemeral=True, thinking=True)
        kept = await self._collecting.kept(DISCORD, AuthorId(str(interaction.user.id)))
        await self._replies.edit(ticket, Said(texts.kept(len(kept), at_once=_AT_ONCE)))
        for one in kept[:_AT_ONCE]:
            for said in self._pieces(one):
                await self._replies.add(ticket, said)
            await self._collecting.fetched(one)

    def _pieces(self, kept: Kept) -> Sequence[Said]:
        delivery, notice = kept.delivery, kept.delivery.notice
        if notice is not None and not kept.parts:
            pieces = [Said(texts.notice(notice, delivery.id, admin=texts.GUILD_ADMIN))]
        else:
            pieces = [
                Said(texts.WHOLE_ANSWER, part.text) if is_file(part.text) else Said(part.text)
                for part in kept.parts
            ]
            mark = self._marks.make(delivery.thread, delivery.id)
            pieces[-1:] = [replace(piece, mark=mark) for piece in pieces[-1:]]
        about = f"-# {thread_name(kept.question)}\n" if kept.question else ""
        pieces[:1] = [replace(piece, words=about + piece.words) for piece in pieces[:1]]
        return pieces
