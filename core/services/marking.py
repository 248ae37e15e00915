"""Has posted answers say what became of their question since. Made twice, a mark looks as if made once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

import structlog

from core.clock import Clock
from core.errors import Retryable, StoreUnavailable, ThreadlineError
from core.model import AnswerPart, Delivery, Mark, Platform
from core.ports import Poster, Transact, UnitOfWork
from core.retry import MAX_AGE
from core.services.failing import close
from core.services.showing import address

log = structlog.get_logger(__name__)

_AGAIN = timedelta(minutes=1)
_AT_ONCE = 20


class Marking:
    """Makes the marks that are due, one after another, in their workspace's posting lane."""

    def __init__(
        self,
        transact: Transact,
        posters: Mapping[Platform, Poster],
        clock: Clock,
        *,
        random: Callable[[], float],
    ) -> None:
        self._transact = transact
        self._posters = posters
        self._clock = clock
        self._random = random

    def due(self, uow: UnitOfWork) -> Sequence[tuple[Delivery, Mark]]:
        """Return, inside a transaction, the marks to make now; they come again if we should die over them."""
        now = self._clock.now()
        return uow.marks.due(now, now + _AGAIN, _AT_ONCE)

    async def make(self, marks: Sequence[tuple[Delivery, Mark]]) -> None:
        """Make marks; what fails is tried again for a day, where that can help."""
        for delivery, mark in marks:
            try:
                await self._make(delivery, mark)
            except StoreUnavailable as error:
                log.warning("mark not recorded", delivery=delivery.id, error=str(error))

    async def _make(self, delivery: Delivery, mark: Mark) -> None:
        posted = await self._transact(lambda uow: self._posted(uow, delivery))
        if posted is None:
            return
        try:
            for part in posted[-1:]:  # there one reads on; what an operator says is there has none known
                await self._posters[delivery.thread.platform].mark(address(delivery), part, mark)
        except StoreUnavailable:
            raise
        except ThreadlineError as error:
            log.warning("answer not marked", delivery=delivery.id, mark=mark.value, error=str(error))
            if isinstance(error, Retryable) and self._clock.now() - delivery.ready_at < MAX_AGE:
                await self._transact(partial(self._later, delivery=delivery, error=error))
                return
        except Exception:  # one mark that meets a bug must not hold up all others for ever
            log.exception("answer not marked", delivery=delivery.id, mark=mark.value)
        await self._transact(lambda uow: uow.marks.made(delivery.id, mark))

    def _posted(self, uow: UnitOfWork, delivery: Delivery) -> Sequence[AnswerPart] | None:
        """Return the parts that are posted; None, after putting the mark off, while the lane is paused."""
        lane, now = uow.lanes.get(delivery.lane), self._clock.now()
        if lane.paused_until is not None and lane.is_paused(now):
            uow.marks.later(delivery.id, lane.paused_until)
            return None
        return [part for part in uow.deliveries.parts(delivery.id) if part.posted is not None]

    def _later(self, uow: UnitOfWork, delivery: Delivery, error: ThreadlineError) -> None:
        now = self._clock.now()
        lane = close(uow, delivery, error, now, self._random())
        uow.marks.later(delivery.id, max(now + _AGAIN, lane.paused_until or now))
