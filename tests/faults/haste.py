"""An event loop whose time runs fast: for time-outs of libraries, which no Clock of ours reaches."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from bots.demo.changes import Changes
from tests.fixtures.guild import ShiftedClock

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Waits for shorter than it is told."""

    haste = 1.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / self.haste)


class HastyLoop(asyncio.SelectorEventLoop):
    """A loop whose seconds may be made shorter than others': timers and time-outs come so much earlier."""

    def __init__(self) -> None:
        self._since_loop, self._haste, self._hurrying = 0.0, 1.0, _Selector()
        self._since = super().time()
        super().__init__(self._hurrying)

    def time(self) -> float:
        return self._since_loop + (super().time() - self._since) * self._haste

    @contextmanager
    def in_haste(self, times: float) -> Iterator[None]:
        """Have time run so many times as fast meanwhile."""
        self._set(times)
        try:
            yield
        finally:
            self._set(1.0)

    def _set(self, haste: float) -> None:
        self._since_loop, self._since = self.time(), super().time()
        self._haste = self._hurrying.haste = haste


def play(story: Coroutine[Any, Any, T]) -> T:
    """Run a story on a loop that can hurry."""
    with asyncio.Runner(loop_factory=HastyLoop) as runner:
        return runner.run(story)


@contextmanager
def in_haste(times: float = 40.0) -> Iterator[None]:
    """Have the running loop's time run fast meanwhile; the machine's own clocks do not."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, HastyLoop)
    with loop.in_haste(times):
        yield


async def until_later(
    changes: Changes, states: Callable[[], list[str]], clock: ShiftedClock, happened: Callable[[], object]
) -> None:
    """Wait, in haste, until something has happened; the clock is set on whenever no delivery is under way."""
    for _ in range(400):
        with suppress(TimeoutError):
            async with asyncio.timeout(5):  # of the loop's seconds
                await changes.until(lambda: happened() or None)
            return
        if not {"asking", "posting"} & {*states()}:
            clock.advance(60)
    raise TimeoutError(f"it has not happened: {states()}")
