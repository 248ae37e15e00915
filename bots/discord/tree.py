"""The commands as Discord is told of them, and who carries them out."""

from typing import Any

import discord
from discord import app_commands

from bots import texts
from bots.discord.commands import Commands
from bots.discord.views import LONGEST_QUESTION

_CONTEXTS = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
_INSTALLS = app_commands.AppInstallationType(guild=True, user=False)

_Choices = list[app_commands.Choice[str]]


def command_tree(client: discord.Client, commands: Commands) -> app_commands.CommandTree[Any]:
    """Return the tree of all commands, bound to the client."""
    tree = _Tree(client, commands)
    _add_ask(tree, commands)
    _add_about(tree, commands)
    group = app_commands.Group(
        name="threadline",
        description=texts.THREADLINE_COMMAND,
        allowed_contexts=_CONTEXTS,
        allowed_installs=_INSTALLS,
    )
    _add_linking(group, commands)
    _add_telling(group, commands)
    tree.add_command(group)
    return tree


class _Tree(app_commands.CommandTree[Any]):
    def __init__(self, client: discord.Client, commands: Commands) -> None:
        super().__init__(client, allowed_contexts=_CONTEXTS, allowed_installs=_INSTALLS)
        self._carried_out_by = commands

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        await self._carried_out_by.failed(interaction, error)


def _add_ask(tree: _Tree, commands: Commands) -> None:
    @tree.command(name="ask", description=texts.ASK_ABOUT_COMMAND)
    @app_commands.describe(question=texts.ASK_QUESTION, project=texts.ASK_PROJECT, private=texts.ASK_PRIVATE)
    async def ask(
        interaction: discord.Interaction[Any],
        question: app_commands.Range[str, 1, LONGEST_QUESTION],
        project: str | None = None,
        private: bool = False,
    ) -> None:
        await commands.ask(interaction, question, project, private=private)

    @ask.autocomplete("project")
    async def choose(interaction: discord.Interaction[Any], typed: str) -> _Choices:
        return list(await commands.choose(interaction, typed))


def _add_about(tree: _Tree, commands: Commands) -> None:
    @tree.context_menu(name=texts.ASK_ABOUT_MENU)
    async def about(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await commands.about(interaction, message)


def _add_linking(group: app_commands.Group, commands: Commands) -> None:
    @group.command(name="link", description=texts.LINK_COMMAND)
    @app_commands.describe(
        project=texts.LINK_PROJECT, everywhere=texts.LINK_EVERYWHERE, new_posts=texts.LINK_POSTS
    )
    async def link(
        interaction: discord.Interaction[Any], project: str, everywhere: bool = False, new_posts: bool = False
    ) -> None:
        await commands.link(interaction, project, everywhere=everywhere, new_posts=new_posts)

    async def choose(interaction: discord.Interaction[Any], typed: str) -> _Choices:
        return list(await commands.choose(interaction, typed))

    link.autocomplete("project")(choose)

    @group.command(name="unlink", description=texts.UNLINK_COMMAND)
    @app_commands.describe(everywhere=texts.UNLINK_EVERYWHERE)
    async def unlink(interaction: discord.Interaction[Any], everywhere: bool = False) -> None:
        await commands.unlink(interaction, everywhere=everywhere)

    @group.command(name="account", description=texts.ACCOUNT_COMMAND)
    @app_commands.describe(remove=texts.ACCOUNT_REMOVE)
    async def account(interaction: discord.Interaction[Any], remove: bool = False) -> None:
        await commands.account(interaction, remove=remove)


def _add_telling(group: app_commands.Group, commands: Commands) -> None:
    @group.command(name="status", description=texts.STATUS_COMMAND)
    async def status(interaction: discord.Interaction[Any]) -> None:
        await commands.status(interaction)

    @group.command(name="answers", description=texts.ANSWERS_COMMAND)
    async def answers(interaction: discord.Interaction[Any]) -> None:
        await commands.answers(interaction)

    @group.command(name="help", description=texts.HELP_COMMAND)
    async def explain(interaction: discord.Interaction[Any]) -> None:
        await commands.help(interaction)


def payloads() -> list[dict[str, Any]]:
    """Return the commands as Discord is told of them (application-commands: create)."""
    client = discord.Client(intents=discord.Intents(guilds=True))
    tree = command_tree(client, Commands.__new__(Commands))  # described only: it gets no interactions
    return [dict(command.to_dict(tree)) for command in tree.get_commands()]
