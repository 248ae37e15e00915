"""Where in the queue a question stands, or the notice that answers it. Whether it is for us is `asking`'s."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from core.model import (
    Conversation,
    DeliveryId,
    NewDelivery,
    Notice,
    Outcome,
    Question,
    Reason,
    Role,
    State,
    Turn,
    posting_lane,
)
from core.ports import UnitOfWork
from core.retry import MAX_AGE
from core.services.terms import Terms


class Placing:
    """Queues questions, inside a transaction of its caller's."""

    def __init__(self, new_id: Callable[[datetime], DeliveryId]) -> None:
        self._new_id = new_id

    def enqueue(
        self,
        uow: UnitOfWork,
        conversation: Conversation,
        question: Question,
        reason: Reason | None,
        now: datetime,
        *,
        terms: Terms,
        ended: State | None = None,
    ) -> Outcome:
        """Queue a question, or the notice that is its answer; with `ended`, only note it as that."""
        thread, project = question.thread, conversation.project
        asks = reason is None and project is not None and terms.has_key
        unlinked = reason is None and not asks
        missing = Reason.NO_KEY if unlinked and ended is None and not terms.has_key else None
        lane = terms.lane if asks else posting_lane(thread.platform, thread.workspace)
        told = unlinked and any(
            one.conversation == conversation.id for one in uow.deliveries.unlinked(thread.linked_at)
        )
        awaited = State.UNLINKED if unlinked else None
        entry = NewDelivery(
            id=self._new_id(now),
            conversation=conversation.id,
            question=question,
            project=project,
            lane=lane,
            state=ended or awaited or _place(uow, conversation, question, reason, now),
            accepted_at=now,
            due_at=now + MAX_AGE if told else now,
            paused_before=uow.lanes.get(lane).paused_total(now),
            rank=uow.deliveries.next_rank(lane, thread.platform, thread.workspace) if asks else 0,
            told=told,
            notice=None if (owed := reason or missing) is None else Notice(owed, project),
        )
        uow.deliveries.enqueue(entry)
        if reason is None and ended is None:
            turn = Turn(Role.USER, question.author, question.text)
            uow.conversations.append(conversation.id, entry.id, turn)
        return Outcome.UNLINKED if unlinked else Outcome.ACCEPTED


def _place(
    uow: UnitOfWork,
    conversation: Conversation,
    question: Question,
    reason: Reason | None,
    now: datetime,
) -> State:
    """Return whether it is this question's turn: it is when no earlier one is unsettled.

    Platforms may deliver messages in another order than they were written: a question that was written
    before the thread's first one goes before it, unless that one is being asked or has failed before.
    """
    head = uow.deliveries.head(conversation.id)
    if head is not None:
        untried = head.state is State.ACCEPTED and head.attempt == 0
        if not (untried and question.asked_at < head.asked_at):
            return State.WAITING
        uow.deliveries.save(replace(head, state=State.WAITING, due_at=now), lease=None)
    return State.ACCEPTED if reason is None else State.ANSWERED
