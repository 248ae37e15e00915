"""Between rows of the queue and the values that the rest of Threadline knows them by."""

from typing import Any

from core.model import (
    AuthorId,
    ConversationId,
    Delivery,
    DeliveryId,
    LaneId,
    NewDelivery,
    Notice,
    Platform,
    ProjectId,
    Reason,
    Receipt,
    State,
    ThreadKey,
    WorkspaceId,
)
from core.store.prepared import Found
from core.store.tables import AnyRow


def columns(entry: NewDelivery) -> dict[str, Any]:
    """Return a new delivery's columns."""
    question, thread = entry.question, entry.question.thread
    return {
        "id": entry.id,
        "conversation_id": entry.conversation,
        "platform": thread.platform,
        "workspace": thread.workspace,
        "channel": thread.channel,
        "thread": thread.thread,
        "event": question.event,
        "message": question.message,
        "project": entry.project,
        "author": question.author,
        "lane": entry.lane,
        "state": entry.state.value,
        "asked_at": question.asked_at,
        "accepted_at": entry.accepted_at,
        "ready_at": entry.accepted_at,
        "due_at": entry.due_at,
        "paused_before": entry.paused_before,
        "rank": entry.rank,
        "attempt": 0,
        "maybe_charged": 0,
        "fence": 0,
        "has_files": question.has_files,
        "told": entry.told,
        "doubtful": False,
        "notice": reason(entry.notice),
        "receipt": question.receipt,
        "edited_at": question.edited_at,
    }


def changeable(delivery: Delivery) -> dict[str, Any]:
    """Return the columns of all that may change of a delivery."""
    return {
        "project": delivery.project,
        "lane": delivery.lane,
        "state": delivery.state.value,
        "accepted_at": delivery.accepted_at,
        "ready_at": delivery.ready_at,
        "due_at": delivery.due_at,
        "paused_before": delivery.paused_before,
        "rank": delivery.rank,
        "attempt": delivery.attempt,
        "maybe_charged": delivery.maybe_charged,
        "told": delivery.told,
        "doubtful": delivery.doubtful,
        "notice": reason(delivery.notice),
    }


def delivery(row: AnyRow | Found) -> Delivery:
    """Return the delivery of a row that begins with the table's columns, in the table's order."""
    (
        id_,
        conversation,
        platform,
        workspace,
        channel,
        thread,
        _event,
        _message,
        project,
        author,
        lane,
        state,
        asked_at,
        accepted_at,
        ready_at,
        due_at,
        paused_before,
        attempt,
        maybe_charged,
        fence,
        has_files,
        told,
        doubtful,
        notice,
        _lease_until,
        _settled_at,
        receipt,
        rank,
        *_marks,
    ) = row
    bound = None if project is None else ProjectId(project)
    return Delivery(
        id=DeliveryId(id_),
        conversation=ConversationId(conversation),
        thread=ThreadKey(Platform(platform), WorkspaceId(workspace), channel, thread),
        project=bound,
        author=AuthorId(author),
        lane=LaneId(lane),
        state=State(state),
        asked_at=asked_at,
        accepted_at=accepted_at,
        ready_at=ready_at,
        due_at=due_at,
        paused_before=paused_before,
        rank=rank,
        attempt=attempt,
        maybe_charged=maybe_charged,
        fence=fence,
        has_files=has_files,
        told=told,
        doubtful=doubtful,
        notice=None if notice is None else Notice(Reason(notice), bound),
        receipt=Receipt(receipt),
    )


def reason(notice: Notice | None) -> str | None:
    """Return what is stored of a notice; its project is the delivery's."""
    return None if notice is None else notice.reason.value
