"""What became of a question's message, and answers that are to say so."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, Connection, and_, bindparam, or_, select, text

from core.model import Delivery, DeliveryId, Mark
from core.store.rows import delivery
from core.store.tables import IS_MARKED, DeliveryRow, table

_deliveries = table(DeliveryRow)
_d = _deliveries.c

_MARKED = _d.id == bindparam("marked_id")
_PUT = _deliveries.update().where(
    _MARKED,
    or_(_d.mark.is_(None), and_(_d.mark != bindparam("said"), _d.mark != Mark.DELETED.value)),
    or_(_d.marked.is_(None), and_(_d.marked != bindparam("said"), _d.marked != Mark.DELETED.value)),
)
_DUE = (
    select(_deliveries)
    .where(text(IS_MARKED), _d.mark_due <= bindparam("now"))
    .order_by(_d.mark_due, _d.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_IDS: "BindParameter[str]" = bindparam("ids", expanding=True)
_TAKE = _deliveries.update().where(_d.id.in_(_IDS))
_WRITE = _deliveries.update().where(_MARKED)
_EDIT = _deliveries.update().where(_MARKED, or_(_d.edited_at.is_(None), _d.edited_at <= bindparam("latest")))
_DONE = _deliveries.update().where(_MARKED, _d.mark == bindparam("said")).values(mark=None, mark_due=None)


class SqlMarks:
    """The `Marks` port: columns of a delivery, which its holder never writes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def edited(self, delivery: DeliveryId, at: datetime) -> bool:
        edited = {"marked_id": delivery, "edited_at": at, "latest": at}
        return self._connection.execute(_EDIT, edited).rowcount == 1

    def put(self, delivery: DeliveryId, mark: Mark, due: datetime) -> bool:
        put = {"marked_id": delivery, "said": mark.value, "mark": mark.value, "mark_due": due}
        return self._connection.execute(_PUT, put).rowcount == 1

    def due(self, now: datetime, until: datetime, limit: int) -> Sequence[tuple[Delivery, Mark]]:
        rows = self._connection.execute(_DUE, {"now": now, "limit": limit}).all()
        if rows:
            self._connection.execute(_TAKE, {"ids": [row.id for row in rows], "mark_due": until})
        return [(delivery(row), Mark(row.mark)) for row in rows]

    def later(self, delivery: DeliveryId, due: datetime) -> None:
        self._connection.execute(_WRITE, {"marked_id": delivery, "mark_due": due})

    def made(self, delivery: DeliveryId, mark: Mark) -> None:
        self._connection.execute(_WRITE, {"marked_id": delivery, "marked": mark.value})
        self._connection.execute(_DONE, {"marked_id": delivery, "said": mark.value})
