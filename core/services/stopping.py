"""What somebody wants to hear no answer to any more."""

from collections.abc import Callable, Sequence
from datetime import datetime

from core.clock import Clock
from core.model import HEADS, AuthorId, Conversation, Delivery, ThreadKey
from core.ports import Transact, UnitOfWork
from core.services.settling import cancel, is_to_be_asked

_WORDS = frozenset({"stop", "cancel"})


def says_stop(text: str) -> bool:
    """Tell whether a message is the command to stop, and nothing else."""
    return text.strip(" .!").casefold() in _WORDS


def stop(uow: UnitOfWork, conversation: Conversation, by: AuthorId, now: datetime) -> Sequence[Delivery]:
    """Cancel what somebody has asked in a thread and was not answered yet; return it as it was."""
    theirs = [
        one
        for one in uow.deliveries.unsettled(conversation.id)
        if one.author == by and one.notice is None and is_to_be_asked(one)
    ]
    for one in sorted(theirs, key=lambda one: one.state in HEADS):  # then none gets its turn only to lose it
        cancel(uow, one, now)
    return theirs


class Stopping:
    """Stops a thread's questions at a button's press."""

    def __init__(
        self, transact: Transact, clock: Clock, *, cancelled: Callable[[Sequence[Delivery]], None]
    ) -> None:
        """`cancelled` is called, after the commit, with what was stopped."""
        self._transact = transact
        self._clock = clock
        self._cancelled = cancelled

    async def stop(self, thread: ThreadKey, by: AuthorId) -> int:
        """Cancel what somebody has asked in a thread; return how many questions. Raises StoreUnavailable."""

        def work(uow: UnitOfWork) -> Sequence[Delivery]:
            conversation = uow.conversations.locked(thread)
            return () if conversation is None else stop(uow, conversation, by, self._clock.now())

        stopped = await self._transact(work)
        if stopped:
            self._cancelled(stopped)
        return len(stopped)
