"""The queue's rows: what is stored of a delivery, and every fenced write. Claiming is in `claims`."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from core.errors import LeaseLost
from core.model import (
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
from core.store import statements
from core.store.claims import Claims
from core.store.due import Due
from core.store.lanes import SqlLanes
from core.store.moves import Moves
from core.store.pauses import Pauses
from core.store.prepared import Prepared, Values
from core.store.rows import changeable, columns
from core.store.rows import delivery as row_delivery
from core.store.times import Times


class SqlDeliveries:
    """The `Deliveries` port."""

    def __init__(self, connection: Connection, lanes: SqlLanes) -> None:
        self._connection = connection
        self._lanes = lanes
        self._claims = Claims(connection, lanes)
        self._due = Due(connection)
        self._moves = Moves(connection, lanes, self._claims)
        self._pauses = Pauses(connection)
        self._times = Times(connection)

    def enqueue(self, entry: NewDelivery) -> None:
        statements.ENQUEUE.run(self._connection, columns(entry))

    def known(self, question: Question) -> bool:
        message = _message(question.thread.linked_at, question.message)
        return bool(statements.KNOWN.scalar(self._connection, {**message, "event": question.event}))

    def get(self, delivery: DeliveryId) -> Delivery | None:
        return self._first(statements.GET, {"id": delivery})

    def locked(self, delivery: DeliveryId) -> Delivery | None:
        statements.LOCK_CONVERSATION_OF.first(self._connection, {"id": delivery})
        return self._first(statements.GET_LOCKED, {"id": delivery})

    def of_message(self, at: ChannelKey, message: MessageId) -> Delivery | None:
        return self._first(statements.OF_MESSAGE, _message(at, message))

    def head(self, conversation: ConversationId) -> Delivery | None:
        return self._first(statements.HEAD, {"conversation": conversation})

    def next_waiting(self, conversation: ConversationId) -> Delivery | None:
        return self._first(statements.NEXT_WAITING, {"conversation": conversation})

    def unsettled(self, conversation: ConversationId) -> Sequence[Delivery]:
        return self._all(statements.UNSETTLED, {"conversation": conversation})

    def listed(self, state: State, limit: int) -> Sequence[Delivery]:
        return self._all(statements.LISTED, {"state": state.value, "limit": limit})

    def unlinked(self, at: ChannelKey) -> Sequence[Delivery]:
        there = {"platform": at.platform, "workspace": at.workspace, "channel": at.channel}
        if at.channel:
            return self._all(statements.UNLINKED_IN_CHANNEL, there)
        return self._all(
            statements.UNLINKED_IN_WORKSPACE if at.workspace else statements.UNLINKED_ANYWHERE, there
        )

    def claim(self, now: datetime, until: datetime, concurrency: int, limit: int) -> Sequence[Delivery]:
        return [row_delivery(row) for row in self._claims.claim(now, until, concurrency, limit)]

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
        told = self._pauses.tell_paused(now, beyond, away, limit)
        return [(replace(row_delivery(row), told=True), lane) for row, lane in told]

    def behind_pauses(
        self, now: datetime, ready: datetime, old: datetime, limit: int
    ) -> Sequence[tuple[Delivery, Lane]]:
        return [(row_delivery(row), lane) for row, lane in self._pauses.behind_pauses(now, ready, old, limit)]

    def next_due(self, now: datetime) -> datetime | None:
        return self._due.next(now)

    def newest(self) -> datetime | None:
        return self._times.newest()

    def set_back(self, by: timedelta, now: datetime) -> None:
        self._times.set_back(by, now)
        self._lanes.forget()

    def tally(self, now: datetime) -> Tally:
        return self._times.tally(now)

    def save(self, delivery: Delivery, lease: datetime | None) -> None:
        self._write(delivery, **changeable(delivery), lease_until=lease)

    def bind(self, delivery: Delivery, project: ProjectId) -> Delivery:
        conversation = {"conversation": delivery.conversation, "project": project}
        statements.BIND_CONVERSATION.run(self._connection, conversation)
        (bound,) = self._all(statements.BIND, {"bound": delivery.id, "project": project})
        return bound

    def without_account(self, platform: Platform) -> Sequence[tuple[ChannelKey, LaneId]]:
        return self._moves.without_account(platform)

    def move(self, to: LaneId, now: datetime, of: ChannelKey) -> int:
        return self._moves.move(to, now, of)

    def settle(self, delivery: Delivery, state: State, now: datetime) -> None:
        self._write(delivery, state=state.value, lease_until=None, settled_at=now, receipt="")

    def revive(self, delivery: Delivery) -> None:
        written = {**changeable(delivery), "fence": delivery.fence + 1, "settled_at": None}
        held = {"revived": delivery.id, "revived_fence": delivery.fence}
        if statements.REVIVE.run(self._connection, {**held, **written}) != 1:
            raise LeaseLost

    def store_parts(self, delivery: DeliveryId, texts: Sequence[str]) -> None:
        for number, content in enumerate(texts):
            part = {"delivery_id": delivery, "number": number, "content": content}
            statements.STORE_PART.run(self._connection, part)

    def parts(self, delivery: DeliveryId) -> Sequence[AnswerPart]:
        rows = statements.PARTS.all(self._connection, {"delivery": delivery})
        last = len(rows) - 1
        return [AnswerPart(number, content, posted, number == last) for _, number, content, posted in rows]

    def record(self, delivery: DeliveryId, number: int, posted: str) -> None:
        statements.RECORD.run(self._connection, {"delivery": delivery, "part": number, "posted": posted})

    def kept(self, platform: Platform, author: AuthorId) -> Sequence[Delivery]:
        return self._all(statements.KEPT, {"platform": platform, "author": author})

    def fetched(self, delivery: DeliveryId) -> None:
        statements.FETCHED.run(self._connection, {"fetched": delivery, "state": State.DONE.value})

    def _first(self, statement: Prepared, values: Values) -> Delivery | None:
        row = statement.first(self._connection, values)
        return None if row is None else row_delivery(row)

    def _all(self, statement: Prepared, values: Values) -> Sequence[Delivery]:
        return [row_delivery(row) for row in statement.all(self._connection, values)]

    def _write(self, held: Delivery, **values: Any) -> None:
        """Write only if the fence is still the holder's and nothing is settled yet."""
        written = {"held": held.id, "held_fence": held.fence, **values}
        if statements.WRITE.run(self._connection, written) != 1:
            raise LeaseLost


def _message(at: ChannelKey, message: MessageId) -> dict[str, str]:
    return {
        "platform": at.platform,
        "workspace": at.workspace,
        "channel": at.channel,
        "message": message,
    }
