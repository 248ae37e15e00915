"""What shares one allowance, and how long it is paused."""

from dataclasses import dataclass, replace
from datetime import datetime

from core.model.ids import LaneId

#: A lane's window before anything has narrowed it; the concurrency allowed is the real bound.
WIDE_OPEN = 1_000_000
_PROVED = 64


@dataclass(frozen=True, slots=True)
class Lane:
    """What shares one allowance: an API key, or a workspace's posting.

    Paused from `paused_since` to `paused_until`; `paused_before` is the seconds of all earlier
    pauses together. After a pause `window` lets one call through as a probe and grows from there.
    `strikes` counts the pauses since the last success.
    """

    id: LaneId
    window: int = WIDE_OPEN
    paused_since: datetime | None = None
    paused_until: datetime | None = None
    paused_before: float = 0.0
    strikes: int = 0

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    def paused_total(self, now: datetime) -> float:
        """Return the seconds this lane has been paused in all its life, up to `now`."""
        if self.paused_since is None or self.paused_until is None:
            return self.paused_before
        latest = min(now, self.paused_until) - self.paused_since
        return self.paused_before + max(0.0, latest.total_seconds())

    def widen(self) -> "Lane":
        """Return the lane with room for one more call at once; wide open once it has proved itself."""
        window = self.window + 1 if self.window < _PROVED else WIDE_OPEN
        return replace(self, window=window, strikes=0)

    def pause(self, now: datetime, until: datetime) -> "Lane":
        """Return the lane paused until `until` at least, narrowed to one probe afterwards."""
        if self.is_paused(now) and self.paused_until is not None:
            return replace(self, window=1, paused_until=max(until, self.paused_until))
        return replace(
            self,
            window=1,
            paused_since=now,
            paused_until=until,
            paused_before=self.paused_total(now),
            strikes=self.strikes + 1,
        )
