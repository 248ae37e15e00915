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

        The first showing is awaited, not cut off: cut off, it might come to pass after the answer.
        """
        shown = asyncio.Event()
        showing = asyncio.create_task(self._show_on(delivery, shown))
        try:
            yield
        finally:
            try:
                await shown.wait()
            finally:  # cancelled again meanwhile, too: else it would go on to be shown for ever
                showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)

    async def _show_on(self, delivery: Delivery, shown: asyncio.Event) -> None:
        try:
            await self.show(delivery, Working.ASKING)
        finally:
            shown.set()
        while True:
            await self._clock.sleep(_SHOW_AGAIN)
            await self.show(delivery, Working.ASKING)


def address(delivery: Delivery) -> Address:
    """Return where a delivery's answer goes."""
    return Address(delivery.thread, delivery.id, delivery.author, delivery.asked_at, delivery.receipt)
