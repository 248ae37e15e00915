"""Answers that are to say what became of their question."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, or_, select, text

from core.model import Delivery, DeliveryId, Mark
from core.store.rows import delivery
from core.store.tables import IS_MARKED, DeliveryRow, table

_deliveries = table(DeliveryRow)


class SqlMarks:
    """The `Marks` port: columns of a delivery, which its holder never writes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, delivery: DeliveryId, mark: Mark, due: datetime) -> bool:
        said = [mark.value, Mark.DELETED.value]
        marked = self._connection.execute(
            _deliveries.update()
            .where(
                _deliveries.c.id == delivery,
                or_(_deliveries.c.mark.is_(None), _deliveries.c.mark.not_in(said)),
                or_(_deliveries.c.marked.is_(None), _deliveries.c.marked.not_in(said)),
            )
            .values(mark=mark.value, mark_due=due)
        )
        return marked.rowcount == 1

    def due(self, now: datetime, limit: int) -> Sequence[tuple[Delivery, Mark]]:
        rows = self._connection.execute(
            select(_deliveries)
            .where(text(IS_MARKED), _deliveries.c.mark_due <= now)
            .order_by(_deliveries.c.mark_due)
            .limit(limit)
        )
        return [(delivery(row), Mark(row.mark)) for row in rows]

    def later(self, delivery: DeliveryId, due: datetime) -> None:
        self._connection.execute(
            _deliveries.update().where(_deliveries.c.id == delivery).values(mark_due=due)
        )

    def made(self, delivery: DeliveryId, mark: Mark) -> None:
        self._connection.execute(
            _deliveries.update().where(_deliveries.c.id == delivery).values(marked=mark.value)
        )
        self._connection.execute(
            _deliveries.update()
            .where(_deliveries.c.id == delivery, _deliveries.c.mark == mark.value)
            .values(mark=None, mark_due=None)
        )
