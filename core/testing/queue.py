"""The queue's twin: the deliveries of `core.testing.memory`, kept in dictionaries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from core.errors import LeaseLost, StoreUnavailable
from core.model import (
    SETTLED,
    AnswerPart,
    ChannelKey,
    ConversationId,
    Delivery,
    DeliveryId,
    Lane,
    LaneId,
    NewDelivery,
    Platform,
    ProjectId,
    Question,
    State,
    Tally,
    ThreadKey,
)
from core.testing.tables import Row, Tables

_CLAIMABLE = {
    State.ACCEPTED: State.ASKING,
    State.ANSWERED: State.POSTING,
    State.UNLINKED: State.UNLINKED,
}
_RELEASED = {State.ASKING: State.ACCEPTED, State.POSTING: State.ANSWERED}
_HEADS = frozenset({State.ACCEPTED, State.ASKING, State.ANSWERED, State.POSTING})


class MemoryDeliveries:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def enqueue(self, entry: NewDelivery) -> None:
        question = entry.question
        if entry.id in self._tables.rows or self.known(question):
            raise StoreUnavailable
        self._refuse_two_heads(entry.id, entry.conversation, entry.state)
        self._tables.rows[entry.id] = Row(
            Delivery(
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
                attempt=0,
                maybe_charged=0,
                fence=0,
                has_files=question.has_files,
                told=entry.told,
                doubtful=False,
                notice=entry.notice,
            ),
            question,
        )

    def known(self, question: Question) -> bool:
        return any(
            _event(row.question) == _event(question) or _message(row.question) == _message(question)
            for row in self._tables.rows.values()
        )

    def head(self, conversation: ConversationId) -> Delivery | None:
        return next((one for one in self._of(conversation) if one.state in _HEADS), None)

    def next_waiting(self, conversation: ConversationId) -> Delivery | None:
        return next((one for one in self._of(conversation) if one.state is State.WAITING), None)

    def unlinked(self, at: ChannelKey) -> Sequence[Delivery]:
        return [
            one
            for one in self._sorted()
            if one.state is State.UNLINKED
            and one.thread.linked_at in {at, replace(at, channel=at.channel or one.thread.channel)}
        ]

    def claim(self, now: datetime, until: datetime, concurrency: int, limit: int) -> Sequence[Delivery]:
        claimed: list[Delivery] = []
        for lane in self._lanes():
            if lane.is_paused(now):
                continue
            busy = sum(row.lease is not None and row.delivery.lane == lane.id for row in self._rows())
            room = min(min(lane.window, concurrency) - busy, limit - len(claimed))
            due = [one for one in self._claimable(lane.id) if one.due_at <= now]
            for one in due[: max(0, room)]:
                taken = replace(one, state=_CLAIMABLE[one.state], fence=one.fence + 1)
                self._put(taken, until)
                claimed.append(taken)
        return sorted(claimed, key=_due_order)

    def renew(self, held: Collection[Delivery], until: datetime) -> Collection[DeliveryId]:
        kept = []
        for one in held:
            row = self._tables.rows.get(one.id)
            if row is not None and row.lease is not None and row.delivery.fence == one.fence:
                self._put(row.delivery, until)
                kept.append(one.id)
        return kept

    def release_expired(self, now: datetime, held: Collection[DeliveryId]) -> int:
        expired = [
            row.delivery
            for row in self._rows()
            if row.lease is not None and row.lease <= now and row.delivery.id not in held
        ]
        for one in expired:
            state = _RELEASED.get(one.state, one.state)
            doubtful = one.doubtful or one.state is not State.ASKING
            attempt = one.attempt + (one.state is State.ASKING)
            freed = replace(one, state=state, doubtful=doubtful, attempt=attempt, fence=one.fence + 1)
            self._put(freed, None)
        return len(expired)

    def save(self, delivery: Delivery, lease: datetime | None) -> None:
        self._guard(delivery)
        self._put(delivery, lease)

    def bind(self, delivery: Delivery, project: ProjectId) -> Delivery:
        conversation = self._tables.conversations[delivery.thread]
        self._tables.conversations[delivery.thread] = replace(conversation, project=project)
        kept = self._tables.rows[delivery.id].delivery
        bound = replace(kept, project=project, fence=kept.fence + 1)
        self._put(bound, None)
        return bound

    def move(self, to: LaneId, paused_before: float) -> int:
        asked_for = [
            row.delivery
            for row in self._rows()
            if row.delivery.state in {State.ACCEPTED, State.WAITING}
            and row.delivery.notice is None
            and row.delivery.lane != to
        ]
        for one in asked_for:
            self._put(replace(one, lane=to, paused_before=paused_before), None)
        return len(asked_for)

    def settle(self, delivery: Delivery, state: State, now: datetime) -> None:  # noqa: ARG002 the twin keeps no time of settling
        self._put(replace(self._guard(delivery), state=state), None)

    def store_parts(self, delivery: DeliveryId, texts: Sequence[str]) -> None:
        self._tables.parts[delivery] = tuple(AnswerPart(number, text) for number, text in enumerate(texts))

    def parts(self, delivery: DeliveryId) -> Sequence[AnswerPart]:
        return self._tables.parts.get(delivery, ())

    def record(self, delivery: DeliveryId, number: int, posted: str) -> None:
        parts = self._tables.parts[delivery]
        self._tables.parts[delivery] = tuple(
            replace(part, posted=posted) if part.number == number else part for part in parts
        )

    def tell_paused(self, beyond: datetime, limit: int) -> Sequence[tuple[Delivery, datetime]]:
        told: list[tuple[Delivery, datetime]] = []
        for lane in self._lanes():
            if lane.paused_until is None or lane.paused_until < beyond:
                continue
            for one in self._claimable(lane.id):
                if one.state is State.ACCEPTED and not one.told and len(told) < limit:
                    self._put(replace(one, told=True), None)
                    told.append((replace(one, told=True), lane.paused_until))
        return told

    def next_due(self, now: datetime) -> datetime | None:
        times = []
        for lane in self._tables.lanes.values():
            opens = lane.paused_until if lane.is_paused(now) else None
            times += [max(one.due_at, opens or one.due_at) for one in self._claimable(lane.id)]
        return min((at for at in times if at > now), default=None)

    def count_since(self, conversation: ConversationId, since: datetime) -> int:
        return sum(one.accepted_at >= since for one in self._of(conversation))

    def latest(self, platform: Platform, since: datetime) -> Mapping[ThreadKey, datetime]:
        found: dict[ThreadKey, datetime] = {}
        for one in self._sorted():
            if one.thread.platform == platform and one.asked_at >= since:
                found[one.thread] = one.asked_at
        return found

    def tally(self, now: datetime) -> Tally:
        states = [row.delivery.state for row in self._rows()]
        due = [
            row.delivery.due_at
            for row in self._rows()
            if row.delivery.state in _CLAIMABLE and row.lease is None
        ]
        paused = {
            lane.id: lane.paused_until
            for lane in self._tables.lanes.values()
            if lane.paused_until is not None and lane.is_paused(now)
        }
        return Tally({state: states.count(state) for state in set(states)}, min(due, default=None), paused)

    def _rows(self) -> Collection[Row]:
        return self._tables.rows.values()

    def _sorted(self) -> Sequence[Delivery]:
        return sorted((row.delivery for row in self._rows()), key=lambda one: (one.asked_at, one.id))

    def _of(self, conversation: ConversationId) -> Sequence[Delivery]:
        return [one for one in self._sorted() if one.conversation == conversation]

    def _lanes(self) -> Sequence[Lane]:
        return sorted(self._tables.lanes.values(), key=lambda lane: lane.id)

    def _claimable(self, lane: LaneId) -> Sequence[Delivery]:
        claimable = [
            row.delivery
            for row in self._rows()
            if row.lease is None and row.delivery.lane == lane and row.delivery.state in _CLAIMABLE
        ]
        return sorted(claimable, key=_due_order)

    def _guard(self, delivery: Delivery) -> Delivery:
        row = self._tables.rows.get(delivery.id)
        if row is None or row.delivery.fence != delivery.fence or row.delivery.state in SETTLED:
            raise LeaseLost
        return row.delivery

    def _refuse_two_heads(self, delivery: DeliveryId, conversation: ConversationId, state: State) -> None:
        head = self.head(conversation)
        if state in _HEADS and head is not None and head.id != delivery:
            raise StoreUnavailable

    def _put(self, delivery: Delivery, lease: datetime | None) -> None:
        self._refuse_two_heads(delivery.id, delivery.conversation, delivery.state)
        self._tables.rows[delivery.id] = replace(
            self._tables.rows[delivery.id], delivery=delivery, lease=lease
        )


def _due_order(delivery: Delivery) -> tuple[datetime, DeliveryId]:
    return (delivery.due_at, delivery.id)


def _event(question: Question) -> tuple[str, ...]:
    return (question.thread.platform, question.thread.workspace, question.event)


def _message(question: Question) -> tuple[str, ...]:
    return (question.thread.platform, question.thread.workspace, question.thread.channel, question.message)
