"""The repositories of what became of questions: answers that are to say so, counts of what was asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from core.model import (
    Amounts,
    ConversationId,
    Delivery,
    DeliveryId,
    Mark,
    Platform,
    Question,
    ThreadKey,
)


class Marks(Protocol):
    """What became of a question's message, and answers that are to say so."""

    def edited(self, delivery: DeliveryId, at: datetime) -> bool:
        """Note when a question's text was written as it is now; return False where it was edited later still.

        So whoever is told of edits in another order, or again, lets the latest one stand.
        """
        ...

    def put(self, delivery: DeliveryId, mark: Mark, due: datetime) -> bool:
        """Have the answer say so, once it is posted, from `due` on; return False if it says as much already.

        That it was deleted goes over that it was edited.
        """
        ...

    def due(self, now: datetime, until: datetime, limit: int) -> Sequence[tuple[Delivery, Mark]]:
        """Return the marks whose answers are posted, the longest due first; they are due again at `until`.

        So no other process makes them meanwhile, and one that dies over them loses none.
        """
        ...

    def later(self, delivery: DeliveryId, due: datetime) -> None:
        """Try a mark again at `due`."""
        ...

    def made(self, delivery: DeliveryId, mark: Mark) -> None:
        """Note that the answer says so now; if it is to say something else meanwhile, that stays due."""
        ...


class Counts(Protocol):
    """How much was asked lately, and waits. What was refused does not count."""

    def lately(
        self, question: Question, conversation: ConversationId, since: datetime, upto: Amounts
    ) -> Amounts:
        """Count what was accepted since then in a question's thread, of its author, and in its channel; and
        what its workspace has waiting.

        No count goes beyond `upto`; where that has None, nothing is counted.
        """
        ...

    def latest(self, platform: Platform, since: datetime, limit: int) -> Mapping[ThreadKey, datetime]:
        """Return the threads with questions written since then, with the newest question's time.

        Those with the newest come first; there are no more than `limit`.
        """
        ...
