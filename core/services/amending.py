"""What becomes of a question whose message is edited or deleted: before, while, and after it is asked."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.clock import Clock
from core.model import (
    Amendment,
    ChannelKey,
    Delivery,
    Mark,
    MessageId,
    Notice,
    Outcome,
    Question,
    Reason,
    State,
)
from core.ports import Transact, UnitOfWork
from core.services.asking import Asking, cleaned
from core.services.failing import to_post
from core.services.settling import cancel, is_to_be_asked
from core.services.stopping import says_stop

#: A message that was edited, or deleted, so soon may be one whose own event is still on its way.
_OVERTAKES = timedelta(minutes=10)
#: Of these the answer, if there is one, is posted, or may yet be: a buried one when an operator has it so,
#: and then it waits for its turn, perhaps.
_POSTED = frozenset(
    {
        State.WAITING,
        State.ANSWERED,
        State.POSTING,
        State.DONE,
        State.KEPT,
        State.AMBIGUOUS,
        State.BURIED,
    }
)


class Amending:
    """Takes edits and deletions in: one transaction each, as `Asking` takes questions."""

    def __init__(
        self,
        transact: Transact,
        clock: Clock,
        asking: Asking,
        *,
        budget: int,
        cancelled: Callable[[Sequence[Delivery]], None],
        wake: Callable[[], None],
    ) -> None:
        """`budget`: characters that one question may have. `cancelled` is called, after the commit, with
        what will not be answered any more."""
        self._transact = transact
        self._clock = clock
        self._asking = asking
        self._budget = budget
        self._cancelled = cancelled
        self._wake = wake

    async def edited(self, question: Question, *, offered: bool = False) -> Amendment:
        """Take the text of a message since an edit, translated as if it were new.

        An edit that comes before its message, or soon makes a question of what was none, is taken as one;
        so is one that the platform offers as a question, however old its message is. Where edits come in
        another order than they were made, the latest stands. Raises StoreUnavailable when nothing was stored.
        """
        latest = cleaned(question)
        amendment = await self._amend(latest.thread.linked_at, latest.message, self._edit(latest))
        if amendment is not Amendment.UNKNOWN or not (offered or self._is_young(latest)):
            return amendment
        outcome = await self._asking.accept(latest)
        if outcome is Outcome.DUPLICATE:  # it came in between, perhaps to another process, and read otherwise
            return await self._amend(latest.thread.linked_at, latest.message, self._edit(latest))
        return Amendment.TAKEN if outcome in {Outcome.ACCEPTED, Outcome.UNLINKED} else Amendment.UNCHANGED

    async def deleted(
        self, at: ChannelKey, message: MessageId, question: Question | None = None
    ) -> Amendment:
        """Take note that a message is gone; `question` is what it said, where the platform tells.

        So a question whose own event comes later, or again, will not be asked. Raises StoreUnavailable.
        """
        amendment = await self._amend(at, message, self._delete, is_gone=True)
        if amendment is Amendment.UNKNOWN and question is not None and self._is_young(question):
            gone, now = cleaned(question), self._clock.now()
            if await self._transact(lambda uow: self._asking.forgo(uow, gone, now)):
                return Amendment.CANCELLED
        return amendment

    async def _amend(
        self,
        at: ChannelKey,
        message: MessageId,
        change: Callable[[UnitOfWork, Delivery, datetime], Amendment],
        *,
        is_gone: bool = False,
    ) -> Amendment:
        def work(uow: UnitOfWork) -> tuple[Amendment, Delivery | None]:
            if is_gone:  # before looking: whoever takes it in at this moment is waited for
                uow.overtaking.forget(at, message)
            known = uow.deliveries.of_message(at, message)
            found = None if known is None else uow.deliveries.locked(known.id)
            if found is None:
                return Amendment.UNKNOWN, None
            return change(uow, found, self._clock.now()), found

        amendment, found = await self._transact(work)
        if amendment is Amendment.CANCELLED and found is not None:
            self._cancelled([found])
        self._wake()
        return amendment

    def _edit(self, latest: Question) -> Callable[[UnitOfWork, Delivery, datetime], Amendment]:
        def change(uow: UnitOfWork, found: Delivery, now: datetime) -> Amendment:
            if latest.edited_at is not None and not uow.marks.edited(found.id, latest.edited_at):
                return Amendment.UNCHANGED
            stored = uow.conversations.asked(found.id)
            if stored is None or stored == latest.text:
                return Amendment.UNCHANGED
            if is_to_be_asked(found):
                return self._rewrite(uow, found, latest, now)
            if not uow.deliveries.parts(found.id):  # a notice is owed, or told
                self._keep(uow, found, latest)
            return _mark(uow, found, Mark.EDITED, now)

        return change

    def _rewrite(self, uow: UnitOfWork, found: Delivery, latest: Question, now: datetime) -> Amendment:
        """Have the latest text sent; what is no question any more, or says "stop" now, is not asked."""
        if not latest.text or says_stop(latest.text):
            cancel(uow, found, now)
            return Amendment.CANCELLED
        uow.conversations.rewrite(found.id, latest.text)
        if len(latest.text) > self._budget and found.state in {State.WAITING, State.ACCEPTED}:
            uow.conversations.forget(found.id)
            uow.deliveries.save(_too_long(uow, found, now), lease=None)
        return Amendment.TAKEN

    def _keep(self, uow: UnitOfWork, found: Delivery, latest: Question) -> None:
        """Keep the latest text, should an operator have it asked again; what cannot be asked is forgotten."""
        if latest.text and not says_stop(latest.text) and len(latest.text) <= self._budget:
            uow.conversations.rewrite(found.id, latest.text)
        else:
            uow.conversations.forget(found.id)

    @staticmethod
    def _delete(uow: UnitOfWork, found: Delivery, now: datetime) -> Amendment:
        if is_to_be_asked(found) or _is_unseen(uow, found):
            cancel(uow, found, now)
            return Amendment.CANCELLED
        uow.conversations.forget(found.id)
        return _mark(uow, found, Mark.DELETED, now)

    def _is_young(self, question: Question) -> bool:
        now = self._clock.wall(self._clock.now())  # as the platform dates messages
        return now - question.asked_at < _OVERTAKES


def _is_unseen(uow: UnitOfWork, found: Delivery) -> bool:
    """Tell whether what is owed waits to be posted, and nothing of it can have been shown."""
    owed = found.state in {State.WAITING, State.ANSWERED}
    waits = owed and not found.doubtful and not uow.deliveries.holds(found)
    return waits and all(part.posted is None for part in uow.deliveries.parts(found.id))


def _mark(uow: UnitOfWork, found: Delivery, mark: Mark, now: datetime) -> Amendment:
    """Have an answer say so, once it is posted; a notice needs not."""
    if found.state not in _POSTED or not uow.deliveries.parts(found.id):
        return Amendment.UNCHANGED
    return Amendment.MARKED if uow.marks.put(found.id, mark, now) else Amendment.UNCHANGED


def _too_long(uow: UnitOfWork, found: Delivery, now: datetime) -> Delivery:
    """Return a delivery that is not to be asked but told that its text is too long."""
    owed = to_post(uow, replace(found, notice=Notice(Reason.TOO_LONG, found.project)), now)
    return replace(owed, state=State.ANSWERED if found.state is State.ACCEPTED else found.state)
