"""The queue as a whole: what it holds, and its times, should the clock that wrote them have been ahead."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, or_, select, text, union, union_all

from core.model import COUNTED_FOR, FINAL, LaneId, State, Tally
from core.store.lanes import lane_of
from core.store.tables import IS_ASIDE, IS_FREE, IS_KEPT, IS_OPEN, DeliveryRow, LaneRow, table

_deliveries = table(DeliveryRow)
_lanes = table(LaneRow)
_unsettled = text(IS_OPEN)
_by_state = select(_deliveries.c.state, func.count()).group_by(_deliveries.c.state)
_is_final = _deliveries.c.state.in_([state.value for state in sorted(FINAL)])
# Each is read from its own index alone, but for the last, which reads what was accepted lately.
_STATES = union_all(
    *[_by_state.where(text(condition)) for condition in (IS_OPEN, IS_ASIDE, IS_KEPT)],
    _by_state.where(_deliveries.c.accepted_at >= bindparam("since"), _is_final),
)
_OLDEST = select(func.min(_deliveries.c.due_at)).where(text(IS_FREE))
_CLOSED = union(
    select(_lanes).where(_lanes.c.paused_until > bindparam("now")),
    select(_lanes).where(_lanes.c.away_since.is_not(None)),
)
_DELIVERY_TIMES = ("accepted_at", "ready_at", "due_at", "lease_until", "mark_due")
_LANE_TIMES = ("paused_since", "paused_until", "away_since")


class Times:
    """The queue as a whole, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest(self) -> datetime | None:
        """Return the latest time at which anything was accepted, came up, or was paused."""
        shut = (_lanes.c.paused_since, _lanes.c.away_since)
        statements = [select(func.max(_deliveries.c.ready_at)).where(_unsettled)]
        statements += [select(func.max(column)) for column in (_deliveries.c.accepted_at, *shut)]
        times = [self._connection.execute(statement).scalar() for statement in statements]
        return max((at for at in times if at is not None), default=None)

    def set_back(self, by: timedelta, now: datetime) -> None:
        """Move all times of what is unsettled, or accepted after `now`, and of all lanes.

        Row by row: it hardly ever happens.
        """
        ahead = or_(_unsettled, _deliveries.c.accepted_at > now, _deliveries.c.mark_due > now)
        for row in self._connection.execute(select(_deliveries).where(ahead)).all():
            times = {name: getattr(row, name) for name in _DELIVERY_TIMES}
            moved = _deliveries.update().where(_deliveries.c.id == row.id)
            self._connection.execute(moved.values(**_set_back(times, by)))
        paused = or_(_lanes.c.paused_until.is_not(None), _lanes.c.away_since.is_not(None))
        for lane in self._connection.execute(select(_lanes).where(paused)).all():
            times = {name: getattr(lane, name) for name in _LANE_TIMES}
            moved = _lanes.update().where(_lanes.c.id == lane.id)
            self._connection.execute(moved.values(**_set_back(times, by)))

    def tally(self, now: datetime) -> Tally:
        """Count the queue for people."""
        states = self._connection.execute(_STATES, {"since": now - COUNTED_FOR})
        lanes = [lane_of(row) for row in self._connection.execute(_CLOSED, {"now": now})]
        by_state = {State(state): many for state, many in states}
        oldest = self._connection.execute(_OLDEST).scalar()
        return Tally(by_state, oldest, {LaneId(lane.id): lane for lane in lanes})


def _set_back(times: dict[str, datetime | None], by: timedelta) -> dict[str, datetime]:
    return {name: at - by for name, at in times.items() if at is not None}
