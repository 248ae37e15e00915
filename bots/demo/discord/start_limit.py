"""How many sessions may start in a day, as the gateway counts and REST tells it. It closes nothing."""

from dataclasses import dataclass, field

from bots.demo.discord.records import Json
from core.clock import Clock


@dataclass(slots=True)
class SessionStartLimit:
    """How many sessions may yet start; every number may be set."""

    clock: Clock
    total: int = 1000
    remaining: int = 1000
    reset_after: int = 86_400_000
    """Milliseconds from the first start until `remaining` is `total` again."""
    max_concurrency: int = 1
    """Told to the client, never enforced: discord.py waits five seconds before it identifies anew."""
    _since: float | None = field(default=None, init=False)

    def take(self) -> bool:
        """Count a start; return False when there is none left."""
        self._renew()
        if self.remaining <= 0:
            return False
        self.remaining -= 1
        if self._since is None:
            self._since = self.clock.monotonic()
        return True

    def as_json(self) -> Json:
        """Return the `session_start_limit` of `GET /gateway/bot`."""
        self._renew()
        return {
            "total": self.total,
            "remaining": self.remaining,
            "reset_after": self._left(),
            "max_concurrency": self.max_concurrency,
        }

    def _left(self) -> int:
        """Return the milliseconds until the renewal, 0 if nothing has been counted."""
        if self._since is None:
            return 0
        return self.reset_after - round((self.clock.monotonic() - self._since) * 1000)

    def _renew(self) -> None:
        if self._since is not None and self._left() <= 0:
            self.remaining, self._since = self.total, None
