"""Shows what a thread waits for. A kindness: where it fails, only the log tells."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from core.clock import Clock
from core.errors import ThreadlineError
from core.model import Address, Delivery, Platform, ThreadState, Working
from core.ports import Poster

log = structlog.get_logger(__name__)

#: Seconds within which an answer comes at once: nobody would read that it is worked on.
AT_ONCE = 0.4
#: Platforms let a status lapse (Slack after two minutes); a long call renews it before.
_SHOW_AGAIN = 90.0


class Showing:
    """Shows the states of threads, each on its platform."""

    def __init__(self, posters: Mapping[Platform, Poster], clock: Clock) -> None:
        self._posters = posters
        self._clock = clock

    async def show(self, delivery: Delivery, state: ThreadState) -> None:
        """Show a thread's state; if that fails, it is only a pity."""
        poster = self._posters.get(delivery.thread.platform)
        if poster is None:  # it is not configured any more
            return
        try:
            await poster.show_state(address(delivery), state)
        except ThreadlineError as error:
            log.info("state not shown", delivery=delivery.id, error=str(error))

    @asynccontextmanager
    async def working(self, delivery: Delivery) -> AsyncIterator[None]:
        """Show that a question is worked on, beside what is done inside, and again before that lapses.

        What is done at once shows nothing. A showing that has begun is awaited, not cut off: cut off, it
        might come to pass after the answer.
        """
        showing = _Shown()
        task = asyncio.create_task(self._show_on(delivery, showing))
        try:
            yield
        finally:
            try:
                await showing.over()
            finally:  # cancelled again meanwhile, too: else it would go on to be shown for ever
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _show_on(self, delivery: Delivery, showing: "_Shown") -> None:
        await self._clock.sleep(AT_ONCE)
        while True:
            with showing:
                await self.show(delivery, Working.ASKING)
            await self._clock.sleep(_SHOW_AGAIN)


class _Shown:
    """Whether something is being shown in this moment."""

    def __init__(self) -> None:
        self._idle = asyncio.Event()
        self._idle.set()

    def __enter__(self) -> None:
        self._idle.clear()

    def __exit__(self, *_: object) -> None:
        self._idle.set()

    async def over(self) -> None:
        """Return when nothing is being shown."""
        await self._idle.wait()


def address(delivery: Delivery) -> Address:
    """Return where a delivery's answer goes."""
    return Address(delivery.thread, delivery.id, delivery.author, delivery.asked_at, delivery.receipt)
