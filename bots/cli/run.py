"""`threadline run`: everything that is configured, until a signal ends it."""

import asyncio
import signal

import structlog

from bots.cli.starting import FAILED, fail, finish, settings
from bots.settings import Need, Settings
from bots.wiring import running
from core.clock import SystemClock

log = structlog.get_logger(__name__)


def run() -> None:
    """Run Threadline with everything that is configured. Ends cleanly on SIGTERM and SIGINT."""
    found = settings(Need.CHAT, Need.PLATFORM)
    broke = finish(until_signalled(found))
    if broke:
        fail("Threadline stopped by itself; the log says why. Accepted questions are safe.", FAILED)


async def until_signalled(found: Settings) -> bool:
    """Return False after a signal; True if the delivering half has died."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with running(found, SystemClock()) as threadline:
        threadline.working.add_done_callback(lambda _: ended.set())
        await ended.wait()
        broke = threadline.working.done()
        log.info("stopping")
    return broke
