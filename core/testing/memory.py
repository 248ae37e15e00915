"""The store's twin: the same promises as `core.store`, kept in dictionaries."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from core.errors import StoreUnavailable
from core.model import (
    ChannelKey,
    Conversation,
    ConversationId,
    Delivery,
    DeliveryId,
    Lane,
    LaneId,
    Link,
    Platform,
    ProjectId,
    ThreadKey,
    Turn,
)
from core.ports import UnitOfWork
from core.testing.queue import MemoryDeliveries
from core.testing.tables import Tables

T = TypeVar("T")


class _Conversations:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, thread: ThreadKey) -> Conversation | None:
        return self._tables.conversations.get(thread)

    def open(self, thread: ThreadKey, project: ProjectId | None) -> Conversation:
        fresh = Conversation(ConversationId(len(self._tables.conversations) + 1), thread, project)
        return self._tables.conversations.setdefault(thread, fresh)

    def bind(self, conversation: ConversationId, project: ProjectId) -> None:
        bound = {
            thread: replace(one, project=project)
            for thread, one in self._tables.conversations.items()
            if one.id == conversation
        }
        self._tables.conversations.update(bound)

    def move(self, thread: ThreadKey, to: str) -> bool:
        moved = replace(thread, thread=to)
        if thread not in self._tables.conversations or moved in self._tables.conversations:
            return False
        conversation = replace(self._tables.conversations.pop(thread), thread=moved)
        self._tables.conversations[moved] = conversation
        for number, row in self._tables.rows.items():
            if row.delivery.conversation == conversation.id:
                self._tables.rows[number] = row.moved(moved)
        return True

    def append(self, conversation: ConversationId, delivery: DeliveryId, turn: Turn) -> None:
        self._tables.turns.append((conversation, delivery, turn))

    def turns(self, delivery: Delivery) -> Sequence[Turn]:
        rows = self._tables.rows
        upto = (delivery.asked_at, delivery.id)
        earlier = [
            (rows[owner].delivery.asked_at, owner, number, turn)
            for number, (conversation, owner, turn) in enumerate(self._tables.turns)
            if conversation == delivery.conversation
        ]
        return [
            turn for at, owner, _, turn in sorted(earlier, key=lambda one: one[:3]) if (at, owner) <= upto
        ]

    def told_trimmed(self, conversation: ConversationId) -> bool:
        if conversation in self._tables.told:
            return False
        self._tables.told.add(conversation)
        return True


class _Lanes:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, lane: LaneId) -> Lane:
        return self._tables.lanes.setdefault(lane, Lane(lane))

    def save(self, lane: Lane) -> None:
        self._tables.lanes[lane.id] = lane


class _Links:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, at: ChannelKey) -> Link | None:
        return self._tables.links.get(at)

    def put(self, link: Link) -> None:
        self._tables.links[link.at] = link

    def remove(self, at: ChannelKey) -> bool:
        return self._tables.links.pop(at, None) is not None

    def all(self, platform: Platform) -> Sequence[Link]:
        links = [link for link in self._tables.links.values() if link.at.platform == platform]
        return sorted(links, key=lambda link: (link.at.workspace, link.at.channel))


class _Unit:
    def __init__(self, tables: Tables) -> None:
        self.conversations = _Conversations(tables)
        self.deliveries = MemoryDeliveries(tables)
        self.lanes = _Lanes(tables)
        self.links = _Links(tables)


class MemoryStore:
    """A `Transact` over dictionaries. `failing` counts how many next transactions the "database" refuses."""

    def __init__(self) -> None:
        self._tables = Tables()
        self.failing = 0

    async def __call__(self, work: Callable[[UnitOfWork], T]) -> T:
        await asyncio.sleep(0)  # as the real store does, it lets others go on
        if self.failing:
            self.failing -= 1
            raise StoreUnavailable
        draft = self._tables.snapshot()
        result = work(_Unit(draft))
        self._tables = draft
        return result
