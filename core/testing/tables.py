"""What the twin of the store keeps, as plain dictionaries; a draft of it is a transaction."""

from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.errors import StoreUnavailable
from core.model import (
    HEADS,
    Account,
    AnswerPart,
    ChannelKey,
    Conversation,
    ConversationId,
    Delivery,
    DeliveryId,
    Installation,
    Lane,
    LaneId,
    Link,
    Mark,
    MessageId,
    Platform,
    Question,
    Seat,
    SeatName,
    ThreadKey,
    Turn,
    WorkspaceId,
)


@dataclass(frozen=True, slots=True)
class Row:
    delivery: Delivery
    question: Question
    lease: datetime | None = None

    def moved(self, to: ThreadKey) -> "Row":
        return replace(
            self, delivery=replace(self.delivery, thread=to), question=replace(self.question, thread=to)
        )


@dataclass
class Tables:
    conversations: dict[ThreadKey, Conversation] = field(default_factory=dict)
    begun: int = 0  #: conversations ever, so that none gets the number of one that was purged
    told: set[ConversationId] = field(default_factory=set)
    turns: list[tuple[ConversationId, DeliveryId, Turn]] = field(default_factory=list)
    rows: dict[DeliveryId, Row] = field(default_factory=dict)
    parts: dict[DeliveryId, tuple[AnswerPart, ...]] = field(default_factory=dict)
    lanes: dict[LaneId, Lane] = field(default_factory=dict)
    links: dict[ChannelKey, Link] = field(default_factory=dict)
    accounts: dict[tuple[Platform, WorkspaceId], Account] = field(default_factory=dict)
    overtaking: dict[tuple[ThreadKey, MessageId], tuple[datetime, Question]] = field(default_factory=dict)
    marks: dict[DeliveryId, tuple[Mark, datetime]] = field(default_factory=dict)
    marked: dict[DeliveryId, Mark] = field(default_factory=dict)
    installations: dict[tuple[Platform, WorkspaceId], Installation] = field(default_factory=dict)
    departures: dict[tuple[Platform, WorkspaceId], datetime] = field(default_factory=dict)
    spent: dict[str, datetime] = field(default_factory=dict)
    seats: dict[SeatName, Seat] = field(default_factory=dict)

    def snapshot(self) -> "Tables":
        return Tables(**{name: copy(value) for name, value in vars(self).items()})

    def busy(self, lane: LaneId) -> int:
        return sum(row.lease is not None and row.delivery.lane == lane for row in self.queued())

    def queued(self) -> Collection[Row]:
        return self.rows.values()

    def written(self) -> Sequence[Delivery]:
        """Return all deliveries in the order in which their questions were written."""
        return sorted((row.delivery for row in self.queued()), key=lambda one: (one.asked_at, one.id))

    def of(self, conversation: ConversationId) -> Sequence[Delivery]:
        return [one for one in self.written() if one.conversation == conversation]

    def head(self, conversation: ConversationId) -> Delivery | None:
        return next((one for one in self.of(conversation) if one.state in HEADS), None)

    def put(self, row: Row) -> None:
        """Keep a row. Raises StoreUnavailable where its thread has another head."""
        delivery = row.delivery
        head = self.head(delivery.conversation)
        if delivery.state in HEADS and head is not None and head.id != delivery.id:
            raise StoreUnavailable
        self.rows[delivery.id] = row

    def change(self, delivery: Delivery, lease: datetime | None) -> None:
        """Keep what has become of a delivery. Raises as `put` does."""
        self.put(replace(self.rows[delivery.id], delivery=delivery, lease=lease))
