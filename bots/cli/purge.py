"""`threadline purge`: forget a workspace, as when the app is uninstalled there."""

from typing import Annotated

import typer

from bots.cli.starting import TO_BE_SET_RIGHT, fail, finish, settings
from bots.discord.keys import DISCORD
from bots.settings import Settings
from bots.slack.inbound import SLACK
from bots.wiring import opened_store
from core.model import Platform, WorkspaceId
from core.services.purging import Purging


def purge(
    platform: Annotated[str, typer.Argument(help="slack or discord")],
    workspace: Annotated[str, typer.Argument(help="The Slack workspace's id (T…), or the Discord server's.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it: nothing of it can be brought back.")] = False,
) -> None:
    """Delete all that is kept of a workspace: links, questions, answers. Also while Threadline runs."""
    found = settings()
    if platform not in {SLACK, DISCORD}:
        fail(f"{platform!r} is no platform: say slack or discord.", TO_BE_SET_RIGHT)
    if not yes:
        fail("This deletes all that is kept of that workspace. Say --yes to do it.", TO_BE_SET_RIGHT)
    many = finish(_purge(found, Platform(platform), WorkspaceId(workspace)))
    typer.echo(f"{many} conversation{'' if many == 1 else 's'} of {platform} {workspace} deleted.")


async def _purge(found: Settings, platform: Platform, workspace: WorkspaceId) -> int:
    async with opened_store(found) as (_, store):
        return await Purging(store, purged=lambda *_: None).purge(platform, workspace)
