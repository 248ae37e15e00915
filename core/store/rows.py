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


def delivery(row: AnyRow) -> Delivery:
    """Return a row's delivery."""
    project = None if row.project is None else ProjectId(row.project)
    return Delivery(
        id=DeliveryId(row.id),
        conversation=ConversationId(row.conversation_id),
        thread=ThreadKey(Platform(row.platform), WorkspaceId(row.workspace), row.channel, row.thread),
        project=project,
        author=AuthorId(row.author),
        lane=LaneId(row.lane),
        state=State(row.state),
        asked_at=row.asked_at,
        accepted_at=row.accepted_at,
        ready_at=row.ready_at,
        due_at=row.due_at,
        paused_before=row.paused_before,
        rank=row.rank,
        attempt=row.attempt,
        maybe_charged=row.maybe_charged,
        fence=row.fence,
        has_files=row.has_files,
        told=row.told,
        doubtful=row.doubtful,
        notice=None if row.notice is None else Notice(Reason(row.notice), project),
        receipt=Receipt(row.receipt),
    )


def reason(notice: Notice | None) -> str | None:
    """Return what is stored of a notice; its project is the delivery's."""
    return None if notice is None else notice.reason.value
