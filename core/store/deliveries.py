"""The queue's rows: what is stored of a delivery, and every fenced write. Claiming is in `claims`."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, TextClause, and_, exists, or_, select, text

from core.errors import LeaseLost
from core.model import (
    SETTLED,
    AnswerPart,
    AuthorId,
    ChannelKey,
    ConversationId,
    Delivery,
    DeliveryId,
    Lane,
    LaneId,
    MessageId,
    NewDelivery,
    Platform,
    ProjectId,
    Question,
    State,
    Tally,
    WorkspaceId,
)
from core.store.claims import Claims
from core.store.rows import changeable, columns, delivery
from core.store.tables import (
    IS_ASIDE,
    IS_HEAD,
    IS_KEPT,
    IS_UNLINKED,
    IS_WAITING,
    ConversationRow,
    DeliveryRow,
    PartRow,
    table,
)
from core.store.times import Times

_deliveries = table(DeliveryRow)
_parts = table(PartRow)
_conversations = table(ConversationRow)
_SETTLED = [state.value for state in SETTLED]
_REVIVABLE = [State.AMBIGUOUS.value, State.BURIED.value]


class SqlDeliveries:
    """The `Deliveries` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._claims = Claims(connection)
        self._times = Times(connection)

    def enqueue(self, entry: NewDelivery) -> None:
        self._connection.execute(_deliveries.insert().values(**columns(entry)))

    def known(self, question: Question) -> bool:
        thread = question.thread
        same_event = _deliveries.c.event == question.event
        same_message = and_(
            _deliveries.c.channel == thread.channel, _deliveries.c.message == question.message
        )
        here = and_(_deliveries.c.platform == thread.platform, _deliveries.c.workspace == thread.workspace)
        either = or_(exists().where(here, same_event), exists().where(here, same_message))
        return bool(self._connection.execute(select(either)).scalar())

    def get(self, delivery: DeliveryId) -> Delivery | None:
        return self._first(_deliveries.c.id == delivery)

    def of_message(self, at: ChannelKey, message: MessageId) -> Delivery | None:
        return self._first(
            _deliveries.c.platform == at.platform,
            _deliveries.c.workspace == at.workspace,
            _deliveries.c.channel == at.channel,
            _deliveries.c.message == message,
        )

    def head(self, conversation: ConversationId) -> Delivery | None:
        return self._first(_deliveries.c.conversation_id == conversation, text(IS_HEAD))

    def next_waiting(self, conversation: ConversationId) -> Delivery | None:
        return self._first(_deliveries.c.conversation_id == conversation, text(IS_WAITING))

    def unsettled(self, conversation: ConversationId) -> Sequence[Delivery]:
        return self._select(
            _deliveries.c.conversation_id == conversation, _deliveries.c.state.not_in(_SETTLED)
        )

    def listed(self, state: State, limit: int) -> Sequence[Delivery]:
        rows = self._connection.execute(
            select(_deliveries)
            .where(_deliveries.c.state == state.value, text(IS_ASIDE))
            .order_by(_deliveries.c.accepted_at.desc(), _deliveries.c.id.desc())
            .limit(limit)
        )
        return [delivery(row) for row in rows]

    def unlinked(self, at: ChannelKey) -> Sequence[Delivery]:
        there = [_deliveries.c.platform == at.platform]
        if at.workspace:
            there.append(_deliveries.c.workspace == at.workspace)
        if at.channel:
            there.append(_deliveries.c.channel == at.channel)
        return self._select(text(IS_UNLINKED), *there)

    def claim(self, now: datetime, until: datetime, concurrency: int, limit: int) -> Sequence[Delivery]:
        return [delivery(row) for row in self._claims.claim(now, until, concurrency, limit)]

    def next_rank(self, lane: LaneId, platform: Platform, workspace: WorkspaceId) -> int:
        return self._claims.next_rank(lane, platform, workspace)

    def holds(self, delivery: Delivery) -> bool:
        return self._claims.holds(delivery.id, delivery.fence)

    def renew(self, held: Collection[Delivery], until: datetime) -> Collection[DeliveryId]:
        return self._claims.renew({one.id: one.fence for one in held}, until)

    def release_expired(self, now: datetime, held: Collection[DeliveryId]) -> int:
        return self._claims.release_expired(now, held)

    def tell_paused(
        self, now: datetime, beyond: datetime, away: datetime, limit: int
    ) -> Sequence[tuple[Delivery, Lane]]:
        told = self._claims.tell_paused(now, beyond, away, limit)
        return [(replace(delivery(row), told=True), lane) for row, lane in told]

    def behind_pauses(
        self, now: datetime, ready: datetime, old: datetime, limit: int
    ) -> Sequence[tuple[Delivery, Lane]]:
        return [(delivery(row), lane) for row, lane in self._claims.behind_pauses(now, ready, old, limit)]

    def next_due(self, now: datetime) -> datetime | None:
        return self._claims.next_due(now)

    def newest(self) -> datetime | None:
        return self._times.newest()

    def set_back(self, by: timedelta, now: datetime) -> None:
        self._times.set_back(by, now)

    def tally(self, now: datetime) -> Tally:
        return self._times.tally(now)

    def save(self, delivery: Delivery, lease: datetime | None) -> None:
        self._write(delivery, **changeable(delivery), lease_until=lease)

    def bind(self, delivery: Delivery, project: ProjectId) -> Delivery:
        self._connection.execute(
            _conversations.update()
            .where(_conversations.c.id == delivery.conversation)
            .values(project=project)
        )
        self._connection.execute(
            _deliveries.update()
            .where(_deliveries.c.id == delivery.id)
            .values(project=project, fence=_deliveries.c.fence + 1, lease_until=None)
        )
        return self._select(_deliveries.c.id == delivery.id)[0]

    def move(self, to: LaneId, paused_before: float) -> int:
        return self._claims.move(to, paused_before)

    def settle(self, delivery: Delivery, state: State, now: datetime) -> None:
        self._write(delivery, state=state.value, lease_until=None, settled_at=now, receipt="")

    def revive(self, delivery: Delivery) -> None:
        revived = self._connection.execute(
            _deliveries.update()
            .where(
                _deliveries.c.id == delivery.id,
                _deliveries.c.fence == delivery.fence,
                _deliveries.c.state.in_(_REVIVABLE),
            )
            .values(**changeable(delivery), fence=delivery.fence + 1, settled_at=None)
        )
        if revived.rowcount != 1:
            raise LeaseLost

    def store_parts(self, delivery: DeliveryId, texts: Sequence[str]) -> None:
        rows = [
            {"delivery_id": delivery, "number": number, "content": content}
            for number, content in enumerate(texts)
        ]
        self._connection.execute(_parts.insert(), rows)

    def parts(self, delivery: DeliveryId) -> Sequence[AnswerPart]:
        rows = self._connection.execute(
            select(_parts).where(_parts.c.delivery_id == delivery).order_by(_parts.c.number)
        ).all()
        last = len(rows) - 1
        return [AnswerPart(row.number, row.content, row.posted, row.number == last) for row in rows]

    def record(self, delivery: DeliveryId, number: int, posted: str) -> None:
        self._connection.execute(
            _parts.update()
            .where(_parts.c.delivery_id == delivery, _parts.c.number == number)
            .values(posted=posted)
        )

    def kept(self, platform: Platform, author: AuthorId) -> Sequence[Delivery]:
        return self._select(text(IS_KEPT), _deliveries.c.platform == platform, _deliveries.c.author == author)

    def fetched(self, delivery: DeliveryId) -> None:
        self._connection.execute(
            _deliveries.update()
            .where(_deliveries.c.id == delivery, text(IS_KEPT))
            .values(state=State.DONE.value)
        )

    def _first(self, *conditions: ColumnElement[bool] | TextClause) -> Delivery | None:
        found = self._select(*conditions, limit=1)
        return found[0] if found else None

    def _select(
        self, *conditions: ColumnElement[bool] | TextClause, limit: int | None = None
    ) -> Sequence[Delivery]:
        rows = self._connection.execute(
            select(_deliveries)
            .where(*conditions)
            .order_by(_deliveries.c.asked_at, _deliveries.c.id)
            .limit(limit)
        )
        return [delivery(row) for row in rows]

    def _write(self, held: Delivery, **values: Any) -> None:
        """Write only if the fence is still the holder's and nothing is settled yet."""
        written = self._connection.execute(
            _deliveries.update()
            .where(
                _deliveries.c.id == held.id,
                _deliveries.c.fence == held.fence,
                _deliveries.c.state.not_in(_SETTLED),
            )
            .values(**values)
        )
        if written.rowcount != 1:
            raise LeaseLost
