"""Makes Discord's ids from a clock, and reads the time out of them."""

from datetime import UTC, datetime, timedelta

from core.clock import Clock

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
"""Discord's own: discord.com/developers/docs/reference#snowflakes."""
_LOW_BITS = 22


class Snowflakes:
    """Issues ids that always grow; two of the same millisecond differ in their low bits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def new(self) -> str:
        """Return an id nothing has."""
        millis = (self._clock.now() - EPOCH) // timedelta(milliseconds=1)
        self._last = max(millis << _LOW_BITS, self._last + 1)
        return str(self._last)


def made_at(snowflake: str) -> datetime:
    """Return when an id was made, to the millisecond."""
    return EPOCH + timedelta(milliseconds=int(snowflake) >> _LOW_BITS)
