"""Seeking a Discord that is away: again and again, less and less often. It knows no call of Discord's."""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bots.discord.line import Pauses
from core.clock import Clock
from core.errors import RateLimited, Retryable

T = TypeVar("T")

log = structlog.get_logger(__name__)

_LONGEST_TOLD_WAIT = 3600.0  # seconds to wait if Discord names a longer time still


async def patiently(seek: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """Do something until it comes about, however long that takes; what will never come about is raised."""
    pauses = Pauses(random.SystemRandom().random)
    while True:
        try:
            return await seek()
        except Retryable as error:
            pause = max(pauses.after(None), _named(error))
            log.warning("discord is away", said=str(error), failed=pauses.failed, waiting=round(pause, 1))
            await clock.sleep(pause)


def _named(error: Retryable) -> float:
    """Return for how many seconds Discord asks us to let it be, within reason."""
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return min(error.retry_after.total_seconds(), _LONGEST_TOLD_WAIT)
    return 0.0
