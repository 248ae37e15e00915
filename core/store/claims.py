"""Who may work on what: leases taken, renewed and expired, and when the next one falls due."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, case, exists, func, literal, or_, select, text

from core.model import DeliveryId, LaneId, State, Tally
from core.store.tables import IS_FREE, IS_LEASED, AnyRow, DeliveryRow, LaneRow, table

_deliveries = table(DeliveryRow)
_lanes = table(LaneRow)

_free = text(IS_FREE)
_leased = text(IS_LEASED)
_in_lane = _deliveries.c.lane == _lanes.c.id
_claimed_state = case(
    (_deliveries.c.state == State.ACCEPTED.value, State.ASKING.value),
    (_deliveries.c.state == State.ANSWERED.value, State.POSTING.value),
    else_=_deliveries.c.state,
)
_released_state = case(
    (_deliveries.c.state == State.ASKING.value, State.ACCEPTED.value),
    (_deliveries.c.state == State.POSTING.value, State.ANSWERED.value),
    else_=_deliveries.c.state,
)


class Claims:
    """The queue's side of leases, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, now: datetime, until: datetime, concurrency: int, limit: int) -> Sequence[AnyRow]:
        """Lease what is due, lane by lane: an index range each, whatever else lies in the table."""
        chosen: list[str] = []
        for lane in self._open_lanes(now):
            room = min(min(lane.window, concurrency) - self._busy(lane.id), limit - len(chosen))
            if room > 0:
                chosen += self._due(lane.id, now, room)
        if not chosen:
            return []
        claimed = self._connection.execute(
            _deliveries.update()
            .where(_deliveries.c.id.in_(chosen))
            .values(state=_claimed_state, fence=_deliveries.c.fence + 1, lease_until=until)
            .returning(*_deliveries.c)
        )
        return sorted(claimed, key=lambda row: (row.due_at, row.id))

    def renew(self, fences: Mapping[DeliveryId, int], until: datetime) -> Collection[DeliveryId]:
        """Prolong the leases whose fence is still the holder's; return their ids."""
        leased = self._connection.execute(
            select(_deliveries.c.id, _deliveries.c.fence).where(_deliveries.c.id.in_(list(fences)), _leased)
        )
        kept = [DeliveryId(row.id) for row in leased if fences[DeliveryId(row.id)] == row.fence]
        self._connection.execute(
            _deliveries.update().where(_deliveries.c.id.in_(kept)).values(lease_until=until)
        )
        return kept

    def release_expired(self, now: datetime, held: Collection[DeliveryId]) -> int:
        """Free what expired leases hold; what was being posted, or told, may have been."""
        was_asking = _deliveries.c.state == State.ASKING.value
        freed = self._connection.execute(
            _deliveries.update()
            .where(_leased, _deliveries.c.lease_until <= now, _deliveries.c.id.not_in(list(held)))
            .values(
                state=_released_state,
                doubtful=or_(_deliveries.c.doubtful, ~was_asking),
                attempt=_deliveries.c.attempt + case((was_asking, 1), else_=0),
                fence=_deliveries.c.fence + 1,
                lease_until=None,
            )
        )
        return freed.rowcount

    def move(self, to: LaneId, paused_before: float) -> int:
        """Move what is still to be asked to another lane."""
        moved = self._connection.execute(
            _deliveries.update()
            .where(
                _deliveries.c.state.in_([State.ACCEPTED.value, State.WAITING.value]),
                _deliveries.c.notice.is_(None),
                _deliveries.c.lane != to,
            )
            .values(lane=to, paused_before=paused_before)
        )
        return moved.rowcount

    def tell_paused(self, beyond: datetime, limit: int) -> Sequence[AnyRow]:
        """Mark as told what waits untold behind a long pause; return it with `paused_until`, as it was.

        Lane by lane, like `claim`: where nothing is paused, nothing is looked through.
        """
        paused = select(_lanes.c.id, _lanes.c.paused_until).where(_lanes.c.paused_until >= beyond)
        waiting: list[AnyRow] = []
        for lane in self._connection.execute(paused.order_by(_lanes.c.id)).all():
            waiting += self._untold(lane.id, lane.paused_until, limit - len(waiting))
        if waiting:
            ids = [row.id for row in waiting]
            self._connection.execute(_deliveries.update().where(_deliveries.c.id.in_(ids)).values(told=True))
        return waiting

    def next_due(self, now: datetime) -> datetime | None:
        """Return when the next thing falls due: by its own time, or by the end of its lane's pause."""
        due = select(func.min(_deliveries.c.due_at)).where(_in_lane, _free)
        soonest = due.correlate(_lanes).scalar_subquery()
        later = due.where(_deliveries.c.due_at > now).correlate(_lanes).scalar_subquery()
        lanes = self._connection.execute(
            select(_lanes.c.paused_until, soonest.label("soonest"), later.label("later"))
        )
        times = []
        for lane in lanes:
            if lane.soonest is not None and lane.paused_until is not None and lane.paused_until > now:
                times.append(max(lane.soonest, lane.paused_until))
            elif lane.later is not None:
                times.append(lane.later)
        return min(times, default=None)

    def tally(self, now: datetime) -> Tally:
        """Count the queue for people."""
        states = self._connection.execute(
            select(_deliveries.c.state, func.count().label("many")).group_by(_deliveries.c.state)
        )
        paused = self._connection.execute(
            select(_lanes.c.id, _lanes.c.paused_until).where(_lanes.c.paused_until > now)
        )
        oldest = self._connection.execute(select(func.min(_deliveries.c.due_at)).where(_free)).scalar()
        return Tally(
            {State(row.state): row.many for row in states},
            oldest,
            {LaneId(row.id): row.paused_until for row in paused},
        )

    def _open_lanes(self, now: datetime) -> Sequence[AnyRow]:
        has_due = exists().where(_in_lane, _free, _deliveries.c.due_at <= now)
        is_open = or_(_lanes.c.paused_until.is_(None), _lanes.c.paused_until <= now)
        lanes = select(_lanes.c.id, _lanes.c.window).where(is_open, has_due).order_by(_lanes.c.id)
        return self._connection.execute(lanes).all()

    def _busy(self, lane: str) -> int:
        leased = select(func.count()).where(_deliveries.c.lane == lane, _leased)
        return int(self._connection.execute(leased).scalar_one())

    def _due(self, lane: str, now: datetime, room: int) -> list[str]:
        due = (
            select(_deliveries.c.id)
            .where(_deliveries.c.lane == lane, _free, _deliveries.c.due_at <= now)
            .order_by(_deliveries.c.due_at, _deliveries.c.id)
            .limit(room)
        )
        return list(self._connection.execute(due).scalars())

    def _untold(self, lane: str, paused_until: datetime, room: int) -> Sequence[AnyRow]:
        untold = (
            select(*_deliveries.c, literal(paused_until, _lanes.c.paused_until.type).label("paused_until"))
            .where(_deliveries.c.lane == lane, _free)
            .where(_deliveries.c.state == State.ACCEPTED.value, _deliveries.c.told.is_(False))
            .order_by(_deliveries.c.due_at, _deliveries.c.id)
            .limit(room)
        )
        return self._connection.execute(untold).all()
