"""Lanes and their pauses."""

from collections.abc import Collection
from dataclasses import asdict

from sqlalchemy import Connection, bindparam, func, select, text

from core.model import Lane, LaneId
from core.store.prepared import Found, Prepared
from core.store.tables import IS_LEASED, AnyRow, DeliveryRow, LaneRow, table

_lanes = table(LaneRow)
_deliveries = table(DeliveryRow)
_FIND = select(_lanes).where(_lanes.c.id == bindparam("lane"))
_GET = Prepared(_FIND)
_GET_LOCKED = Prepared(_FIND.with_for_update())
_KNOWN = select(_lanes.c.id).where(_lanes.c.id.in_(bindparam("ids", expanding=True)))
_MAKE = _lanes.insert()
_UPDATE = _lanes.update().where(_lanes.c.id == bindparam("lane"))
_SAVE = Prepared(_UPDATE)
_SERVE = Prepared(_UPDATE.where(_lanes.c.served < bindparam("rank")).values(served=bindparam("rank")))
_REMOVE = _lanes.delete().where(_lanes.c.id == bindparam("lane"))
_BUSY = select(func.count()).where(_deliveries.c.lane == bindparam("lane"), text(IS_LEASED))


def lane_of(row: AnyRow | Found) -> Lane:
    """Return a row's lane."""
    return Lane(*row)


class SqlLanes:
    """The `Lanes` port. A lane that was read is not read again in its transaction, unless to be locked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[LaneId, Lane] = {}

    def get(self, lane: LaneId) -> Lane:
        return self._known.get(lane) or self._found_or_made(lane, _GET)

    def locked(self, lane: LaneId) -> Lane:
        if self._connection.dialect.name == "sqlite":  # one writer at a time: all that is read is locked
            return self.get(lane)
        return self._found_or_made(lane, _GET_LOCKED)

    def busy(self, lane: LaneId) -> int:
        return int(self._connection.execute(_BUSY, {"lane": lane}).scalar_one())

    def remove(self, lane: LaneId) -> None:
        self._known.pop(lane, None)
        self._connection.execute(_REMOVE, {"lane": lane})

    def save(self, lane: Lane) -> None:
        self.get(lane.id)
        _SAVE.run(self._connection, {"lane": lane.id, **asdict(lane)})
        self._known[lane.id] = lane

    def make_missing(self, lanes: Collection[str]) -> None:
        """Make those of these lanes that are not there."""
        known = set(self._connection.execute(_KNOWN, {"ids": list(lanes)}).scalars())
        for lane in lanes:
            if lane not in known:
                self.get(LaneId(lane))

    def serve(self, lane: LaneId, rank: int) -> None:
        """Note that a lane's line was claimed up to a rank."""
        self._known.pop(lane, None)
        _SERVE.run(self._connection, {"lane": lane, "rank": rank})

    def forget(self) -> None:
        """Read anew what is asked for from now on: it was changed by other means."""
        self._known.clear()

    def _found_or_made(self, lane: LaneId, statement: Prepared) -> Lane:
        row = statement.first(self._connection, {"lane": lane})
        found = Lane(lane) if row is None else lane_of(row)
        if row is None:
            self._connection.execute(_MAKE, asdict(found))
        self._known[lane] = found
        return found
