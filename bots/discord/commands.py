"""What `/ask`, `/threadline` and *Ask about this message* do. What Discord is told of them is in `tree`."""

import asyncio
from collections.abc import Sequence
from typing import Any

import discord
import structlog
from discord import app_commands

from bots import texts
from bots.discord.accounts import AccountForm, whole
from bots.discord.calls import calling
from bots.discord.choices import Choices
from bots.discord.fetching import Fetching
from bots.discord.intake import Asked, Intake
from bots.discord.keys import DIRECT, DISCORD
from bots.discord.members import Members
from bots.discord.trust import Trust
from bots.discord.views import LONGEST_MESSAGE, about_form
from core.errors import InvalidProjectId, ProjectNotAllowed, StoreUnavailable, ThreadlineError
from core.model import AuthorId, ChannelKey, ProjectId, project_id
from core.services.accounting import Accounting
from core.services.linking import Linking

log = structlog.get_logger(__name__)

#: Seconds for what has to be known before Discord is answered: it allows three in all.
_LOOK_WITHIN = 2.0


class Commands:
    """Carries the commands out."""

    def __init__(
        self,
        intake: Intake,
        linking: Linking,
        accounting: Accounting,
        fetching: Fetching,
        members: Members,
        *,
        choices: Choices,
        accounts: AccountForm,
        trust: Trust,
        reads_everything: bool,
    ) -> None:
        self._intake = intake
        self._linking = linking
        self._accounting = accounting
        self._choices = choices
        self._accounts = accounts
        self._trust = trust
        self._fetching = fetching
        self._members = members
        self._reads_everything = reads_everything

    async def ask(
        self, interaction: discord.Interaction[Any], question: str, project: str | None, *, private: bool
    ) -> None:
        """Take a question in."""
        chosen = await self._project(interaction, project)
        refusal = None if chosen is None else await self._refusal(interaction, chosen)
        if refusal is not None:
            await self._intake.say(interaction, refusal.format(project=chosen))
        elif project is None or chosen is not None:
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
        if not await self._trust.has_or_says(interaction):
            return
        chosen = await self._project(interaction, project)
        if chosen is None:
            return
        here = await self._intake.where(interaction.channel, interaction.guild_id)
        if new_posts and (everywhere or not here.is_post):
            await self._intake.say(interaction, texts.POSTS_ARE_IN_FORUMS)
            return
        if new_posts and not self._reads_everything:
            await self._intake.say(interaction, texts.POSTS_NEED_INTENT)
            return
        await self._intake.think(interaction)
        at = ChannelKey(DISCORD, here.workspace, "" if everywhere else str(here.channel))
        by = AuthorId(str(interaction.user.id))
        try:
            released = await self._linking.link(at, chosen, by, answers_all=new_posts)
        except ProjectNotAllowed:
            await self._intake.say(interaction, texts.accounts.NOT_ALLOWED.format(project=chosen))
            return
        said = texts.linked(
            chosen, workspace=everywhere, released=released, posts=new_posts, whole=texts.GUILD
        )
        has_key = (await self._linking.status(at)).has_key
        await self._intake.confirm(interaction, said if has_key else said + texts.accounts.NO_KEY_YET)

    async def unlink(self, interaction: discord.Interaction[Any], *, everywhere: bool) -> None:
        """Take a link away."""
        if await self._trust.has_or_says(interaction):
            await self._intake.think(interaction)
            gone = await self._linking.unlink(await self._at(interaction, everywhere=everywhere))
            said = texts.unlinked(was_linked=gone, workspace=everywhere, whole=texts.GUILD)
            await self._intake.confirm(interaction, said)

    async def account(self, interaction: discord.Interaction[Any], *, remove: bool) -> None:
        """Have the server ask under an API key of its own, or no longer."""
        await self._accounts.command(interaction, remove=remove)

    async def status(self, interaction: discord.Interaction[Any]) -> None:
        """Tell which project answers here."""
        await self._intake.think(interaction)
        at = await self._at(interaction, everywhere=False)
        found = await self._linking.status(at)
        unknown = at.workspace == DIRECT and found.project is None
        said = texts.status(found, admin=texts.GUILD_ADMIN, whole=texts.GUILD)
        await self._intake.say(interaction, texts.DIRECT_STATUS if unknown else said)

    async def help(self, interaction: discord.Interaction[Any]) -> None:
        """Explain."""
        await self._intake.say(interaction, texts.DISCORD_HELP)

    async def answers(self, interaction: discord.Interaction[Any]) -> None:
        """Hand over what could not be shown in private."""
        await self._fetching.hand_over(interaction)

    async def choose(
        self, interaction: discord.Interaction[Any], typed: str
    ) -> Sequence[app_commands.Choice[str]]:
        """Offer projects to choose from: to who may link any, to others those that they may ask about."""
        at = whole(interaction)
        if self._trust.has(interaction):
            return await self._choices.offer(at, typed)
        terms = await self._accounting.terms(at)
        nameable = [project for project in await self._nameable(interaction) if terms.admits(project)]
        return await self._choices.offer(at, typed, nameable)

    async def failed(self, interaction: discord.Interaction[Any], error: Exception) -> None:
        """Say that a command was not carried out: nobody is left with Discord's own red line."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        if isinstance(cause, ThreadlineError):
            log.warning("command failed", error=type(cause).__name__, said=str(cause))
            away = isinstance(cause, StoreUnavailable)
            words = texts.command_failed(texts.STORE_AWAY if away else texts.PLATFORM_AWAY)
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

    async def _refusal(self, interaction: discord.Interaction[Any], project: ProjectId) -> str | None:
        """Return why somebody may not ask about a project; None if they may.

        The API key reads all of the organisation: who is not trusted may ask about what was linked for them.
        """
        try:
            async with asyncio.timeout(_LOOK_WITHIN):
                if not (await self._accounting.terms(whole(interaction))).admits(project):
                    return texts.accounts.NOT_ALLOWED
                free = self._trust.has(interaction) or project in await self._nameable(interaction)
        except TimeoutError as error:
            raise StoreUnavailable("the projects that may be named were not known in time") from error
        return None if free else texts.PROJECT_NOT_HERE

    async def _nameable(self, interaction: discord.Interaction[Any]) -> frozenset[ProjectId]:
        """Return the projects linked in this guild, and the default; directly, those linked in guilds that we
        share with someone, as far as these ask under the installation's key."""
        at = await self._at(interaction, everywhere=False)
        links = await self._linking.all(DISCORD)
        shared = {at.workspace}
        if at.workspace == DIRECT:
            linking = {link.at.workspace for link in links}
            ours = await self._accounting.under_ours(DISCORD, linking)
            shared |= await self._members.shared(ours, interaction.user.id)
        default = (await self._linking.status(at)).project
        linked = {link.project for link in links if link.at.workspace in shared}
        return frozenset(linked if default is None else {*linked, default})

    async def _at(self, interaction: discord.Interaction[Any], *, everywhere: bool) -> ChannelKey:
        here = await self._intake.where(interaction.channel, interaction.guild_id)
        return ChannelKey(DISCORD, here.workspace, "" if everywhere else str(here.channel))
