"""What shares one allowance: how long it is paused, how wide it is open, and whether anyone is there."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.model.ids import LaneId

#: A lane's window before anything has narrowed it; the concurrency allowed is the real bound.
WIDE_OPEN = 1_000_000
#: So many failures in a row, and the other side is taken to be away.
TRIP = 5
#: How long nothing is begun once it is.
FIRST_WAIT = timedelta(seconds=5)
_PROVED = 64
_LONGEST_WAIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Lane:
    """What shares one allowance: an API key, or a workspace's posting.

    Nothing is begun in it before `paused_until`. A pause that the other side asked for has a `paused_since`;
    `paused_before` is the seconds of all such pauses before it. After a pause one call goes as a probe
    (`probing`); `window` is how many may be under way once it has succeeded. `strikes` counts the 429s,
    `failures` the calls that came to nothing, each since the last success. `away_since` is when the
    other side was found to be away: the circuit is open, or half open while probed; `suspect` is the project
    that the last failure was of: the next probe is of another, if there is one. `served` is the rank that
    was last claimed.
    """

    id: LaneId
    window: int = WIDE_OPEN
    probing: bool = False
    paused_since: datetime | None = None
    paused_until: datetime | None = None
    paused_before: float = 0.0
    strikes: int = 0
    failures: int = 0
    away_since: datetime | None = None
    served: int = 0
    suspect: str | None = None

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    def room(self, concurrency: int) -> int:
        """Return how many calls may be under way at once."""
        return 1 if self.probing else min(self.window, concurrency)

    def paused_total(self, now: datetime) -> float:
        """Return the seconds this lane has been asked to pause in all its life, up to `now`."""
        if self.paused_since is None or self.paused_until is None:
            return self.paused_before
        latest = min(now, self.paused_until) - self.paused_since
        return self.paused_before + max(0.0, latest.total_seconds())

    def succeeded(self, now: datetime) -> "Lane":
        """Return the lane after a call that succeeded: someone is there, and there is room for one more.

        During a pause that the other side asked for it tells nothing about what comes after. Wide open once
        the lane has proved itself.
        """
        if self.is_paused(now) and self.paused_since is not None:
            return replace(self, failures=0, away_since=None, suspect=None)
        return replace(
            self,
            window=self.window + 1 if self.window < _PROVED else WIDE_OPEN,
            probing=False,
            paused_until=self.paused_until if self.paused_since is not None else None,
            strikes=0,
            failures=0,
            away_since=None,
            suspect=None,
        )

    def pause(self, now: datetime, until: datetime, busy: int) -> "Lane":
        """Return the lane paused until `until` at least, as the other side asked.

        Half of the `busy` calls under way are allowed after the probe. Calls that were under way when the
        pause began tell the same thing again: they narrow nothing further.
        """
        if self.paused_since is not None and self.paused_until is not None and self.is_paused(now):
            return replace(self, paused_until=max(until, self.paused_until))
        longest = until if self.paused_until is None else max(until, self.paused_until)
        return replace(
            self,
            window=max(1, min(self.window, busy) // 2),
            probing=True,
            paused_since=now,
            paused_until=longest,
            paused_before=self.paused_total(now),
            strikes=self.strikes + 1,
            failures=0,
            away_since=None,
            suspect=None,
        )

    def failed(
        self,
        now: datetime,
        jitter: float,
        *,
        trips_at: int = TRIP,
        wait: timedelta = FIRST_WAIT,
        suspect: str | None = None,
    ) -> "Lane":
        """Return the lane after a call that came to nothing. `jitter` is uniform in [0, 1).

        After `trips_at` in a row nothing is begun for `wait` (and a quarter, by chance), then one call
        probes; if that fails, twice as long, up to a minute. Calls that were under way then change nothing.
        """
        if self.is_paused(now):
            return self
        failures = self.failures + 1
        if self.away_since is None and failures < trips_at:
            return replace(self, failures=failures, suspect=suspect)
        doublings = min(max(failures - trips_at, 0), 8)
        pause = min(wait * (1 << doublings), max(wait, _LONGEST_WAIT)) * (1 + jitter / 4)
        return replace(
            self,
            window=1,
            probing=True,
            paused_since=None,
            paused_until=now + pause,
            paused_before=self.paused_total(now),
            failures=failures,
            away_since=self.away_since or now,
            suspect=suspect,
        )
