"""Lanes and their pauses."""

from dataclasses import asdict

from sqlalchemy import Connection, select

from core.model import Lane, LaneId
from core.store.tables import LaneRow, table

_lanes = table(LaneRow)


class SqlLanes:
    """The `Lanes` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, lane: LaneId) -> Lane:
        row = self._connection.execute(select(_lanes).where(_lanes.c.id == lane)).first()
        if row is not None:
            return Lane(**row._mapping)
        fresh = Lane(lane)
        self._connection.execute(_lanes.insert().values(**asdict(fresh)))
        return fresh

    def save(self, lane: Lane) -> None:
        self.get(lane.id)
        self._connection.execute(_lanes.update().where(_lanes.c.id == lane.id).values(**asdict(lane)))
