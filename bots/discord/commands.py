"""What `/ask`, `/threadline` and *Ask about this message* do. What Discord is told of them is in `tree`."""

from collections.abc import Sequence
from typing import Any

import discord
import structlog
from discord import app_commands

from bots import texts
from bots.discord.calls import calling
from bots.discord.choices import Choices
from bots.discord.fetching import Fetching
from bots.discord.intake import Asked, Intake
from bots.discord.keys import DISCORD
from bots.discord.views import LONGEST_MESSAGE, about_form
from core.errors import InvalidProjectId, ThreadlineError
from core.model import AuthorId, ChannelKey, ProjectId, project_id
from core.services.linking import Linking

log = structlog.get_logger(__name__)


class Commands:
    """Carries the commands out."""

    def __init__(
        self,
        intake: Intake,
        linking: Linking,
        choices: Choices,
        fetching: Fetching,
        *,
        admins: frozenset[str],
        reads_everything: bool,
    ) -> None:
        self._intake = intake
        self._linking = linking
        self._choices = choices
        self._fetching = fetching
        self._admins = admins
        self._reads_everything = reads_everything

    async def ask(
        self, interaction: discord.Interaction[Any], question: str, project: str | None, *, private: bool
    ) -> None:
        """Take a question in."""
        chosen = await self._project(interaction, project)
        if project is None or chosen is not None:
            await self._intake.interaction(interaction, Asked(question, project=chosen, private=private))

    async def about(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Open the form for a question about a message."""
        if not message.content.strip():
            await self._intake.say(interaction, texts.NOTHING_TO_ASK_ABOUT)
            return
        async with calling():
            await interaction.response.send_modal(about_form(message.content[:LONGEST_MESSAGE]))

    async def link(
        self, interaction: discord.Interaction[Any], project: str, *, everywhere: bool, new_posts: bool
    ) -> None:
        """Link the channel, or the whole server, to a project."""
        chosen = await self._project(interaction, project)
        if chosen is None or not await self._may_link(interaction):
            return
        if new_posts and not self._reads_everything:
            await self._intake.say(interaction, texts.POSTS_NEED_INTENT)
            return
        at = await self._at(interaction, everywhere=everywhere)
        by = AuthorId(str(interaction.user.id))
        released = await self._linking.link(at, chosen, by, answers_all=new_posts)
        await self._intake.say(
            interaction, texts.linked(chosen, workspace=everywhere, released=released, posts=new_posts)
        )

    async def unlink(self, interaction: discord.Interaction[Any], *, everywhere: bool) -> None:
        """Take a link away."""
        if await self._may_link(interaction):
            gone = await self._linking.unlink(await self._at(interaction, everywhere=everywhere))
            await self._intake.say(interaction, texts.unlinked(was_linked=gone, workspace=everywhere))

    async def status(self, interaction: discord.Interaction[Any]) -> None:
        """Tell which project answers here."""
        found = await self._linking.status(await self._at(interaction, everywhere=False))
        await self._intake.say(interaction, texts.status(found, admin=texts.GUILD_ADMIN))

    async def help(self, interaction: discord.Interaction[Any]) -> None:
        """Explain."""
        await self._intake.say(interaction, texts.DISCORD_HELP)

    async def answers(self, interaction: discord.Interaction[Any]) -> None:
        """Hand over what could not be shown in private."""
        await self._fetching.hand_over(interaction)

    async def choose(self, typed: str) -> Sequence[app_commands.Choice[str]]:
        """Offer projects to choose from."""
        return await self._choices.offer(typed)

    async def failed(self, interaction: discord.Interaction[Any], error: Exception) -> None:
        """Say that a command was not carried out: nobody is left with Discord's own red line."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        if isinstance(cause, ThreadlineError):
            log.warning("command failed", error=type(cause).__name__, said=str(cause))
            words = texts.command_failed(str(cause))
        else:
            log.error("command failed", exc_info=cause)
            words = texts.command_failed(texts.OUR_FAULT)
        try:
            async with calling():
                if interaction.response.is_done():
                    await interaction.followup.send(words, ephemeral=True, suppress_embeds=True)
                else:
                    await interaction.response.send_message(words, ephemeral=True, suppress_embeds=True)
        except ThreadlineError as worse:
            log.warning("failure not told", error=type(worse).__name__, said=str(worse))

    async def _project(self, interaction: discord.Interaction[Any], written: str | None) -> ProjectId | None:
        if written is None:
            return None
        try:
            return project_id(written.strip())
        except InvalidProjectId:
            shown = written.replace("`", "'")[:80]
            await self._intake.say(interaction, texts.BAD_PROJECT.format(project=shown))
            return None

    async def _may_link(self, interaction: discord.Interaction[Any]) -> bool:
        """Whoever may manage the server may link, and whom the operator names. Discord's own setting can
        be overridden by admins, so it is looked at here."""
        in_guild = interaction.guild_id is not None
        if str(interaction.user.id) in self._admins or (in_guild and interaction.permissions.manage_guild):
            return True
        await self._intake.say(interaction, texts.GUILD_NOT_ALLOWED)
        return False

    async def _at(self, interaction: discord.Interaction[Any], *, everywhere: bool) -> ChannelKey:
        here = await self._intake.where(interaction.channel, interaction.guild_id)
        return ChannelKey(DISCORD, here.workspace, "" if everywhere else str(here.channel))
