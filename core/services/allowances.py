"""How much may be asked: by a person, in a channel, in a thread, and how much of a workspace may wait."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.model import Account, Amounts, Conversation, Question, Reason
from core.ports import UnitOfWork

_HOUR = timedelta(hours=1)
#: So many questions beyond an allowance are still told of it; what comes then is refused without a word.
_TOLD_THREAD = 1
_TOLD_PERSON = 3
_TOLD_CHANNEL = 20


@dataclass(frozen=True, slots=True)
class Allowances:
    """Questions an hour per thread, person and channel, and questions of a workspace that wait at once.

    None: as many as come. A thread's ends any loop between bots: it is told once. Questions that several
    processes accept in the same moment do not see one another: there may be as many more.
    """

    thread: int | None = 60
    person: int | None = 60
    channel: int | None = 600
    waiting: int | None = 5_000

    def narrowed_by(self, account: Account) -> "Allowances":
        """Return what counts in a workspace with its own allowances: the smaller one of each."""
        return replace(
            self,
            person=_smaller(self.person, account.person),
            channel=_smaller(self.channel, account.channel),
            waiting=_smaller(self.waiting, account.waiting),
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """An allowance that is used up; `silent` tells that they have been told so before."""

    reason: Reason
    silent: bool


def spent(
    uow: UnitOfWork, allowances: Allowances, conversation: Conversation, question: Question, now: datetime
) -> Spent | None:
    """Return the first allowance, in the order of the class, that one more question would exceed."""
    upto = Amounts(
        thread=_upto(allowances.thread, _TOLD_THREAD),
        person=_upto(allowances.person, _TOLD_PERSON),
        channel=_upto(allowances.channel, _TOLD_CHANNEL),
        waiting=allowances.waiting,
    )
    asked = uow.counts.lately(question, conversation.id, now - _HOUR, upto)
    for limit, many, reason, told in (
        (allowances.thread, asked.thread, Reason.TOO_MANY, _TOLD_THREAD),
        (allowances.person, asked.person, Reason.PERSON_SPENT, _TOLD_PERSON),
        (allowances.channel, asked.channel, Reason.CHANNEL_SPENT, _TOLD_CHANNEL),
        (allowances.waiting, asked.waiting, Reason.QUEUE_FULL, None),
    ):
        if limit is not None and many is not None and many >= limit:
            return Spent(reason, silent=told is not None and many >= limit + told)
    return None


def _upto(limit: int | None, told: int) -> int | None:
    """Return how far it matters how many there are."""
    return None if limit is None else limit + told


def _smaller(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
