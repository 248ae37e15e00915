"""Seeking a Slack that is away: again and again, less and less often. It knows no call of Slack's."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from core.clock import Clock
from core.errors import RateLimited, Retryable

log = structlog.get_logger(__name__)

T = TypeVar("T")

_FIRST_PAUSE = 2.0  # seconds; it doubles
_LONGEST_PAUSE = 60.0
_LONGEST_TOLD_PAUSE = 3600.0  # if Slack names a longer one still


async def patiently(
    seek: Callable[[], Awaitable[T]],
    clock: Clock,
    dice: Callable[[], float],
    *,
    after: Retryable | None = None,
) -> T:
    """Do something until it comes about, however long that takes; what will never come about is raised.

    `dice` gives numbers in [0, 1). `after`: it was tried once before, and met this.
    """
    failed, error = 0, after
    while True:
        if error is not None:
            failed += 1
            pause = pause_after(error, failed, dice())
            log.warning(
                "slack is away",
                error=type(error).__name__,
                said=str(error),
                failed=failed,
                waiting=round(pause, 1),
            )
            await clock.sleep(pause)
        try:
            return await seek()
        except Retryable as met:
            error = met


def pause_after(error: Retryable, failed: int, jitter: float) -> float:
    """Return the seconds until the next attempt: up to 2 s, 4 s, … 60 s, at least half of it.

    Never less than Slack itself asks for, within reason.
    """
    doubled = _FIRST_PAUSE * float(2 ** min(failed - 1, 10))
    pause = min(_LONGEST_PAUSE, doubled) * (1 + jitter) / 2
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return max(pause, min(error.retry_after.total_seconds(), _LONGEST_TOLD_PAUSE))
    return pause
