"""What a failed attempt does to a delivery: put back, turned into a notice, or buried. In a transaction."""

from dataclasses import replace
from datetime import datetime, timedelta

from core.errors import OutcomeUnknown, RateLimited, ThreadlineError
from core.model import Delivery, Lane, Notice, Reason, State, posting_lane
from core.ports import UnitOfWork
from core.retry import GiveUp, Limits, Tried, decide, pause_after
from core.services.settling import settle

#: Posting is patient: the answer is there, and posting it again costs nothing.
POSTING = Limits(attempts=200, deadline=timedelta(hours=24), repeats=200)
#: A wait of at least this is told in the thread; a shorter one only shows in its status.
TELL_FROM = timedelta(seconds=60)
#: A thread that was told already is told again of a wait of at least this.
TELL_AGAIN_FROM = timedelta(minutes=10)


def failed(
    uow: UnitOfWork,
    delivery: Delivery,
    error: ThreadlineError,
    *,
    limits: Limits,
    now: datetime,
    jitter: float,
    lease: datetime,
) -> Delivery:
    """Write what becomes of a leased delivery after `error`, and return it as it then stands.

    Accepted or answered: put back until `due_at`. Posting: a notice is owed, the lease is kept until
    `lease`. Buried: nothing more can be said.
    """
    unknown = isinstance(error, OutcomeUnknown)
    asking = delivery.state is State.ASKING
    counted = replace(
        delivery,
        attempt=delivery.attempt + (not isinstance(error, RateLimited)),
        maybe_charged=delivery.maybe_charged + unknown,
        doubtful=not asking and (delivery.doubtful or unknown),
    )
    lane = uow.lanes.get(delivery.lane)
    paused = timedelta(seconds=lane.paused_total(now) - delivery.paused_before)
    tried = Tried(
        attempts=counted.attempt,
        maybe_charged=counted.maybe_charged,
        active=now - delivery.ready_at - paused,
        age=now - (delivery.accepted_at if asking else delivery.ready_at),
        strikes=lane.strikes,
    )
    if isinstance(error, RateLimited):
        _pause(uow, lane, error, now)
    decision = decide(error, tried, limits if asking else POSTING, now=now, jitter=jitter)
    if isinstance(decision, GiveUp):
        return give_up(uow, counted, decision.reason, now=now, lease=lease)
    told = counted.told or (asking and decision.due_at - now >= TELL_FROM)
    back = replace(put_back(counted, decision.due_at), told=told)
    uow.deliveries.save(back, lease=None)
    return back


def _pause(uow: UnitOfWork, lane: Lane, error: RateLimited, now: datetime) -> None:
    """Pause the lane for everyone in it, whatever becomes of the question that met the 429."""
    wait = pause_after(error, lane.strikes)
    if wait is not None:
        uow.lanes.save(lane.pause(now, now + wait))


def put_back(delivery: Delivery, due_at: datetime) -> Delivery:
    """Return a leased delivery as it waits in the queue again until `due_at`."""
    resting = {State.ASKING: State.ACCEPTED, State.POSTING: State.ANSWERED}
    return replace(delivery, state=resting.get(delivery.state, delivery.state), due_at=due_at)


def give_up(
    uow: UnitOfWork, delivery: Delivery, reason: Reason, *, now: datetime, lease: datetime
) -> Delivery:
    """Owe a notice in place of the answer; bury what can be neither answered nor told."""
    refused = Reason.POST_REFUSED
    told_elsewhere = delivery.notice is not None and delivery.notice.reason is refused
    if delivery.state is State.POSTING and (reason is not refused or told_elsewhere):
        settle(uow, delivery, State.BURIED, now)
        return replace(delivery, state=State.BURIED)
    posting = to_post(uow, replace(delivery, notice=Notice(reason, delivery.project)), now)
    uow.deliveries.save(posting, lease=lease)
    return posting


def to_post(uow: UnitOfWork, delivery: Delivery, now: datetime) -> Delivery:
    """Return the delivery as it begins to be posted, in its workspace's own lane, with a fresh count."""
    lane = uow.lanes.get(posting_lane(delivery.thread.platform, delivery.thread.workspace))
    return replace(
        delivery,
        state=State.POSTING,
        lane=lane.id,
        ready_at=now,
        due_at=now,
        paused_before=lane.paused_total(now),
        attempt=0,
        maybe_charged=0,
        doubtful=False,
    )
