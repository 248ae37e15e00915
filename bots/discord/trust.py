"""Who may link, and set keys. Discord's own setting can be overridden by admins, so it is looked at here."""

from typing import Any

import discord

from bots import texts
from bots.discord.intake import Intake


class Trust:
    """Whoever may manage the server is trusted, and whom the operator names."""

    def __init__(self, intake: Intake, admins: frozenset[str]) -> None:
        self._intake = intake
        self._admins = admins

    def has(self, interaction: discord.Interaction[Any]) -> bool:
        """Tell whether an interaction's author is trusted."""
        in_guild = interaction.guild_id is not None
        return str(interaction.user.id) in self._admins or (in_guild and interaction.permissions.manage_guild)

    async def has_or_says(self, interaction: discord.Interaction[Any]) -> bool:
        """Tell that, too; whoever is not trusted is told who is."""
        if self.has(interaction):
            return True
        await self._intake.say(interaction, texts.GUILD_NOT_ALLOWED)
        return False
