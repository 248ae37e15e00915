"""How a thread moves on from one delivery to the next. Called inside a transaction, by the services."""

from dataclasses import replace
from datetime import datetime

from core.model import HEADS, Delivery, LaneId, State, posting_lane
from core.ports import UnitOfWork

_TO_BE_ASKED = frozenset({State.UNLINKED, State.WAITING, State.ACCEPTED, State.ASKING})


def settle(uow: UnitOfWork, delivery: Delivery, state: State, now: datetime) -> None:
    """End the delivery that it is the turn of, in `state`, and let the next one of its thread have its turn.

    Raises LeaseLost when another holder has it. Nothing is accepted into the thread meanwhile: it would see
    a predecessor that never has its follower step up.
    """
    uow.conversations.lock({delivery.conversation})
    uow.deliveries.settle(delivery, state, now)
    follower = uow.deliveries.next_waiting(delivery.conversation)
    if follower is not None:
        uow.deliveries.save(its_turn(uow, follower, now), lease=None)


def cancel(uow: UnitOfWork, delivery: Delivery, now: datetime) -> None:
    """End a delivery of which nothing was posted: its question is no more, and not in the history either.

    It is locked. Whoever holds it can write no more.
    """
    if delivery.state in HEADS:
        settle(uow, delivery, State.CANCELLED, now)
    else:
        uow.deliveries.settle(delivery, State.CANCELLED, now)
    uow.conversations.forget(delivery.id)


def its_turn(uow: UnitOfWork, delivery: Delivery, now: datetime) -> Delivery:
    """Return the delivery as the first of its thread, due now; its deadline counts from here."""
    thread, asks = delivery.thread, is_asked(delivery)
    return replace(
        delivery,
        state=State.ACCEPTED if asks else State.ANSWERED,
        ready_at=now,
        due_at=now,
        paused_before=uow.lanes.get(delivery.lane).paused_total(now),
        rank=uow.deliveries.next_rank(delivery.lane, thread.platform, thread.workspace) if asks else 0,
    )


def is_to_be_asked(delivery: Delivery) -> bool:
    """Tell whether there is no answer yet, nor a notice in its place that waits for its turn."""
    return delivery.state in _TO_BE_ASKED and (delivery.state is not State.WAITING or is_asked(delivery))


def is_asked(delivery: Delivery) -> bool:
    """Tell whether what has, or waits for, its turn is to be asked: else it is to be posted."""
    return delivery.lane != posting_lane(delivery.thread.platform, delivery.thread.workspace)


def in_lane(uow: UnitOfWork, delivery: Delivery, lane: LaneId, now: datetime) -> Delivery:
    """Return a question that is to be asked as it stands in another lane, at its workspace's next place."""
    thread = delivery.thread
    return replace(
        delivery,
        lane=lane,
        paused_before=uow.lanes.get(lane).paused_total(now),
        rank=uow.deliveries.next_rank(lane, thread.platform, thread.workspace),
    )


def succeeded(uow: UnitOfWork, lane: LaneId, now: datetime) -> None:
    """Note that a lane let a call through: after a pause it widens by one each time."""
    seen = uow.lanes.get(lane)
    if seen.succeeded(now) == seen:
        return
    before = uow.lanes.locked(lane)
    after = before.succeeded(now)
    if after != before:
        uow.lanes.save(after)
