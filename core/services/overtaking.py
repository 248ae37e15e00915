"""Follow-ups that come before what makes their thread ours: kept for a moment, and what of them counts."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.model import Question
from core.ports import UnitOfWork

_KEPT_FOR = timedelta(seconds=60)
_AT_MOST = 10_000  #: messages, of all threads
_EACH = 20  #: follow-ups of a thread


def followers(uow: UnitOfWork, question: Question, now: datetime) -> Sequence[Question]:
    """Return, once, what came before a question that has opened its thread just now, but was written later.

    In the order in which it was written.
    """
    kept = uow.overtaking.take(question.thread, now - _KEPT_FOR)
    after = [one for one in kept if one.asked_at > question.asked_at]
    return sorted(after, key=lambda one: one.asked_at)[:_EACH]


def trim(uow: UnitOfWork, now: datetime) -> None:
    """Forget what has overtaken nothing, whatever clock has written it: most of it was not for us."""
    uow.overtaking.trim(now - _KEPT_FOR, now + _KEPT_FOR, _AT_MOST)
