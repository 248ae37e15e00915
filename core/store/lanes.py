"""Lanes and their pauses."""

from dataclasses import asdict

from sqlalchemy import Connection, func, select, text

from core.model import Lane, LaneId
from core.store.tables import IS_LEASED, AnyRow, DeliveryRow, LaneRow, table

_lanes = table(LaneRow)
_deliveries = table(DeliveryRow)


def lane_of(row: AnyRow) -> Lane:
    """Return a row's lane."""
    return Lane(**row._mapping)


class SqlLanes:
    """The `Lanes` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, lane: LaneId) -> Lane:
        row = self._connection.execute(select(_lanes).where(_lanes.c.id == lane)).first()
        if row is not None:
            return lane_of(row)
        fresh = Lane(lane)
        self._connection.execute(_lanes.insert().values(**asdict(fresh)))
        return fresh

    def busy(self, lane: LaneId) -> int:
        leased = select(func.count()).where(_deliveries.c.lane == lane, text(IS_LEASED))
        return int(self._connection.execute(leased).scalar_one())

    def remove(self, lane: LaneId) -> None:
        self._connection.execute(_lanes.delete().where(_lanes.c.id == lane))

    def save(self, lane: Lane) -> None:
        self.get(lane.id)
        self._connection.execute(_lanes.update().where(_lanes.c.id == lane.id).values(**asdict(lane)))
