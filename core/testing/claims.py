"""The queue's twin, the side of leases: who may work on what, and when the next thing falls due."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from core.model import Delivery, DeliveryId, Lane, LaneId, State, Tally
from core.testing.tables import Tables

_CLAIMABLE = {
    State.ACCEPTED: State.ASKING,
    State.ANSWERED: State.POSTING,
    State.UNLINKED: State.UNLINKED,
}
_RELEASED = {State.ASKING: State.ACCEPTED, State.POSTING: State.ANSWERED}


class MemoryClaims:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def claim(self, now: datetime, until: datetime, concurrency: int, limit: int) -> Sequence[Delivery]:
        claimed: list[Delivery] = []
        for lane in self._lanes():
            if lane.is_paused(now):
                continue
            busy = sum(
                row.lease is not None and row.delivery.lane == lane.id for row in self._tables.queued()
            )
            room = min(min(lane.window, concurrency) - busy, limit - len(claimed))
            due = [one for one in self._claimable(lane.id) if one.due_at <= now]
            for one in due[: max(0, room)]:
                taken = replace(one, state=_CLAIMABLE[one.state], fence=one.fence + 1)
                self._tables.change(taken, until)
                claimed.append(taken)
        return sorted(claimed, key=_due_order)

    def renew(self, held: Collection[Delivery], until: datetime) -> Collection[DeliveryId]:
        kept = []
        for one in held:
            row = self._tables.rows.get(one.id)
            if row is not None and row.lease is not None and row.delivery.fence == one.fence:
                self._tables.change(row.delivery, until)
                kept.append(one.id)
        return kept

    def release_expired(self, now: datetime, held: Collection[DeliveryId]) -> int:
        expired = [
            row.delivery
            for row in self._tables.queued()
            if row.lease is not None and row.lease <= now and row.delivery.id not in held
        ]
        for one in expired:
            state = _RELEASED.get(one.state, one.state)
            doubtful = one.doubtful or one.state is not State.ASKING
            attempt = one.attempt + (one.state is State.ASKING)
            freed = replace(one, state=state, doubtful=doubtful, attempt=attempt, fence=one.fence + 1)
            self._tables.change(freed, None)
        return len(expired)

    def move(self, to: LaneId, paused_before: float) -> int:
        asked_for = [
            row.delivery
            for row in self._tables.queued()
            if row.delivery.state in {State.ACCEPTED, State.WAITING}
            and row.delivery.notice is None
            and row.delivery.lane != to
        ]
        for one in asked_for:
            self._tables.change(replace(one, lane=to, paused_before=paused_before), None)
        return len(asked_for)

    def tell_paused(self, beyond: datetime, limit: int) -> Sequence[tuple[Delivery, datetime]]:
        told: list[tuple[Delivery, datetime]] = []
        for lane in self._lanes():
            if lane.paused_until is None or lane.paused_until < beyond:
                continue
            for one in self._claimable(lane.id):
                if one.state is State.ACCEPTED and not one.told and len(told) < limit:
                    self._tables.change(replace(one, told=True), None)
                    told.append((replace(one, told=True), lane.paused_until))
        return told

    def next_due(self, now: datetime) -> datetime | None:
        times = []
        for lane in self._tables.lanes.values():
            opens = lane.paused_until if lane.is_paused(now) else None
            times += [max(one.due_at, opens or one.due_at) for one in self._claimable(lane.id)]
        return min((at for at in times if at > now), default=None)

    def tally(self, now: datetime) -> Tally:
        states = [row.delivery.state for row in self._tables.queued()]
        due = [
            row.delivery.due_at
            for row in self._tables.queued()
            if row.delivery.state in _CLAIMABLE and row.lease is None
        ]
        paused = {
            lane.id: lane.paused_until
            for lane in self._tables.lanes.values()
            if lane.paused_until is not None and lane.is_paused(now)
        }
        return Tally({state: states.count(state) for state in set(states)}, min(due, default=None), paused)

    def _lanes(self) -> Sequence[Lane]:
        return sorted(self._tables.lanes.values(), key=lambda lane: lane.id)

    def _claimable(self, lane: LaneId) -> Sequence[Delivery]:
        claimable = [
            row.delivery
            for row in self._tables.queued()
            if row.lease is None and row.delivery.lane == lane and row.delivery.state in _CLAIMABLE
        ]
        return sorted(claimable, key=_due_order)


def _due_order(delivery: Delivery) -> tuple[datetime, DeliveryId]:
    return (delivery.due_at, delivery.id)
