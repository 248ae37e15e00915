"""Seats and who holds them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, tuple_

from core.model import HolderId, Seat, SeatName
from core.store.tables import AnyRow, table
from core.store.workspace_tables import SeatRow

_seats = table(SeatRow)


class SqlSeats:
    """The `Seats` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(
        self, names: Sequence[SeatName], holder: HolderId, now: datetime, until: datetime
    ) -> Seat | None:
        known = {row.name: row for row in self._locked(names)}
        free = (name for name in names if name not in known or known[name].until <= now)
        name = next(free, None)
        if name is None:
            return None
        former = known.get(name)
        seat = Seat(name, holder, 1 if former is None else former.fence + 1, now, until)
        values = {"name": name, "holder": holder, "fence": seat.fence, "since": now, "until": until}
        if former is None:  # made by another meanwhile, it is seen when this runs again
            self._connection.execute(_seats.insert().values(**values))
        else:
            self._connection.execute(_seats.update().where(_seats.c.name == name).values(**values))
        return seat

    def renew(self, held: Collection[Seat], until: datetime) -> Collection[SeatName]:
        ours = {(one.name, one.holder, one.fence) for one in held}
        rows = self._locked([one.name for one in held])
        kept = [SeatName(row.name) for row in rows if (row.name, row.holder, row.fence) in ours]
        self._connection.execute(_seats.update().where(_seats.c.name.in_(kept)).values(until=until))
        return kept

    def release(self, held: Collection[Seat]) -> None:
        ours = [(one.name, one.holder, one.fence) for one in held]
        identity = tuple_(_seats.c.name, _seats.c.holder, _seats.c.fence)
        self._connection.execute(_seats.delete().where(identity.in_(ours)))

    def held(self, now: datetime) -> Sequence[Seat]:
        rows = self._connection.execute(select(_seats).where(_seats.c.until > now).order_by(_seats.c.name))
        return [Seat(**row._mapping) for row in rows]

    def _locked(self, names: Collection[SeatName]) -> Sequence[AnyRow]:
        """Return the rows there are, in one order for everybody, to this transaction alone."""
        rows = select(_seats).where(_seats.c.name.in_(names)).order_by(_seats.c.name).with_for_update()
        return self._connection.execute(rows).all()
