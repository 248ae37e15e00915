"""What the command does: a show in a town of its own, of which nothing remains."""

import asyncio
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from bots.cli.demo.seen import Misunderstood
from bots.cli.demo.stage import StepFailed
from bots.cli.demo.terminal import terminal
from bots.cli.demo.tour import tour
from bots.cli.demo.town import Town, town
from bots.cli.demo.view import console
from bots.cli.starting import FAILED, fail, keep_from_bolt
from bots.telemetry import configure
from core.errors import ThreadlineError

_LOG = "threadline.log"

Show = Callable[[Town, Console], Awaitable[None]]


def play(*, writes: bool, by_socket: bool) -> None:
    """Give the demo in which one writes oneself, or the tour."""
    present(terminal if writes else tour, by_socket=by_socket)


def present(show: Show, *, by_socket: bool) -> None:
    """Give a show in a town of its own. Nothing of it remains; only if it fails, its log does."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # frames and typography, where a terminal lacks them
    with _folder() as folder, _logging_in(folder):
        asyncio.run(_present(show, folder, by_socket=by_socket))


@contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder to work in, which goes afterwards; after a failure it stays, and a sentence says so."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):  # everything is on this machine, whatever the way out is
        os.environ.pop(name, None)
        os.environ.pop(name.lower(), None)
    keep_from_bolt()
    folder = Path(tempfile.mkdtemp(prefix="threadline-demo-"))
    remains = False
    try:
        yield folder
    except (StepFailed, Misunderstood, ThreadlineError, OSError) as error:
        remains = True
        fail(f"{error}\nThe log of this demo: {folder / _LOG}", FAILED)
    finally:
        if not remains:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _logging_in(folder: Path) -> Iterator[None]:
    """Write log lines into a file: on the screen they would stand among what people say."""
    with (folder / _LOG).open("w", encoding="utf-8") as stream:
        undo = configure(json=True, stream=stream)
        try:
            yield
        finally:
            undo()


async def _present(show: Show, folder: Path, *, by_socket: bool) -> None:
    async with town(folder, by_socket=by_socket) as place:
        await show(place, console())
