"""`threadline purge`: forget a workspace, as when the app is uninstalled there."""

from typing import Annotated

import typer

from bots.cli.link import platform_of
from bots.cli.starting import FAILED, TO_BE_SET_RIGHT, fail, finish, settings
from bots.discord.keys import DIRECT, DISCORD
from bots.settings import Settings
from bots.slack.inbound import SLACK
from bots.slack.revoking import revoke
from bots.wiring import installing_over, opened_store
from core.clock import SystemClock
from core.errors import AccountRefused, ThreadlineError
from core.model import Platform, WorkspaceId
from core.services.purging import Purged, Purging

_NOT_REVOKED = (
    "No token was revoked, as SLACK_CLIENT_ID is not set: the app stays in Slack, and whoever has its token "
    "can use it, until an admin of the workspace removes it there."
)


def purge(
    platform: Annotated[str, typer.Argument(help="slack or discord")],
    workspace: Annotated[
        str,
        typer.Argument(
            help="A Slack workspace's id (T…), an organisation's (E…), a Discord server's, or @me."
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do it: nothing of it can be brought back.")] = False,
) -> None:
    """Delete all that is kept of a workspace: links, questions, answers, key. Also while Threadline runs.

    A Slack app that was installed by OAuth is uninstalled there, if SLACK_CLIENT_ID is set. Of an
    organisation: of all of its workspaces, those included that have installed the app by themselves.
    """
    found = settings()
    if platform not in {SLACK, DISCORD}:
        fail(f"{platform!r} is no platform: say slack or discord.", TO_BE_SET_RIGHT)
    if platform_of(workspace) != platform and (platform, workspace) != (DISCORD, DIRECT):
        fail(
            f"{workspace!r} is not a workspace's id of {platform}: Slack's begin with T or E, "
            f"a Discord server's is a number; {DIRECT} for direct messages with Discord's bot.",
            TO_BE_SET_RIGHT,
        )
    if not yes:
        fail("This deletes all that is kept of that workspace. Say --yes to do it.", TO_BE_SET_RIGHT)
    gone = finish(_purge(found, Platform(platform), WorkspaceId(workspace)))
    if gone == Purged(links=0, conversations=0):
        fail(f"Nothing is kept of {platform} {workspace}.", FAILED)
    key = " and the API key of its own" if gone.account else ""
    what = f"{_many(gone.links, 'link')} and {_many(gone.conversations, 'conversation')}"
    typer.echo(f"{what} of {platform} {workspace} deleted, with all questions and answers{key}.")
    if platform == SLACK and (found.slack is None or found.slack.oauth is None):
        typer.echo(_NOT_REVOKED, err=True)


def _many(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


async def _purge(found: Settings, platform: Platform, workspace: WorkspaceId) -> Purged:
    async with opened_store(found, must_exist=True) as (_, store):
        installing = installing_over(found, store, SystemClock()) if platform == SLACK else None
        tokens = [] if installing is None else await installing.tokens(workspace)
        gone = await Purging(store, purged=lambda *_: None).purge_with_all_of(platform, workspace)
    for token in tokens:  # nobody else has it now
        await _give_back(found, token)
    return gone


async def _give_back(found: Settings, token: str | None) -> None:
    """Have Slack take the app out, if it will: what was kept is deleted either way."""
    if found.slack is None:
        raise ValueError("there are tokens of an app that Slack's settings name")
    if token is None:
        _tell_left("its token is not opened by any key of THREADLINE_SECRET_KEY")
        return
    try:
        await revoke(token, found.slack.api_url, found.slack.proxy)
    except AccountRefused:
        return  # it was taken out already
    except ThreadlineError as error:
        _tell_left(str(error))


def _tell_left(reason: str) -> None:
    trouble = "All is deleted here, but Slack was not told: it may still list the app there"
    typer.echo(f"{trouble} ({reason}). An admin of the workspace can remove it.", err=True)
