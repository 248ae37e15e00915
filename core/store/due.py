"""Where something is due, and when the next thing falls due: read from indexes, however many lanes there are.

Locks nothing: what is claimed is in `claims`.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, func, select, text
from sqlmodel import UTCDateTime

from core.store.prepared import Prepared
from core.store.tables import IS_FREE, DeliveryRow, LaneRow, table

_deliveries = table(DeliveryRow)
_lanes = table(LaneRow)
_d = _deliveries.c

_FEW = 64  #: due at once, and their lanes are simply those of all that is due
_FIRST = 8  #: lanes in the first batch, where more is due
_EVER = datetime.max.replace(tzinfo=UTC)

_free = text(IS_FREE)
_now = bindparam("now", type_=UTCDateTime())
_is_due = _d.due_at <= _now


def _paused_until(lane: ColumnElement[str]) -> ColumnElement[Any]:
    # A subquery, and no join: the order in which lanes, or what falls due, are found must stay.
    return select(_lanes.c.paused_until).where(_lanes.c.id == lane).scalar_subquery()


def _next_lane(after: ColumnElement[str]) -> "Select[str]":
    """Return the first lane behind another in which something is due: one step down an index."""
    return select(_d.lane).where(_free, _d.lane > after, _is_due).order_by(_d.lane).limit(1)


def _by_lane() -> "Select[str]":
    """Return the open lanes in which something is due, one step for each, so many as are wanted."""
    first = select(_next_lane(bindparam("after")).scalar_subquery().label("lane"))
    walk = first.cte("walk", recursive=True)
    further = _next_lane(walk.c.lane).correlate(walk).scalar_subquery()
    walk = walk.union_all(select(further).where(walk.c.lane.is_not(None)))
    is_open = func.coalesce(_paused_until(walk.c.lane), _now) <= _now
    return select(walk.c.lane).where(walk.c.lane.is_not(None), is_open).limit(bindparam("many"))


_LANES_OF_FEW = Prepared(select(_d.lane).where(_free, _is_due).order_by(_d.due_at, _d.lane).limit(_FEW + 1))
_BY_LANE = Prepared(_by_lane())
# The first pause to end behind which something waits, and the first thing that waits for no pause.
_OPENS = Prepared(
    select(_lanes.c.paused_until)
    .where(_lanes.c.paused_until > _now)
    .where(exists().where(_d.lane == _lanes.c.id, _free, _d.due_at <= _lanes.c.paused_until))
    .order_by(_lanes.c.paused_until)
    .limit(1)
)
_FALLS_DUE = Prepared(
    select(_d.due_at)
    .where(_free, _d.due_at > _now, _d.due_at < bindparam("before"))
    .where(_d.due_at >= func.coalesce(_paused_until(_d.lane), _now))
    .order_by(_d.due_at)
    .limit(1)
)


class Due:
    """What is due, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lanes(self, now: datetime) -> Iterator[Sequence[str]]:
        """Yield the lanes with something due, some at a time; those of what is due longest come first.

        Paused ones may be among these. Where more is due, most of it may wait in lanes that have no room:
        those are stepped over, and no further than somebody asks.
        """
        longest = _LANES_OF_FEW.all(self._connection, {"now": now})
        first = list(dict.fromkeys(lane for (lane,) in longest))
        if first:
            yield first
        if len(longest) <= _FEW:
            return
        after, many, seen = "", _FIRST, set(first)
        while True:
            values = {"now": now, "after": after, "many": many}
            found = [lane for (lane,) in _BY_LANE.all(self._connection, values)]
            yield [lane for lane in found if lane not in seen]
            if len(found) < many:
                return
            after, many = found[-1], 2 * many

    def next(self, now: datetime) -> datetime | None:
        """Return when the next thing falls due: by its own time, or by the end of its lane's pause."""
        opens: datetime | None = _OPENS.scalar(self._connection, {"now": now})
        until = {"now": now, "before": opens or _EVER}
        falls_due: datetime | None = _FALLS_DUE.scalar(self._connection, until)
        return falls_due or opens
