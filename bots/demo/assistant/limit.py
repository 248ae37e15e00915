"""A steady limit per API key, as a pure decision over the monotonic time it is given."""

import math


class Limit:
    """Lets `per_second` requests of one key through, up to `burst` at once."""

    def __init__(self, per_second: float, burst: int | None = None) -> None:
        self._interval = 1 / per_second
        self._slack = self._interval * (max(1, int(per_second) if burst is None else burst) - 1)
        self._next: dict[str, float] = {}

    def wait(self, key: str, now: float) -> int:
        """Return 0 and count the request, or the whole seconds (at least 1) after which one may pass."""
        due = max(self._next.get(key, now), now)
        early = due - self._slack - now
        if early > 1e-9:  # what adding intervals loses to rounding is not early
            return max(1, math.ceil(early))
        self._next[key] = due + self._interval
        return 0
