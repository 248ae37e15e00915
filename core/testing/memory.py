"""The store's twin: the same promises as `core.store`, kept in dictionaries. The queue's is in `queue`."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from core import history
from core.errors import StoreUnavailable
from core.model import (
    SETTLED,
    AuthorId,
    Conversation,
    ConversationId,
    Delivery,
    DeliveryId,
    Outlived,
    Platform,
    ProjectId,
    Role,
    ThreadKey,
    Turn,
    WorkspaceId,
)
from core.ports import UnitOfWork
from core.testing.installed import MemoryInstallations, MemorySpent
from core.testing.overtaking import MemoryOvertaking
from core.testing.places import MemoryAccounts, MemoryCounts, MemoryLanes, MemoryLinks, MemoryMarks
from core.testing.queue import MemoryDeliveries
from core.testing.seats import MemorySeats
from core.testing.tables import Tables

T = TypeVar("T")


class _Conversations:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, thread: ThreadKey) -> Conversation | None:
        return self._tables.conversations.get(thread)

    def locked(self, thread: ThreadKey) -> Conversation | None:
        return self.get(thread)  # its transactions happen one after the other as they are

    def lock(self, conversations: Collection[ConversationId]) -> None:
        pass

    def open(self, thread: ThreadKey, project: ProjectId | None) -> Conversation:
        if thread not in self._tables.conversations:
            self._tables.begun += 1
            fresh = Conversation(ConversationId(self._tables.begun), thread, project)
            self._tables.conversations[thread] = fresh
        return self._tables.conversations[thread]

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

    def turns(self, delivery: Delivery, budget: int) -> Sequence[Turn]:
        turns = self._upto(delivery)
        needed = history.beyond(turns[::-1], budget)
        if needed is None or needed == len(turns):
            return turns
        return [turns[0], *turns[-needed:]]

    def speakers(self, delivery: Delivery) -> Sequence[AuthorId]:
        return history.speakers(self._upto(delivery))

    def _upto(self, delivery: Delivery) -> Sequence[Turn]:
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

    def asked(self, delivery: DeliveryId) -> str | None:
        return next(
            (turn.text for _, owner, turn in self._tables.turns if _asks(owner, turn, delivery)), None
        )

    def rewrite(self, delivery: DeliveryId, text: str) -> None:
        self._tables.turns = [
            (here, owner, replace(turn, text=text) if _asks(owner, turn, delivery) else turn)
            for here, owner, turn in self._tables.turns
        ]

    def forget(self, delivery: DeliveryId) -> None:
        self._tables.turns = [turn for turn in self._tables.turns if turn[1] != delivery]

    def purge(self, platform: Platform, workspace: WorkspaceId, limit: int) -> int:
        here = [
            one
            for thread, one in self._tables.conversations.items()
            if (thread.platform, thread.workspace) == (platform, workspace)
        ]
        for thread, message in list(self._tables.overtaking):
            if (thread.platform, thread.workspace) == (platform, workspace):
                del self._tables.overtaking[thread, message]
        return self._remove(sorted(here, key=lambda one: one.id)[:limit])

    def outlived(self, after: ConversationId, before: datetime, limit: int) -> Outlived:
        behind = [one for one in self._tables.conversations.values() if one.id > after]
        looked_at = sorted(behind, key=lambda one: one.id)[:limit]
        asked = {one.id: self._tables.of(one.id) for one in looked_at}
        times = {id_: [one.accepted_at for one in theirs] for id_, theirs in asked.items() if theirs}
        over = [
            one
            for one in looked_at
            if max(times.get(one.id, [before])) < before
            and all(delivery.state in SETTLED for delivery in asked[one.id])
        ]
        firsts = [min(began) for began in times.values()]
        is_end = len(looked_at) < limit or (bool(firsts) and min(firsts) >= before)
        return Outlived(None if is_end else looked_at[-1].id, self._remove(over))

    def _remove(self, conversations: Sequence[Conversation]) -> int:
        gone = {self._tables.conversations.pop(one.thread).id for one in conversations}
        self._tables.turns = [turn for turn in self._tables.turns if turn[0] not in gone]
        for row in [row for row in self._tables.queued() if row.delivery.conversation in gone]:
            del self._tables.rows[row.delivery.id]
            self._tables.parts.pop(row.delivery.id, None)
            self._tables.marks.pop(row.delivery.id, None)
            self._tables.marked.pop(row.delivery.id, None)
        return len(gone)

    def told_trimmed(self, conversation: ConversationId) -> bool:
        if conversation in self._tables.told:
            return False
        self._tables.told.add(conversation)
        return True


def _asks(owner: DeliveryId, turn: Turn, delivery: DeliveryId) -> bool:
    return owner == delivery and turn.role is Role.USER


class _Unit:
    def __init__(self, tables: Tables) -> None:
        self.accounts = MemoryAccounts(tables)
        self.conversations = _Conversations(tables)
        self.overtaking = MemoryOvertaking(tables)
        self.deliveries = MemoryDeliveries(tables)
        self.lanes = MemoryLanes(tables)
        self.links = MemoryLinks(tables)
        self.marks = MemoryMarks(tables)
        self.counts = MemoryCounts(tables)
        self.installations = MemoryInstallations(tables)
        self.spent = MemorySpent(tables)
        self.seats = MemorySeats(tables)


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
