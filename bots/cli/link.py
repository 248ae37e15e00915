"""`threadline link`: what `/threadline link` does in the chat, for an operator."""

import re
from typing import Annotated

import typer

from bots.cli.starting import TO_BE_SET_RIGHT, fail, finish, plainly, settings
from bots.discord.keys import DISCORD
from bots.settings import Need, Settings
from bots.slack.access import web_client
from bots.slack.identity import identify
from bots.slack.inbound import SLACK
from bots.texts import linked
from bots.wiring import described, linking_over, opened_store, slack_access
from core.clock import SystemClock
from core.model import AuthorId, ChannelKey, Platform, ProjectId, WorkspaceId, project_id

_TEAM = re.compile(r"[TE][A-Z0-9]+")
_CHANNEL = re.compile(r"[CDG][A-Z0-9]+")
_SNOWFLAKE = re.compile(r"\d{15,20}")


def platform_of(workspace: str) -> Platform | None:
    """Return the platform that a workspace's id is of, by its form; None where it has neither's."""
    if _SNOWFLAKE.fullmatch(workspace):
        return DISCORD
    return SLACK if _TEAM.fullmatch(workspace) else None


def link(
    project: Annotated[str, typer.Argument(help="The project's id.")],
    channel: Annotated[
        str,
        typer.Option(
            help="A channel's id (Slack's C…, Discord's number); without it, the whole workspace is linked."
        ),
    ] = "",
    workspace: Annotated[
        str | None,
        typer.Option(
            help="A Slack workspace's id (T…; without it, the bot token's), or a Discord server's number."
        ),
    ] = None,
) -> None:
    """Link a channel, or a workspace, to a project. Also while Threadline runs."""
    found = settings(Need.CHAT)  # whatever waited is then asked in that key's lane
    with plainly():
        wanted = project_id(project)
    platform = SLACK if workspace is None else platform_of(workspace)
    if platform is None:
        fail(
            f"{workspace!r} is not a workspace's id: Slack's begin with T, a Discord server's is a number.",
            TO_BE_SET_RIGHT,
        )
    if channel and (_SNOWFLAKE if platform == DISCORD else _CHANNEL).fullmatch(channel) is None:
        fail(
            f"{channel!r} is not a channel's id: Slack's is at the end of the channel's details, C…; "
            "Discord's is a number, and needs the server's with --workspace.",
            TO_BE_SET_RIGHT,
        )
    if workspace is None and (found.slack is None or found.slack.bot_token is None):
        fail(
            "Name the workspace with --workspace: Slack's id of it (T…), or the Discord server's number.",
            TO_BE_SET_RIGHT,
        )
    typer.echo(finish(_link(found, wanted, platform, channel, workspace)))


async def _link(
    found: Settings, project: ProjectId, platform: Platform, channel: str, workspace: str | None
) -> str:
    clock = SystemClock()
    async with opened_store(found) as (engine, store):
        where = WorkspaceId(workspace) if workspace is not None else await _own_workspace(found)
        linking = linking_over(found, store, clock, lambda: None)
        released = await linking.link(ChannelKey(platform, where, channel), project, AuthorId("operator"))
        told = linked(project, workspace=not channel, released=released)
    return f"Database: {described(engine)}\n{told}"


async def _own_workspace(found: Settings) -> WorkspaceId:
    if found.slack is None:
        raise ValueError("checked before")
    access = slack_access(found.slack)
    async with web_client(access.bot_token, access.api_url, access.proxy) as client:
        return (await identify(client)).workspace
