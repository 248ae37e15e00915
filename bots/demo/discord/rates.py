"""Counts calls per bucket and draws Discord's rate-limit headers. It limits nothing unless told to."""

import hashlib
from dataclasses import dataclass

from core.clock import Clock

GENEROUS = 1_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many calls in so many seconds; `enforced=False` only shows them in headers."""

    limit: int = GENEROUS
    seconds: float = 1.0
    enforced: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """Where a bucket stands after a call."""

    bucket: str
    limit: int
    remaining: int
    resets_at: float
    """Unix seconds of the world's clock."""
    reset_after: float
    is_over: bool

    def headers(self) -> dict[str, str]:
        """Return Discord's five headers."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{self.resets_at:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
            "X-RateLimit-Bucket": self.bucket,
        }


class Rates:
    """The buckets: one per route and channel, guild or webhook, as on Discord."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._allowances: dict[str, Allowance] = {}
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def limit(self, route: str, limit: int, seconds: float) -> None:
        """Allow only so many calls of a route in so many seconds, per channel, guild or webhook."""
        self._allowances[route] = Allowance(limit, seconds, enforced=True)

    def count(self, route: str, subject: str) -> Count:
        """Count one call, and return where its bucket stands."""
        allowance = self._allowances.get(route, Allowance())
        now = self._clock.monotonic()
        began, used = self._windows.get((route, subject), (now, 0))
        if now - began >= allowance.seconds:
            began, used = now, 0
        self._windows[route, subject] = (began, used + 1)
        reset_after = began + allowance.seconds - now
        return Count(
            bucket=hashlib.sha256(route.encode()).hexdigest()[:32],
            limit=allowance.limit,
            remaining=max(0 if allowance.enforced else 1, allowance.limit - used - 1),
            resets_at=self._clock.now().timestamp() + reset_after,
            reset_after=reset_after,
            is_over=allowance.enforced and used >= allowance.limit,
        )
