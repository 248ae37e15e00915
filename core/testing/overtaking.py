"""The twin of the repository of what came before what makes its thread ours."""

from collections.abc import Sequence
from datetime import datetime

from core.model import ChannelKey, MessageId, Question, ThreadKey
from core.testing.tables import Tables


class MemoryOvertaking:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def keep(self, question: Question, now: datetime) -> bool:
        if question.thread in self._tables.conversations:
            return False
        key = question.thread, question.message
        _, before = self._tables.overtaking.get(key, (now, question))
        self._tables.overtaking[key] = (now, max(question, before, key=_written))  # of two alike, the new one
        return True

    def take(self, thread: ThreadKey, since: datetime) -> Sequence[Question]:
        here = [key for key in self._tables.overtaking if key[0] == thread]
        kept = [self._tables.overtaking.pop(key) for key in here]
        return [question for at, question in kept if at >= since]

    def forget(self, at: ChannelKey, message: MessageId) -> None:
        for key in [key for key in self._tables.overtaking if (key[0].linked_at, key[1]) == (at, message)]:
            del self._tables.overtaking[key]

    def trim(self, since: datetime, until: datetime, most: int) -> None:
        kept = [(at, key) for key, (at, _) in self._tables.overtaking.items() if since <= at <= until]
        latest = sorted(kept, key=lambda one: one[0], reverse=True)
        beyond = latest[most][0] if len(latest) > most else None
        stay = {key for at, key in latest if beyond is None or at > beyond}
        for key in self._tables.overtaking.keys() - stay:
            del self._tables.overtaking[key]


def _written(question: Question) -> datetime:
    return question.edited_at or question.asked_at
