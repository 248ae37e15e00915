"""`threadline run`: everything that is configured, until a signal ends it."""

import asyncio
import signal
from typing import Annotated

import structlog
import typer

from bots.cli.starting import FAILED, fail, finish, settings
from bots.settings import Settings
from bots.wiring import Role, running
from core.clock import SystemClock

log = structlog.get_logger(__name__)


def run(
    role: Annotated[
        Role,
        typer.Option(
            help="This process's part, where several share a PostgreSQL database. web: takes Slack's signed "
            "requests; listen: holds connections (Socket Mode, Discord); work: asks and posts."
        ),
    ] = Role.ALL,
) -> None:
    """Run Threadline with everything that is configured. Ends cleanly on SIGTERM and SIGINT."""
    found = settings(*role.needs)
    broke = finish(until_signalled(found, role))
    if broke:
        fail("Threadline stopped by itself; the log says why. Accepted questions are safe.", FAILED)


async def until_signalled(found: Settings, role: Role = Role.ALL) -> bool:
    """Return False after a signal; True if something that must go on has died. Raises what it died of."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with running(found, SystemClock(), role) as threadline:
        for task in threadline.working:
            task.add_done_callback(lambda _: ended.set())
        await ended.wait()
        broken = [task for task in threadline.working if task.done()]
        log.info("stopping")
    for task in broken:
        task.result()  # says what someone has to set right, if it was that
    return bool(broken)
