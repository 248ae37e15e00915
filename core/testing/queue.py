"""The queue's twin: deliveries in dictionaries, and every fenced write. Claiming is in `claims`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.errors import LeaseLost, StoreUnavailable
from core.model import (
    NO_RECEIPT,
    SETTLED,
    AnswerPart,
    AuthorId,
    ChannelKey,
    ConversationId,
    Delivery,
    DeliveryId,
    MessageId,
    NewDelivery,
    Platform,
    ProjectId,
    Question,
    State,
)
from core.testing.claims import MemoryClaims
from core.testing.tables import Row, Tables

_REVIVABLE = frozenset({State.AMBIGUOUS, State.BURIED})


class MemoryDeliveries(MemoryClaims):
    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self._tables = tables

    def enqueue(self, entry: NewDelivery) -> None:
        question = entry.question
        if entry.id in self._tables.rows or self.known(question):
            raise StoreUnavailable
        self._tables.put(Row(_queued(entry), question))

    def known(self, question: Question) -> bool:
        return any(
            _event(row.question) == _event(question) or _message(row.question) == _message(question)
            for row in self._tables.queued()
        )

    def get(self, delivery: DeliveryId) -> Delivery | None:
        row = self._tables.rows.get(delivery)
        return None if row is None else row.delivery

    def locked(self, delivery: DeliveryId) -> Delivery | None:
        return self.get(delivery)

    def of_message(self, at: ChannelKey, message: MessageId) -> Delivery | None:
        there = (at.platform, at.workspace, at.channel, message)
        return next((row.delivery for row in self._tables.queued() if _message(row.question) == there), None)

    def head(self, conversation: ConversationId) -> Delivery | None:
        return self._tables.head(conversation)

    def next_waiting(self, conversation: ConversationId) -> Delivery | None:
        return next((one for one in self._tables.of(conversation) if one.state is State.WAITING), None)

    def unsettled(self, conversation: ConversationId) -> Sequence[Delivery]:
        return [one for one in self._tables.of(conversation) if one.state not in SETTLED]

    def listed(self, state: State, limit: int) -> Sequence[Delivery]:
        found = [
            row.delivery
            for row in self._tables.queued()
            if row.delivery.state is state and state in _REVIVABLE
        ]
        return sorted(found, key=lambda one: (one.accepted_at, one.id), reverse=True)[:limit]

    def unlinked(self, at: ChannelKey) -> Sequence[Delivery]:
        return [
            one
            for one in self._tables.written()
            if one.state is State.UNLINKED
            and one.thread.platform == at.platform
            and at.workspace in {"", one.thread.workspace}
            and at.channel in {"", one.thread.channel}
        ]

    def save(self, delivery: Delivery, lease: datetime | None) -> None:
        self._tables.change(replace(delivery, thread=self._guard(delivery).thread), lease)

    def bind(self, delivery: Delivery, project: ProjectId) -> Delivery:
        stored = self._tables.rows[delivery.id].delivery
        conversation = self._tables.conversations[stored.thread]
        self._tables.conversations[stored.thread] = replace(conversation, project=project)
        bound = replace(stored, project=project, fence=stored.fence + 1)
        self._tables.change(bound, None)
        return bound

    def settle(self, delivery: Delivery, state: State, now: datetime) -> None:  # noqa: ARG002 the twin keeps no time of settling
        self._tables.change(replace(self._guard(delivery), state=state, receipt=NO_RECEIPT), None)

    def revive(self, delivery: Delivery) -> None:
        stored = self.get(delivery.id)
        if stored is None or stored.fence != delivery.fence or stored.state not in _REVIVABLE:
            raise LeaseLost
        self._tables.change(replace(delivery, fence=stored.fence + 1, receipt=stored.receipt), None)

    def store_parts(self, delivery: DeliveryId, texts: Sequence[str]) -> None:
        self._tables.parts[delivery] = tuple(
            AnswerPart(number, text, last=number == len(texts) - 1) for number, text in enumerate(texts)
        )

    def parts(self, delivery: DeliveryId) -> Sequence[AnswerPart]:
        return self._tables.parts.get(delivery, ())

    def record(self, delivery: DeliveryId, number: int, posted: str) -> None:
        parts = self._tables.parts[delivery]
        self._tables.parts[delivery] = tuple(
            replace(part, posted=posted) if part.number == number else part for part in parts
        )

    def kept(self, platform: Platform, author: AuthorId) -> Sequence[Delivery]:
        return [
            one
            for one in self._tables.written()
            if (one.state, one.thread.platform, one.author) == (State.KEPT, platform, author)
        ]

    def fetched(self, delivery: DeliveryId) -> None:
        row = self._tables.rows.get(delivery)
        if row is not None and row.delivery.state is State.KEPT:
            self._tables.change(replace(row.delivery, state=State.DONE), None)

    def _guard(self, delivery: Delivery) -> Delivery:
        row = self._tables.rows.get(delivery.id)
        if row is None or row.delivery.fence != delivery.fence or row.delivery.state in SETTLED:
            raise LeaseLost
        return row.delivery


def _queued(entry: NewDelivery) -> Delivery:
    question = entry.question
    return Delivery(
        id=entry.id,
        conversation=entry.conversation,
        thread=question.thread,
        project=entry.project,
        author=question.author,
        lane=entry.lane,
        state=entry.state,
        asked_at=question.asked_at,
        accepted_at=entry.accepted_at,
        ready_at=entry.accepted_at,
        due_at=entry.due_at,
        paused_before=entry.paused_before,
        rank=entry.rank,
        attempt=0,
        maybe_charged=0,
        fence=0,
        has_files=question.has_files,
        told=entry.told,
        doubtful=False,
        notice=entry.notice,
        receipt=question.receipt,
    )


def _event(question: Question) -> tuple[str, ...]:
    return (question.thread.platform, question.thread.workspace, question.event)


def _message(question: Question) -> tuple[str, ...]:
    return (question.thread.platform, question.thread.workspace, question.thread.channel, question.message)
