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


class SharedClock(Clock, Protocol):
    """A clock that is set by another one, which several machines share."""

    def set(self, there: datetime, *, begins: bool = False) -> None:
        """Show from now on what the other shows, where it is `there`. A little ahead of it, stand still.

        Where nothing was told by it yet, it `begins`, and is set at once.
        """
        ...


def _since_boot() -> float:
    """Return seconds that never run backwards, sleep of the machine included where the system counts it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


#: Seconds for which a clock that was ahead stands still rather than run backwards; one that is more is set.
_STANDS_STILL = 60.0


class SystemClock:
    """The machine's own clocks: the time of day is read once, and runs on by what has passed since.

    So an hour that the wall clock is set forward or back moves no due time, no pause and no lease. Several
    machines share one time where each is `set` by the same other clock; `wall` stays the machine's own.
    """

    def __init__(
        self, *, wall: Callable[[], float] = time.time, passed: Callable[[], float] = _since_boot
    ) -> None:
        """`wall`: seconds since 1970 in UTC; `passed`: seconds that run evenly."""
        self._wall = wall
        self._passed = passed
        self._began = passed()
        self._at = datetime.fromtimestamp(wall(), UTC)
        self._least = self._at

    def now(self) -> datetime:
        return max(self._least, self._at + timedelta(seconds=self._passed() - self._began))

    def set(self, there: datetime, *, begins: bool = False) -> None:
        ahead = (self.now() - there).total_seconds()
        self._least = self.now() if 0 < ahead <= _STANDS_STILL and not begins else there
        self._began, self._at = self._passed(), there

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self, at: datetime) -> datetime:
        return at + (datetime.fromtimestamp(self._wall(), UTC) - self.now())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
