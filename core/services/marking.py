"""Has posted answers say what became of their question since. Made twice, a mark looks as if made once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from core.clock import Clock
from core.errors import RateLimited, Retryable, StoreUnavailable, ThreadlineError
from core.model import Delivery, Mark, Platform
from core.ports import Poster, Transact, UnitOfWork
from core.retry import MAX_AGE
from core.services.showing import address

log = structlog.get_logger(__name__)

_AGAIN = timedelta(minutes=1)
_AT_ONCE = 20


class Marking:
    """Makes the marks that are due, one after another."""

    def __init__(self, transact: Transact, posters: Mapping[Platform, Poster], clock: Clock) -> None:
        self._transact = transact
        self._posters = posters
        self._clock = clock

    def due(self, uow: UnitOfWork) -> Sequence[tuple[Delivery, Mark]]:
        """Return, inside a transaction, the marks to make now."""
        return uow.marks.due(self._clock.now(), _AT_ONCE)

    async def make(self, marks: Sequence[tuple[Delivery, Mark]]) -> None:
        """Make marks; what fails is tried again for a day, where that can help."""
        for delivery, mark in marks:
            try:
                await self._make(delivery, mark)
            except StoreUnavailable as error:
                log.warning("mark not recorded", delivery=delivery.id, error=str(error))

    async def _make(self, delivery: Delivery, mark: Mark) -> None:
        try:
            await self._show(delivery, mark)
        except StoreUnavailable:
            raise
        except ThreadlineError as error:
            log.warning("answer not marked", delivery=delivery.id, mark=mark.value, error=str(error))
            if isinstance(error, Retryable) and self._clock.now() - delivery.ready_at < MAX_AGE:
                await self._later(delivery, error)
                return
        await self._transact(lambda uow: uow.marks.made(delivery.id, mark))

    async def _show(self, delivery: Delivery, mark: Mark) -> None:
        """Mark the answer's last part, where one reads on; what an operator says is there has none known."""
        parts = await self._transact(lambda uow: uow.deliveries.parts(delivery.id))
        posted = [part for part in parts if part.posted is not None]
        for part in posted[-1:]:
            await self._posters[delivery.thread.platform].mark(address(delivery), part, mark)

    async def _later(self, delivery: Delivery, error: ThreadlineError) -> None:
        asked = error.retry_after if isinstance(error, RateLimited) else None
        due = self._clock.now() + max(asked or _AGAIN, _AGAIN)
        await self._transact(lambda uow: uow.marks.later(delivery.id, due))
