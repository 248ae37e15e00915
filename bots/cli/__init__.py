"""The `threadline` command."""

import sys
from importlib import metadata
from typing import Annotated

import structlog
import typer

from bots.cli.ask import ask
from bots.cli.db import db
from bots.cli.demo import demo
from bots.cli.discord import discord
from bots.cli.link import link
from bots.cli.manifest import manifest
from bots.cli.purge import purge
from bots.cli.queue import queue
from bots.cli.run import run
from bots.cli.secret import secret
from bots.cli.starting import FAILED
from bots.cli.status import status

log = structlog.get_logger(__name__)

app = typer.Typer(
    name="threadline",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"threadline {metadata.version('threadline')}")
        raise typer.Exit


@app.callback()
def _threadline(
    version: Annotated[
        bool,
        typer.Option("--version", help="Say which version this is.", callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    """Your MicroVisualizer project's AI assistant, in the threads of your chat."""


for command in (run, demo, ask, link, status, purge):
    app.command()(command)
app.add_typer(manifest, name="manifest")
app.add_typer(discord, name="discord")
app.add_typer(queue, name="queue")
app.add_typer(db, name="db")
app.add_typer(secret, name="secret")


def main() -> None:
    """Run the command line. What nobody has foreseen ends in a sentence, and in the log."""
    try:
        app()
    except Exception:  # nobody ever meets a stack trace
        log.exception("unforeseen")
        typer.echo("Threadline has met a fault of its own; the log has the details.", err=True)
        sys.exit(FAILED)
