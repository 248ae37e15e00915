"""What waits behind a closed lane: who is to be told so, and what may have to be given up. Claims nothing."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, exists, literal, or_, select, text

from core.model import Lane, State
from core.store.lanes import lane_of
from core.store.prepared import Prepared, Values
from core.store.tables import IS_ACCEPTED, IS_FREE, AnyRow, DeliveryRow, LaneRow, table

_deliveries = table(DeliveryRow)
_lanes = table(LaneRow)
_free = text(IS_FREE)
_accepted = text(IS_ACCEPTED)

_there = _deliveries.c.lane == _lanes.c.id
_is_untold = (_free, _deliveries.c.state == State.ACCEPTED.value, _deliveries.c.told.is_(False))
_is_late = (
    _accepted,
    _deliveries.c.ready_at <= bindparam("ready"),
    or_(
        _deliveries.c.attempt > 0,
        _deliveries.c.accepted_at <= bindparam("old"),
        _lanes.c.away_since <= bindparam("ready"),
    ),
)
# In an outage all lanes may be closed: those without anything to be found are passed by in the database.
# `least` is implied, and what the index is searched by.
_TOLD_OF = Prepared(
    select(_lanes)
    .where(_lanes.c.paused_until >= bindparam("least"))
    .where(
        or_(
            _lanes.c.paused_until >= bindparam("beyond"),
            and_(_lanes.c.away_since <= bindparam("away"), _lanes.c.paused_until > bindparam("now")),
        )
    )
    .where(exists().where(_there, *_is_untold))
)
_PAUSED = Prepared(
    select(_lanes).where(_lanes.c.paused_until > bindparam("now"), exists().where(_there, *_is_late))
)


class Pauses:
    """The queue's side of lanes that are closed, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tell_paused(
        self, now: datetime, beyond: datetime, away: datetime, limit: int
    ) -> Sequence[tuple[AnyRow, Lane]]:
        """Mark as told what waits untold behind a closed lane; return it, as it was, with its lane.

        Lane by lane, like `claim`: where nothing is closed, nothing is looked through.
        """
        waiting: list[tuple[AnyRow, Lane]] = []
        when = {"least": min(now, beyond), "beyond": beyond, "away": away, "now": now}
        for lane in self._closed(_TOLD_OF, when):
            if len(waiting) == limit:
                break
            waiting += [(row, lane) for row in self._untold(lane.id, limit - len(waiting))]
        if waiting:
            ids = [row.id for row, _ in waiting]
            self._connection.execute(_deliveries.update().where(_deliveries.c.id.in_(ids)).values(told=True))
        return waiting

    def behind_pauses(
        self, now: datetime, ready: datetime, old: datetime, limit: int
    ) -> Sequence[tuple[AnyRow, Lane]]:
        """Return what may have to be given up in paused lanes, lane by lane, longest ready first."""
        failed, aged = _deliveries.c.attempt > 0, _deliveries.c.accepted_at <= old
        found: list[tuple[AnyRow, Lane]] = []
        for lane in self._closed(_PAUSED, {"now": now, "ready": ready, "old": old}):
            if len(found) == limit:
                break
            is_away = lane.away_since is not None and lane.away_since <= ready
            rows = self._connection.execute(
                select(_deliveries)
                .where(_deliveries.c.lane == lane.id, _accepted, _deliveries.c.ready_at <= ready)
                .where(or_(failed, aged, literal(is_away)))
                .order_by(_deliveries.c.ready_at, _deliveries.c.id)
                .limit(limit - len(found))
                .with_for_update(skip_locked=True)
            )
            found += [(row, lane) for row in rows]
        return found

    def _closed(self, statement: Prepared, when: Values) -> Sequence[Lane]:
        # Sorted here: the database would go through all lanes in order, and not to those by their pause.
        rows = statement.all(self._connection, when)
        return sorted((lane_of(row) for row in rows), key=lambda lane: lane.id)

    def _untold(self, lane: str, room: int) -> Sequence[AnyRow]:
        untold = (
            select(_deliveries)
            .where(_deliveries.c.lane == lane, *_is_untold)
            .order_by(_deliveries.c.due_at, _deliveries.c.id)
            .limit(room)
            .with_for_update(skip_locked=True)
        )
        return self._connection.execute(untold).all()
