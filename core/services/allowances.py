"""How much may be asked: by a person, in a channel, in a thread, and how much of a workspace may wait."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.model import Conversation, Question, Reason
from core.ports import UnitOfWork

_HOUR = timedelta(hours=1)
#: So many questions beyond an allowance are still told of it; what comes then is refused without a word.
_TOLD_PERSON = 3
_TOLD_CHANNEL = 20


@dataclass(frozen=True, slots=True)
class Allowances:
    """Questions an hour per thread, person and channel, and questions of a workspace that wait at once.

    None: as many as come. A thread's ends any loop between bots: it is told once.
    """

    thread: int | None = 60
    person: int | None = 60
    channel: int | None = 600
    waiting: int | None = 5_000


@dataclass(frozen=True, slots=True)
class Spent:
    """An allowance that is used up; `silent` tells that they have been told so before."""

    reason: Reason
    silent: bool


def spent(
    uow: UnitOfWork, allowances: Allowances, conversation: Conversation, question: Question, now: datetime
) -> Spent | None:
    """Return the first allowance, in the order of the class, that one more question would exceed."""
    thread, since, counts = question.thread, now - _HOUR, uow.counts
    place = (thread.platform, thread.workspace)
    bounds: tuple[tuple[int | None, Callable[[], int], Reason, int | None], ...] = (
        (allowances.thread, lambda: counts.in_thread(conversation.id, since), Reason.TOO_MANY, 1),
        (
            allowances.person,
            lambda: counts.by_author(*place, question.author, since),
            Reason.PERSON_SPENT,
            _TOLD_PERSON,
        ),
        (
            allowances.channel,
            lambda: counts.in_channel(thread.linked_at, since),
            Reason.CHANNEL_SPENT,
            _TOLD_CHANNEL,
        ),
        (
            allowances.waiting,
            lambda: counts.waiting(*place, allowances.waiting or 0),
            Reason.QUEUE_FULL,
            None,
        ),
    )
    for limit, count, reason, told in bounds:
        if limit is None:
            continue
        over = count() - limit
        if over >= 0:
            return Spent(reason, silent=told is not None and over >= told)
    return None
