"""What could not be shown to its asker in private, for when they come and fetch it."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.model import AnswerPart, AuthorId, Delivery, Platform
from core.ports import Transact, UnitOfWork


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer, as the parts that were not shown yet; or, where there are none, the delivery's notice.

    `question` is what it answers, empty where that was no question.
    """

    delivery: Delivery
    question: str
    parts: Sequence[AnswerPart]


class Collecting:
    """Hands over what is kept. It comes again until it is said to be fetched."""

    def __init__(self, transact: Transact) -> None:
        self._transact = transact

    async def kept(self, platform: Platform, author: AuthorId) -> Sequence[Kept]:
        """Return what is kept for someone, oldest first. Raises StoreUnavailable."""

        def work(uow: UnitOfWork) -> Sequence[Kept]:
            return [_kept(uow, one) for one in uow.deliveries.kept(platform, author)]

        return await self._transact(work)

    async def fetched(self, kept: Kept) -> None:
        """Note that its asker has it now. Raises StoreUnavailable."""
        await self._transact(lambda uow: uow.deliveries.fetched(kept.delivery.id))


def _kept(uow: UnitOfWork, delivery: Delivery) -> Kept:
    parts = [part for part in uow.deliveries.parts(delivery.id) if part.posted is None]
    return Kept(delivery, uow.conversations.asked(delivery.id) or "", parts)
