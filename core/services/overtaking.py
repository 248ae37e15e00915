"""Follow-ups that arrive before the mention that makes their thread ours: kept for a moment, in memory."""

from collections.abc import Sequence

from core.clock import Clock
from core.model import Question, ThreadKey

_SECONDS = 60.0
_AT_MOST = 1_000  #: threads


class Overtaking:
    """Remembers what was not for us as far as we knew. Most of it is not: it is soon forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._early: dict[ThreadKey, list[tuple[float, Question]]] = {}

    def remember(self, question: Question) -> None:
        """Keep a message of a thread that is not ours (yet)."""
        now = self._clock.monotonic()
        self._forget(now)
        self._early.setdefault(question.thread, []).append((now, question))

    def followers(self, question: Question) -> Sequence[Question]:
        """Return, once, what was written after a question in the same thread and came before it."""
        self._forget(self._clock.monotonic())
        early = self._early.pop(question.thread, [])
        after = [one for _, one in early if one.asked_at > question.asked_at]
        return sorted(after, key=lambda one: one.asked_at)

    def _forget(self, now: float) -> None:
        for thread, early in list(self._early.items()):
            if now - early[-1][0] <= _SECONDS and len(self._early) < _AT_MOST:
                return
            del self._early[thread]
