"""`threadline demo`: the real Threadline between simulated servers, as a tour or to write in."""

import sys
from typing import Annotated

import typer

__all__ = ["demo"]


def demo(
    script: Annotated[
        bool, typer.Option("--script", help="Play the scripted tour, and fail if a step does not come true.")
    ] = False,
    socket: Annotated[
        bool, typer.Option("--socket", help="Connect to Slack by Socket Mode instead of signed HTTP.")
    ] = False,
) -> None:
    """See Threadline at work, on this machine alone: no account, no token.

    In a terminal you write yourself; elsewhere, or with --script, a tour of a few seconds is played.
    """
    from bots.cli.demo.command import play  # noqa: PLC0415 no other command needs the simulated servers

    writes = not script and sys.stdin.isatty() and sys.stdout.isatty()
    play(writes=writes, by_socket=socket)
