"""Follow-ups that arrive before the mention that makes their thread ours: kept for a moment, in memory."""

from collections.abc import Sequence
from datetime import datetime

from core.clock import Clock
from core.model import ChannelKey, MessageId, Question, ThreadKey

_SECONDS = 60.0
_AT_MOST = 1_000  #: threads
_EACH = 20  #: messages of a thread

_Early = dict[MessageId, tuple[float, Question]]


class Overtaking:
    """Remembers what was not for us as far as we knew. Most of it is not: it is soon forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._early: dict[ThreadKey, _Early] = {}

    def remember(self, question: Question) -> None:
        """Keep the latest text of a message in a thread that is not ours (yet)."""
        now = self._clock.monotonic()
        early = _fresh(self._early.pop(question.thread, {}), now)
        _, kept = early.get(question.message, (now, question))
        early[question.message] = (
            now,
            max(question, kept, key=_written),
        )  # of two alike, the one that is new
        while len(early) > _EACH:
            del early[next(iter(early))]
        self._early[question.thread] = early  # behind all others: the longest silent thread goes first
        self._forget(now)

    def forget(self, at: ChannelKey, message: MessageId) -> None:
        """Forget a message that was deleted."""
        for thread, early in self._early.items():
            if thread.linked_at == at:
                early.pop(message, None)

    def followers(self, thread: ThreadKey, asked_at: datetime) -> Sequence[Question]:
        """Return, once, what was written in a thread after a question of then, and came before it."""
        early = _fresh(self._early.pop(thread, {}), self._clock.monotonic())
        after = [one for _, one in early.values() if one.asked_at > asked_at]
        return sorted(after, key=lambda one: one.asked_at)

    def _forget(self, now: float) -> None:
        while len(self._early) > _AT_MOST or not _fresh(next(iter(self._early.values())), now):
            del self._early[next(iter(self._early))]


def _written(question: Question) -> datetime:
    """Return when its text was written."""
    return question.edited_at or question.asked_at


def _fresh(early: _Early, now: float) -> _Early:
    return {message: kept for message, kept in early.items() if now - kept[0] <= _SECONDS}
