"""What only a human moves: deliveries whose posting nobody can be sure of, and buried ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.clock import Clock
from core.errors import Permanent
from core.model import Delivery, DeliveryId, State, posting_lane
from core.ports import Transact, UnitOfWork
from core.services.settling import its_turn
from core.services.terms import Terms, terms_of


class NotToBeRevived(Permanent):
    """There is no such delivery that waits for a human."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A delivery as an operator looks at it: how much of its answer is known to be posted."""

    delivery: Delivery
    parts: int
    posted: int


class Reviewing:
    """Lists what waits for a human, and does what they decide."""

    def __init__(self, transact: Transact, clock: Clock, own: Terms, *, wake: Callable[[], None]) -> None:
        """`own`: the installation's terms, for what is asked again where there is no account."""
        self._transact = transact
        self._clock = clock
        self._own = own
        self._wake = wake

    async def listed(self, state: State, limit: int = 50) -> Sequence[Reviewed]:
        """Return what waits for a human in a state, ambiguous or buried, the newest first."""
        return await self._transact(
            lambda uow: [_reviewed(uow, one) for one in uow.deliveries.listed(state, limit)]
        )

    async def post_again(self, delivery: DeliveryId) -> Delivery:
        """Try a delivery again: an ambiguous one is posted from its first part that is not known to be
        there, a buried one is asked again, or posted again where it had an answer.

        Raises NotToBeRevived unless it is ambiguous or buried.
        """
        revived = await self._transact(lambda uow: self._revive(uow, delivery, self._clock.now()))
        self._wake()
        return revived

    async def is_posted(self, delivery: DeliveryId) -> None:
        """Take a human's word that an ambiguous answer is there. Raises NotToBeRevived if it is not one."""

        def work(uow: UnitOfWork) -> None:
            found = _waiting_for_a_human(uow, delivery, {State.AMBIGUOUS})
            uow.deliveries.revive(replace(found, state=State.DONE))

        await self._transact(work)

    def _revive(self, uow: UnitOfWork, delivery: DeliveryId, now: datetime) -> Delivery:
        found = _waiting_for_a_human(uow, delivery, {State.AMBIGUOUS, State.BURIED})
        parts = uow.deliveries.parts(delivery)
        posting = bool(parts) or found.state is State.AMBIGUOUS
        if not posting and (found.project is None or uow.conversations.asked(delivery) is None):
            raise NotToBeRevived(f"{delivery} has no project, or its text is gone: it has to be asked anew")
        thread = found.thread
        posts_in = posting_lane(thread.platform, thread.workspace)
        fresh = replace(
            found,
            state=State.WAITING,
            lane=posts_in if posting else terms_of(uow, thread, self._own).lane,
            notice=None if parts or not posting else found.notice,
            accepted_at=now,
            attempt=0,
            maybe_charged=0,
            # What was posted before it was buried, nobody wrote down for certain: it is looked for first.
            doubtful=bool(parts) and found.state is State.BURIED,
            told=False,
        )
        if uow.deliveries.head(found.conversation) is None:
            # Due by the clock of whoever works here, which need not be the one of an operator's command.
            fresh = replace(its_turn(uow, fresh, now), due_at=min(now, found.due_at))
        uow.deliveries.revive(fresh)
        return replace(fresh, fence=fresh.fence + 1)


def _waiting_for_a_human(uow: UnitOfWork, delivery: DeliveryId, states: set[State]) -> Delivery:
    found = uow.deliveries.locked(delivery)
    if found is None or found.state not in states:
        named = " or ".join(sorted(state.value for state in states))
        raise NotToBeRevived(f"{delivery} is not {named}: `threadline queue list` shows what is.")
    return found


def _reviewed(uow: UnitOfWork, delivery: Delivery) -> Reviewed:
    parts = uow.deliveries.parts(delivery.id)
    return Reviewed(delivery, len(parts), sum(part.posted is not None for part in parts))
