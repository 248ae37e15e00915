"""How a thread moves on from one delivery to the next. Called inside a transaction, by the services."""

from dataclasses import replace
from datetime import datetime

from core.model import WIDE_OPEN, Delivery, LaneId, State
from core.ports import UnitOfWork


def settle(uow: UnitOfWork, delivery: Delivery, state: State, now: datetime) -> None:
    """End a delivery in `state` and let the next question of its thread have its turn.

    Raises LeaseLost when another holder has it.
    """
    uow.deliveries.settle(delivery, state, now)
    follower = uow.deliveries.next_waiting(delivery.conversation)
    if follower is not None:
        uow.deliveries.save(its_turn(uow, follower, now), lease=None)


def its_turn(uow: UnitOfWork, delivery: Delivery, now: datetime) -> Delivery:
    """Return the delivery as the first of its thread, due now; its deadline counts from here."""
    return replace(
        delivery,
        state=State.ACCEPTED if delivery.notice is None else State.ANSWERED,
        ready_at=now,
        due_at=now,
        paused_before=uow.lanes.get(delivery.lane).paused_total(now),
    )


def succeeded(uow: UnitOfWork, lane: LaneId) -> None:
    """Note that a lane let a call through: after a pause it widens by one each time."""
    narrow = uow.lanes.get(lane)
    if narrow.window < WIDE_OPEN:
        uow.lanes.save(narrow.widen())
