"""What the tests of the numbered table share: figures beside a verdict, and a clock that runs ahead."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from tests.fixtures.guild import ShiftedClock
from tests.fixtures.walk import Walk

#: pytest's `record_property`: a figure, by name, that goes into the report (`--junitxml=FILE`).
Note = Callable[[str, object], None]


def percentile(seconds: Sequence[float], share: int) -> float:
    """Return the smallest of the values that at least `share` per cent of them do not exceed."""
    ranked = sorted(seconds)
    return ranked[max(0, -(-share * len(ranked) // 100) - 1)]


def acked_after(town: Walk) -> list[float]:
    """Return for how many seconds Slack waited for each acknowledgement."""
    return [one.acked_after for one in town.workspace.deliveries if one.acked_after is not None]


def ahead(town: Walk) -> ShiftedClock:
    """Have Threadline run by a clock that can be set forward, and return that."""
    clock = ShiftedClock()
    town.clock = clock
    return clock


async def until_later(town: Walk, happened: Callable[[], object], seconds: float = 60.0) -> None:
    """Set the clock on whenever nothing is under way, until something has happened."""
    clock = town.clock
    assert isinstance(clock, ShiftedClock)
    for _ in range(60):
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await town.workspace.until(happened)
                return
        if not {"asking", "posting"} & {*town.states()}:  # or it would seem to have been asleep
            clock.advance(seconds)
    raise TimeoutError("it has not happened")
