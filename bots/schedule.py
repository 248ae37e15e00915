"""APScheduler as an alarm clock: for the earliest due time, which only the tables know, and for tidying."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]  # ships no types

from core.clock import Clock

log = structlog.get_logger(__name__)

STEP = 5.0
"""Seconds by which wall and steady time may drift apart before the wake-up is registered anew."""

_WAKE_UP = "wake"
SIX_HOURLY: Mapping[str, str | int] = {"hour": "*/6", "jitter": 3_600}
"""Four times a day, each time up to an hour sooner or later by chance: many processes spread themselves."""


class Schedule:
    """Calls `wake` at the one time that is planned.

    APScheduler turns a time of day into a wait once, when a job is registered, and waits on a monotonic
    timer: it is told the wall clock's time of what is planned in steady time, and told anew where the two
    have come apart, which is looked at each second.
    A wake-up that was planned while not running is registered by `start`.
    """

    def __init__(self, clock: Clock, wake: Callable[[], None]) -> None:
        self._clock = clock
        self._wake = wake
        # By its defaults APScheduler 3.11 drops what is over a second late, and skips what overlaps.
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 8},
        )
        self._planned: datetime | None = None
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the running event loop; once."""
        self._scheduler.start()
        self._watching = asyncio.create_task(self._watch(self._apart()), name="wall clock watch")
        self._register()

    async def stop(self) -> None:
        """End; no wake-up comes afterwards. Raises what the watch may have died of."""
        if self._watching is None:
            return
        watching, self._watching = self._watching, None
        self._scheduler.shutdown(wait=False)
        watching.cancel()
        await asyncio.wait([watching])  # meanwhile the loop runs the shutdown, which it was only handed
        if not watching.cancelled():
            watching.result()

    def regularly(
        self, work: Callable[[], Awaitable[object]], when: Mapping[str, str | int] = SIX_HOURLY
    ) -> None:
        """Have `work` done whenever the wall clock is at `when` (fields of APScheduler's cron), in UTC.

        What it raises is logged; a second one is not begun while one runs.
        """
        self._scheduler.add_job(work, "cron", max_instances=1, **when)

    def next_due(self, at: datetime | None) -> None:
        """Plan the wake-up for `at` (aware), in place of the one before; None: plan none.

        A time in the past wakes at once. The same time again changes nothing until it has come.
        """
        if at != self._planned:
            self._planned = at
            self._register()

    def _register(self) -> None:
        if self._watching is None:
            return
        if self._planned is not None:
            self._scheduler.add_job(
                self._ring,
                "date",
                run_date=self._clock.wall(self._planned),
                args=[self._planned],
                id=_WAKE_UP,
                replace_existing=True,
            )
        elif self._scheduler.get_job(_WAKE_UP) is not None:
            self._scheduler.remove_job(_WAKE_UP)

    async def _ring(self, at: datetime) -> None:
        """Wake. A coroutine, because APScheduler runs plain functions in another thread."""
        if self._planned == at:
            self._planned = None
        self._wake()

    async def _watch(self, apart: float) -> None:
        while True:
            await self._clock.sleep(1)
            step = self._apart() - apart
            if abs(step) > STEP:
                apart += step
                log.warning("wall clock stepped", seconds=round(step, 1))
                self._register()

    def _apart(self) -> float:
        now = self._clock.now()
        return (self._clock.wall(now) - now).total_seconds()
