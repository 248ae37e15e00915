"""`/threadline answers`: hands over the private answers that could not be shown."""

from collections.abc import Sequence
from typing import Any

import discord

from bots import texts
from bots.discord.calls import calling
from bots.discord.keys import DISCORD
from bots.discord.markup import is_file
from bots.discord.messages import Said
from bots.discord.receipts import Ticket
from bots.discord.replies import Replies
from core.model import AuthorId
from core.services.collecting import Collecting, Kept

_AT_ONCE = 5  # answers; Discord's own limits make more of them slow


class Fetching:
    """Shows what is kept to its asker alone, and lets go of it afterwards."""

    def __init__(self, collecting: Collecting, replies: Replies) -> None:
        self._collecting = collecting
        self._replies = replies

    async def hand_over(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the command. What was not shown whole, when something goes wrong, comes again."""
        ticket = Ticket(interaction.id, interaction.token, "")
        async with calling():
            await interaction.response.defer(ephemeral=True, thinking=True)
        kept = await self._collecting.kept(DISCORD, AuthorId(str(interaction.user.id)))
        await self._replies.edit(ticket, Said(texts.kept(len(kept), at_once=_AT_ONCE)))
        for one in kept[:_AT_ONCE]:
            for said in _pieces(one):
                await self._replies.add(ticket, said)
            await self._collecting.fetched(one)


def _pieces(kept: Kept) -> Sequence[Said]:
    notice = kept.delivery.notice
    if notice is not None and not kept.parts:
        return [Said(texts.notice(notice, kept.delivery.id, admin=texts.GUILD_ADMIN))]
    return [
        Said(texts.WHOLE_ANSWER, part.text) if is_file(part.text) else Said(part.text) for part in kept.parts
    ]
