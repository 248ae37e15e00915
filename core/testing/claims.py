"""The queue's twin, the side of leases: who may work on what, and when the next thing falls due."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.model import (
    COUNTED_FOR,
    FINAL,
    SETTLED,
    ChannelKey,
    Delivery,
    DeliveryId,
    Lane,
    LaneId,
    Platform,
    State,
    Tally,
    WorkspaceId,
    posting_lane,
)
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
        for lane in sorted(self._lanes(), key=self._longest_due):
            if lane.is_paused(now):
                continue
            room = min(lane.room(concurrency) - self._tables.busy(lane.id), limit - len(claimed))
            due = [one for one in self._claimable(lane.id) if one.due_at <= now]
            suspect = None if lane.away_since is None else lane.suspect
            due.sort(key=lambda one: (suspect is not None and one.project == suspect, *_line_order(one)))
            due = due[: max(0, room)]
            if due:
                served = max(lane.served, due[-1].rank)
                self._tables.lanes[lane.id] = replace(lane, served=served)
            for one in due:
                taken = replace(one, state=_CLAIMABLE[one.state], fence=one.fence + 1)
                self._tables.change(taken, until)
                claimed.append(taken)
        return sorted(claimed, key=_line_order)

    def _longest_due(self, lane: Lane) -> tuple[datetime, str]:
        dues = [one.due_at for one in self._claimable(lane.id)]
        return min(dues, default=datetime.max.replace(tzinfo=UTC)), lane.id

    def next_rank(self, lane: LaneId, platform: Platform, workspace: WorkspaceId) -> int:
        ranks = [
            row.delivery.rank
            for row in self._tables.queued()
            if row.delivery.state is State.ACCEPTED
            and row.delivery.lane == lane
            and (row.delivery.thread.platform, row.delivery.thread.workspace) == (platform, workspace)
        ]
        return 1 + max([self._served(lane), *ranks])

    def holds(self, delivery: Delivery) -> bool:
        row = self._tables.rows.get(delivery.id)
        return row is not None and row.lease is not None and row.delivery.fence == delivery.fence

    def renew(self, held: Collection[Delivery], until: datetime) -> Collection[DeliveryId]:
        kept = []
        for one in held:
            if self.holds(one):
                self._tables.change(self._tables.rows[one.id].delivery, until)
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

    def without_account(self, platform: Platform) -> Sequence[tuple[ChannelKey, LaneId]]:
        found = {
            (ChannelKey(platform, one.thread.workspace), one.lane)
            for one in self._to_be_asked()
            if one.thread.platform == platform
            and (platform, one.thread.workspace) not in self._tables.accounts
        }
        return sorted(found, key=lambda pair: (pair[0].workspace, pair[1]))

    def move(self, to: LaneId, now: datetime, of: ChannelKey) -> int:
        here = (of.platform, of.workspace)
        asked_for = [
            one
            for one in self._to_be_asked()
            if one.lane != to and (one.thread.platform, one.thread.workspace) == here
        ]
        following = self.next_rank(to, of.platform, of.workspace)
        stands = [self._stands(one) for one in asked_for if one.state is State.ACCEPTED]
        ahead = following - min(stands, default=0)
        paused = self._tables.lanes.setdefault(to, Lane(to)).paused_total(now)
        for one in asked_for:
            rank = self._stands(one) + ahead if one.state is State.ACCEPTED else one.rank
            moved = replace(one, lane=to, paused_before=paused, rank=rank, due_at=min(one.due_at, now))
            self._tables.change(moved, None)
        return len(asked_for)

    def _stands(self, delivery: Delivery) -> int:
        """Return its place in what is left of its line: what was tried and waits on stands at the head."""
        return max(0, delivery.rank - self._served(delivery.lane))

    def _to_be_asked(self) -> Sequence[Delivery]:
        return [
            row.delivery
            for row in self._tables.queued()
            if row.delivery.state in {State.ACCEPTED, State.WAITING}
            and row.delivery.notice is None
            and row.delivery.lane != _posts_in(row.delivery)
        ]

    def _served(self, lane: LaneId) -> int:
        return self._tables.lanes.get(lane, Lane(lane)).served

    def tell_paused(
        self, now: datetime, beyond: datetime, away: datetime, limit: int
    ) -> Sequence[tuple[Delivery, Lane]]:
        told: list[tuple[Delivery, Lane]] = []
        for lane in self._lanes():
            paused = lane.paused_until is not None and lane.paused_until >= beyond
            is_away = lane.away_since is not None and lane.away_since <= away and lane.is_paused(now)
            if not (paused or is_away):
                continue
            for one in self._claimable(lane.id):
                if one.state is State.ACCEPTED and not one.told and len(told) < limit:
                    self._tables.change(replace(one, told=True), None)
                    told.append((replace(one, told=True), lane))
        return told

    def behind_pauses(
        self, now: datetime, ready: datetime, old: datetime, limit: int
    ) -> Sequence[tuple[Delivery, Lane]]:
        found: list[tuple[Delivery, Lane]] = []
        for lane in self._lanes():
            accepted = [row.delivery for row in self._tables.queued() if row.delivery.state is State.ACCEPTED]
            ready_here = [one for one in accepted if one.lane == lane.id and one.ready_at <= ready]
            away = lane.away_since is not None and lane.away_since <= ready
            waiting = [one for one in ready_here if away or one.attempt > 0 or one.accepted_at <= old]
            if lane.is_paused(now):
                found += [(one, lane) for one in sorted(waiting, key=lambda one: (one.ready_at, one.id))]
        return found[:limit]

    def newest(self) -> datetime | None:
        times = [lane.paused_since for lane in self._lanes()] + [lane.away_since for lane in self._lanes()]
        for row in self._tables.queued():
            times.append(row.delivery.accepted_at)
            if row.delivery.state not in SETTLED:
                times.append(row.delivery.ready_at)
        return max((at for at in times if at is not None), default=None)

    def set_back(self, by: timedelta, now: datetime) -> None:
        for row in list(self._tables.queued()):
            one = row.delivery
            mark, due = self._tables.marks.get(one.id, (None, now))
            if one.state in SETTLED and max(one.accepted_at, due) <= now:
                continue
            if mark is not None:
                self._tables.marks[one.id] = (mark, due - by)
            earlier = replace(
                one, accepted_at=one.accepted_at - by, ready_at=one.ready_at - by, due_at=one.due_at - by
            )
            self._tables.change(earlier, None if row.lease is None else row.lease - by)
        for lane in self._lanes():
            names = ("paused_since", "paused_until", "away_since")
            times = {name: getattr(lane, name) for name in names}
            moved = {name: at - by for name, at in times.items() if at is not None}
            self._tables.lanes[lane.id] = replace(lane, **moved)

    def next_due(self, now: datetime) -> datetime | None:
        times = []
        for lane in self._tables.lanes.values():
            opens = lane.paused_until if lane.is_paused(now) else None
            times += [max(one.due_at, opens or one.due_at) for one in self._claimable(lane.id)]
        return min((at for at in times if at > now), default=None)

    def tally(self, now: datetime) -> Tally:
        lately = now - COUNTED_FOR
        states = [
            row.delivery.state
            for row in self._tables.queued()
            if row.delivery.state not in FINAL or row.delivery.accepted_at >= lately
        ]
        due = [
            row.delivery.due_at
            for row in self._tables.queued()
            if row.delivery.state in _CLAIMABLE and row.lease is None
        ]
        closed = [lane for lane in self._lanes() if lane.is_paused(now) or lane.away_since is not None]
        by_state = {state: states.count(state) for state in set(states)}
        return Tally(by_state, min(due, default=None), {lane.id: lane for lane in closed})

    def _lanes(self) -> Sequence[Lane]:
        return sorted(self._tables.lanes.values(), key=lambda lane: lane.id)

    def _claimable(self, lane: LaneId) -> Sequence[Delivery]:
        claimable = [
            row.delivery
            for row in self._tables.queued()
            if row.lease is None and row.delivery.lane == lane and row.delivery.state in _CLAIMABLE
        ]
        return sorted(claimable, key=_due_order)


def _posts_in(delivery: Delivery) -> LaneId:
    return posting_lane(delivery.thread.platform, delivery.thread.workspace)


def _due_order(delivery: Delivery) -> tuple[datetime, DeliveryId]:
    return (delivery.due_at, delivery.id)


def _line_order(delivery: Delivery) -> tuple[int, datetime, DeliveryId]:
    return (delivery.rank, delivery.due_at, delivery.id)
