"""When so many questions come in at once that answering waits: platforms are to be told in time."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.clock import Clock

#: So many questions are being taken in at once, and it is a rush.
MANY = 32
#: Seconds after which answering goes on, rush or not.
LONGEST = 2.0


class Rush:
    """Counts what this process is taking in. Slack, for one, waits three seconds for its acknowledgement."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._under_way = 0
        self._since: float | None = None

    @contextmanager
    def taking_in(self) -> Iterator[None]:
        """Count one more while its transaction is waited for."""
        self._under_way += 1
        if self._under_way >= MANY and self._since is None:
            self._since = self._clock.monotonic()
        try:
            yield
        finally:
            self._under_way -= 1

    @property
    def is_on(self) -> bool:
        """Whether nothing new should be begun just now.

        A rush is over once it is seen to be: one that abates for a moment, unseen, begins no new one.
        """
        if self._under_way < MANY:
            self._since = None
        return self._since is not None and self._clock.monotonic() - self._since < LONGEST
