"""What the twin of the store keeps, as plain dictionaries; a draft of it is a transaction."""

from copy import copy
from dataclasses import dataclass, field
from datetime import datetime

from core.model import (
    AnswerPart,
    ChannelKey,
    Conversation,
    ConversationId,
    Delivery,
    DeliveryId,
    Lane,
    LaneId,
    Link,
    Question,
    ThreadKey,
    Turn,
)


@dataclass(frozen=True, slots=True)
class Row:
    delivery: Delivery
    question: Question
    lease: datetime | None = None


@dataclass
class Tables:
    conversations: dict[ThreadKey, Conversation] = field(default_factory=dict)
    told: set[ConversationId] = field(default_factory=set)
    turns: list[tuple[ConversationId, DeliveryId, Turn]] = field(default_factory=list)
    rows: dict[DeliveryId, Row] = field(default_factory=dict)
    parts: dict[DeliveryId, tuple[AnswerPart, ...]] = field(default_factory=dict)
    lanes: dict[LaneId, Lane] = field(default_factory=dict)
    links: dict[ChannelKey, Link] = field(default_factory=dict)

    def snapshot(self) -> "Tables":
        return Tables(**{name: copy(value) for name, value in vars(self).items()})
