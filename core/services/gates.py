"""What a 429 shuts from the moment it comes, before that is committed: in this process, for each lane."""

from datetime import datetime, timedelta

from core.clock import Clock
from core.model import LaneId


class Gates:
    """Lanes in which no call of this process may begin yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shut: dict[LaneId, datetime] = {}

    def shut(self, lane: LaneId, wait: timedelta | None) -> None:
        """Let no call begin for so long; None: for no time that is known."""
        if wait is not None:
            until = self._clock.now() + wait
            self._shut[lane] = max(until, self._shut.get(lane, until))

    def until(self, lane: LaneId) -> datetime | None:
        """Return until when a lane is shut; None if it is open."""
        until = self._shut.get(lane)
        return None if until is None or until <= self._clock.now() else until
