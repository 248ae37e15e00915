"""What a failed attempt does to a delivery: put back, turned into a notice, or buried. In a transaction."""

from dataclasses import replace
from datetime import datetime, timedelta

from core.errors import (
    AccountRefused,
    BrokenAnswer,
    OutcomeUnknown,
    RateLimited,
    ThreadlineError,
    Unavailable,
    Unreachable,
)
from core.model import Delivery, Lane, Notice, Reason, State, posting_lane
from core.ports import UnitOfWork
from core.retry import GRACE, MAX_AGE, GiveUp, Limits, Tried, decide, overdue, pause_after
from core.services.settling import settle

#: Posting is patient: the answer is there, and posting it again costs nothing.
POSTING = Limits(attempts=200, deadline=timedelta(hours=24), repeats=200)
#: How long nothing is posted to a workspace that refuses our token, before that is tried again.
TOKEN_WAIT = timedelta(minutes=10)
#: Over how long what was under way when the other side went away is spread once it is back.
_SPREAD = timedelta(seconds=5)
_EXPIRED_AT_ONCE = 50
#: A wait of at least this is told in the thread; a shorter one only shows in its status.
TELL_FROM = timedelta(seconds=60)
#: How long the other side has to be away before threads are told.
TELL_AWAY_FROM = timedelta(seconds=30)
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
    uow.conversations.lock({delivery.conversation})
    lane = uow.lanes.locked(delivery.lane)
    if asking and delivery.attempt == 0:  # its deadline counts from its first failure: before, it was in line
        began = now if lane.away_since is None else max(delivery.ready_at, lane.away_since)
        delivery = replace(delivery, ready_at=began, paused_before=lane.paused_total(now))
    after = close(uow, delivery, error, now, jitter)
    # A 429 uses up no attempt; nor, but for the first, does the search for whether anybody is there at all.
    searching = after.away_since is not None and delivery.attempt > 0 and not isinstance(error, BrokenAnswer)
    counts = not (searching or isinstance(error, RateLimited))
    counted = replace(
        delivery,
        attempt=delivery.attempt + counts,
        maybe_charged=delivery.maybe_charged + unknown,
        doubtful=not asking and (delivery.doubtful or unknown),
    )
    tried, patience = _tried(counted, lane, now), limits if asking else POSTING
    decision = decide(error, tried, patience, now=now, jitter=jitter)
    if isinstance(decision, GiveUp):
        return give_up(uow, counted, decision.reason, now=now, lease=lease)
    told = counted.told or (asking and after.away_since is None and decision.due_at - now >= TELL_FROM)
    back = replace(put_back(counted, decision.due_at), told=told)
    if after.away_since is not None and after.paused_until is not None:
        back = _behind_others(uow, back, after.paused_until + _SPREAD * jitter)
    uow.deliveries.save(back, lease=None)
    return back


def _behind_others(uow: UnitOfWork, back: Delivery, due_at: datetime) -> Delivery:
    """Return it so that another goes as the next probe: the fault may lie in the question itself."""
    thread = back.thread
    behind = uow.deliveries.next_rank(back.lane, thread.platform, thread.workspace)
    return replace(back, due_at=max(back.due_at, due_at), rank=behind if back.rank else 0)


def close(uow: UnitOfWork, delivery: Delivery, error: ThreadlineError, now: datetime, jitter: float) -> Lane:
    """Close a delivery's lane for everyone in it, if need be, whatever becomes of itself; return the lane."""
    lane = after = uow.lanes.locked(delivery.lane)
    match error:
        case RateLimited():
            wait = pause_after(error, _strikes(lane, now))
            if wait is not None:
                after = lane.pause(now, now + wait, uow.lanes.busy(lane.id))
        case AccountRefused():
            after = lane.failed(now, jitter, trips_at=1, wait=TOKEN_WAIT)
        case Unreachable() | OutcomeUnknown() | Unavailable():
            # A platform that is away is so for answers of every project.
            suspect = delivery.project if delivery.state is State.ASKING else None
            after = lane.failed(now, jitter, suspect=suspect)
    if after != lane:
        uow.lanes.save(after)
    return after


