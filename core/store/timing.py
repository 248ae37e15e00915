"""The time of the database's server, by which the clocks of all processes on it are set."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.clock import SharedClock
from core.errors import StoreUnavailable
from core.store.postgres import Compared, compared

log = structlog.get_logger(__name__)

_LOOK_EVERY = 30.0  #: seconds
_NEARLY = 0.02  #: seconds by which a clock may be wrong: it is left alone
_APART = 1.0  #: seconds from which on somebody should know


def take_time(engine: Engine, clock: SharedClock) -> None:
    """Set our clock by the server's, at the beginning. Raises StoreUnavailable where it does not tell."""
    try:
        found = compared(engine, clock)
    except SQLAlchemyError as error:
        told = f"the database server does not tell the time: {type(error).__name__}"
        raise StoreUnavailable(told) from error
    _set_right(clock, found, begins=True)


async def keep_time(engine: Engine, clock: SharedClock) -> None:
    """Compare our clock with the server's until cancelled, and set it anew where they have come apart."""
    while True:
        await clock.sleep(_LOOK_EVERY)
        try:
            found = await asyncio.to_thread(compared, engine, clock)
        except SQLAlchemyError as error:
            log.info("the database server does not tell the time", error=type(error).__name__)
            continue
        _set_right(clock, found)


def _set_right(clock: SharedClock, found: Compared, *, begins: bool = False) -> None:
    """Set a clock, unless it is as right as can be told: then setting it would only make it less so."""
    if abs(found.ahead) <= found.doubt + _NEARLY:
        return
    if abs(found.ahead) > _APART:
        log.warning("our clock is set by the database server's", ahead=round(found.ahead, 1))
    clock.set(clock.now() - timedelta(seconds=found.ahead), begins=begins)
