"""`threadline manifest`: what to paste where a platform asks what the app is. Prints, and calls nobody."""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import bots
from bots.cli.starting import TO_BE_SET_RIGHT, fail
from bots.settings import parsing
from bots.slack.http import PATH
from bots.slack.install import REDIRECT

# In a wheel the manifests lie inside the package, in a clone beside it.
_PACKAGE = Path(bots.__file__).parent
_FOLDERS = (_PACKAGE / "manifests", _PACKAGE.parent / "manifests")
_APPLICATION = re.compile(r"[0-9]{17,20}")

manifest = typer.Typer(
    help="Print an app's manifest for Slack, or its parts for Discord.", no_args_is_help=True
)


class Profile(StrEnum):
    """The Slack manifests there are."""

    SOCKET = "socket"
    HTTP = "http"
    MINIMAL = "minimal"


class Part(StrEnum):
    """What Discord is told about an app, part by part."""

    COMMANDS = "commands"
    APP = "app"
    INSTALL_LINK = "install-link"


@manifest.command()
def slack(
    profile: Annotated[
        Profile | None,
        typer.Option(
            help="socket needs no public address, http does; minimal hears only mentions and direct messages."
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where Slack reaches you, https://…; with http, or with minimal.")
    ] = None,
) -> None:
    """Print the manifest for Slack: Create New App → From a manifest."""
    chosen = profile or (Profile.SOCKET if url is None else Profile.HTTP)
    if chosen is Profile.SOCKET and url is not None:
        fail("With Socket Mode Slack needs no address: drop --url, or use --profile http.", TO_BE_SET_RIGHT)
    if chosen is Profile.HTTP and url is None:
        fail("Over HTTP Slack needs your address: add --url https://your.address", TO_BE_SET_RIGHT)
    written = json.loads(manifest_text(f"slack/{chosen}.json"))
    if url is not None:
        _reach_over_http(written, _events_url(url))
    typer.echo(json.dumps(written, indent=2, ensure_ascii=False))


@manifest.command()
def discord(
    part: Annotated[
        Part | None,
        typer.Option(help="Without it: the commands, or the install link if an application is named."),
    ] = None,
    application_id: Annotated[
        str | None, typer.Option(help="The application's id, for the install link: see General Information.")
    ] = None,
) -> None:
    """Print the commands or the app's description as JSON, or the link that adds the app to a server."""
    named = part or (Part.COMMANDS if application_id is None else Part.INSTALL_LINK)
    if named is Part.INSTALL_LINK:
        typer.echo(_install_link(application_id))
    else:
        typer.echo(manifest_text(f"discord/{named}.json").rstrip())


def manifest_text(name: str) -> str:
    """Return a manifest by its path, such as `slack/socket.json`; ends the command where it is absent."""
    found = next((folder / name for folder in _FOLDERS if (folder / name).is_file()), None)
    if found is None:
        absent = f"This installation has no manifest {name}: take it from the source, manifests/{name}."
        fail(absent, TO_BE_SET_RIGHT)
    return found.read_text(encoding="utf-8")


def _install_link(application_id: str | None) -> str:
    if application_id is None:
        fail("Name the application with --application-id.", TO_BE_SET_RIGHT)
    if _APPLICATION.fullmatch(application_id) is None:
        fail("An application's id has 17 to 20 digits: see General Information.", TO_BE_SET_RIGHT)
    return manifest_text("discord/install-url.txt").strip().replace("{application_id}", application_id)


def _events_url(url: str) -> str:
    try:
        address = parsing.address(url).rstrip("/")
    except parsing.Wrong as wrong:
        fail(f"--url {wrong.args[0]}. {wrong.args[1]}", TO_BE_SET_RIGHT)
    if not address.startswith("https://"):
        fail("--url is on this machine itself: Slack could not reach it.", TO_BE_SET_RIGHT)
    return address if address.endswith(PATH) else address + PATH


def _reach_over_http(written: Any, url: str) -> None:
    """Name the address wherever Slack would call it, instead of Socket Mode."""
    settings = written["settings"]
    settings["socket_mode_enabled"] = False
    settings["event_subscriptions"]["request_url"] = url
    if "interactivity" in settings:
        settings["interactivity"]["request_url"] = url
    if "redirect_urls" in written["oauth_config"]:
        written["oauth_config"]["redirect_urls"] = [url.removesuffix(PATH) + REDIRECT]
    for command in written["features"].get("slash_commands", ()):
        command["url"] = url