def _tried(counted: Delivery, lane: Lane, now: datetime) -> Tried:
    """Return what a delivery has been through; `lane` is as it was before the last failure."""
    paused = timedelta(seconds=lane.paused_total(now) - counted.paused_before)
    asking = counted.state is State.ASKING
    return Tried(
        attempts=counted.attempt,
        maybe_charged=counted.maybe_charged,
        active=now - counted.ready_at - paused,
        age=now - (counted.accepted_at if asking else counted.ready_at),
        strikes=_strikes(lane, now),
    )


def _strikes(lane: Lane, now: datetime) -> int:
    """Return the 429s before this one: those that were under way together count as one."""
    together = lane.paused_since is not None and lane.is_paused(now)
    return lane.strikes - 1 if together else lane.strikes


def held_up(uow: UnitOfWork, delivery: Delivery, now: datetime) -> bool:
    """Put a leased delivery back if nothing may begin in its lane now; return whether that was so.

    What was leased before a pause that is over by now is not the probe, unless it is alone.
    """
    lane = uow.lanes.get(delivery.lane)
    if not lane.is_paused(now) and not (lane.probing and uow.lanes.busy(lane.id) > 1):
        return False
    uow.deliveries.save(put_back(delivery, max(now, lane.paused_until or now)), lease=None)
    return True


def put_back(delivery: Delivery, due_at: datetime) -> Delivery:
    """Return a leased delivery as it waits in the queue again until `due_at`."""
    resting = {State.ASKING: State.ACCEPTED, State.POSTING: State.ANSWERED}
    return replace(delivery, state=resting.get(delivery.state, delivery.state), due_at=due_at)


def give_up(
    uow: UnitOfWork, delivery: Delivery, reason: Reason, *, now: datetime, lease: datetime
) -> Delivery:
    """Owe a notice in place of the answer, in its turn; bury what can be neither answered nor told.

    Where it is unlinked, and so perhaps not its turn, its conversation is locked.
    """
    refused = Reason.POST_REFUSED
    told_elsewhere = delivery.notice is not None and delivery.notice.reason is refused
    if delivery.state is State.POSTING and (reason is not refused or told_elsewhere):
        settle(uow, delivery, State.BURIED, now)
        return replace(delivery, state=State.BURIED)
    posting = to_post(uow, replace(delivery, notice=Notice(reason, delivery.project)), now)
    if delivery.state is State.UNLINKED and uow.deliveries.head(delivery.conversation) is not None:
        waiting = replace(posting, state=State.WAITING)  # of its thread, another is told first
        uow.deliveries.save(waiting, lease=None)
        return waiting
    uow.deliveries.save(posting, lease=lease)
    return posting


def expire(uow: UnitOfWork, limits: Limits, now: datetime) -> int:
    """Owe a notice for what waits behind a closed lane longer than it may be tried; return for how many.

    Pauses that the assistant asked for do not count: whoever waits for one is only too old after a day.
    """
    many = 0
    old = now - MAX_AGE - GRACE
    for delivery, lane in uow.deliveries.behind_pauses(now, now - limits.deadline, old, _EXPIRED_AT_ONCE):
        if until(delivery, lane, limits, now) > now and not overdue(now - delivery.accepted_at):
            continue
        owed = to_post(uow, replace(delivery, notice=Notice(Reason.GAVE_UP, delivery.project)), now)
        uow.deliveries.save(replace(owed, state=State.ANSWERED), lease=None)
        many += 1
    return many


def until(delivery: Delivery, lane: Lane, limits: Limits, now: datetime) -> datetime:
    """Return until when a question is tried at most, unless its lane is paused anew.

    That counts from its first failure; what only stands in line is given up where the other side has been
    away for as long, or when it is too old.
    """
    if delivery.attempt > 0:
        paused = timedelta(seconds=lane.paused_total(now) - delivery.paused_before)
        return delivery.ready_at + limits.deadline + paused
    if lane.away_since is not None:
        return max(delivery.ready_at, lane.away_since) + limits.deadline
    return delivery.accepted_at + MAX_AGE + GRACE


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
        rank=0,
        attempt=0,
        maybe_charged=0,
        doubtful=False,
    )
