"""The time of the database's server, by which the clocks of all processes on it are set."""

import asyncio

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.clock import SharedClock
from core.errors import StoreUnusable
from core.store.postgres import server_time

log = structlog.get_logger(__name__)

_LOOK_EVERY = 30.0  #: seconds
_APART = 1.0  #: seconds from which on our clock is set anew


def take_time(engine: Engine, clock: SharedClock) -> None:
    """Set our clock by the server's, at the beginning. Raises StoreUnusable where it does not tell."""
    try:
        there = server_time(engine, clock)
    except SQLAlchemyError as error:
        raise StoreUnusable(f"the database server does not tell the time: {type(error).__name__}") from error
    ahead = (clock.now() - there).total_seconds()
    if abs(ahead) > _APART:
        log.warning("our clock is not the database server's, which counts", ahead=round(ahead, 1))
    clock.set(there, begins=True)


async def keep_time(engine: Engine, clock: SharedClock) -> None:
    """Compare our clock with the server's until cancelled, and set it anew where they have come apart."""
    while True:
        await clock.sleep(_LOOK_EVERY)
        try:
            there = await asyncio.to_thread(server_time, engine, clock)
        except SQLAlchemyError as error:
            log.info("the database server does not tell the time", error=type(error).__name__)
            continue
        ahead = (clock.now() - there).total_seconds()
        if abs(ahead) > _APART:
            log.warning("our clock is set by the database server's", ahead=round(ahead, 1))
            clock.set(there)
