"""Forgetting what nobody goes on with: conversations without a question for longer than they are kept."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.errors import StoreUnavailable
from core.model import ConversationId, Outlived
from core.ports import Transact, UnitOfWork

log = structlog.get_logger(__name__)

_AT_ONCE = 100  #: conversations in one transaction
_PAUSE = 0.05  #: seconds between two, in which others write


class Retaining:
    """Deletes conversations that are over, with their questions and answers, a few at a time.

    With them goes what tells that an event was taken before: that is needed for as long as platforms offer
    one again and we look for missed ones, six hours. Any number of processes may do this at once.
    """

    def __init__(self, transact: Transact, clock: Clock, *, keep: timedelta) -> None:
        """`keep`: how long after its last question a conversation is kept, a day at least."""
        self._transact = transact
        self._clock = clock
        self._keep = keep

    async def forget_outlived(self) -> int:
        """Look through all that is old enough, once; return how many conversations were deleted.

        What the database does not take is left for the next time.
        """
        before, many = self._clock.now() - self._keep, 0
        upto: ConversationId | None = ConversationId(0)
        try:
            while upto is not None:
                found = await self._transact(_looking(upto, before))
                upto, many = found.upto, many + found.deleted
                await self._clock.sleep(_PAUSE)
        except StoreUnavailable as error:
            log.warning("store unavailable, conversations are kept longer", error=str(error))
        log.info("outlived conversations deleted", conversations=many)
        return many


def _looking(after: ConversationId, before: datetime) -> Callable[[UnitOfWork], Outlived]:
    return lambda uow: uow.conversations.outlived(after, before, _AT_ONCE)
