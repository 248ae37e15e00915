"""`threadline discord`: what an operator does at Discord, out of band: never when the program starts."""

import json
from typing import Annotated, Any

import typer

from bots.cli.manifest import manifest_text
from bots.cli.starting import FAILED, TO_BE_SET_RIGHT, fail, finish, settings
from bots.discord.sync import sync as synchronised

discord = typer.Typer(help="Register the commands at Discord.", no_args_is_help=True)


@discord.callback()
def group() -> None:
    """Register the commands at Discord."""


@discord.command()
def sync(
    check: Annotated[
        bool, typer.Option("--check", help="Tell the differences; with any, exit with 1.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Tell the differences, and set them right.")] = False,
) -> None:
    """Compare the commands at Discord with the manifest (`threadline manifest discord`)."""
    if check == apply:
        fail("Say one of --check, which only looks, and --apply, which sets right.", TO_BE_SET_RIGHT)
    found = settings().discord
    if found is None:
        fail("Set DISCORD_TOKEN to the bot's token (Bot, Reset Token).", TO_BE_SET_RIGHT)
    commands: list[dict[str, Any]] = json.loads(manifest_text("discord/commands.json"))
    token = found.token.get_secret_value()
    differences = finish(synchronised(token, found.api_url, commands, apply=apply, proxy=found.proxy))
    for difference in differences:
        typer.echo(str(difference))
    if check and differences:
        raise typer.Exit(FAILED)
    typer.echo("Set right." if differences else "Discord has the commands as they should be.")
