"""The time, as everything in Threadline asks for it. Nothing else may read a clock."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells a steady time for due times, a monotonic one for durations, and the time of day for people."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC. However the machine's wall clock is set, it runs on evenly."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, from an arbitrary start."""
        ...

    def wall(self, at: datetime) -> datetime:
        """Return what the machine's wall clock shows at the steady time `at`, as it is set now."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many monotonic seconds."""
        ...


def _since_boot() -> float:
    """Return seconds that never run backwards, sleep of the machine included where the system counts it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SystemClock:
    """The machine's own clocks: the time of day is read once, and runs on by what has passed since.

    So an hour that the wall clock is set forward or back moves no due time, no pause and no lease.
    """

    def __init__(
        self, *, wall: Callable[[], float] = time.time, passed: Callable[[], float] = _since_boot
    ) -> None:
        """`wall`: seconds since 1970 in UTC; `passed`: seconds that run evenly."""
        self._wall = wall
        self._passed = passed
        self._began = passed()
        self._at = datetime.fromtimestamp(wall(), UTC)

    def now(self) -> datetime:
        return self._at + timedelta(seconds=self._passed() - self._began)

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self, at: datetime) -> datetime:
        return at + (datetime.fromtimestamp(self._wall(), UTC) - self.now())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
