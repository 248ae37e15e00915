"""What of a thread goes along with a question: read in a transaction, no more than can be sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core import history
from core.model import AuthorId, Delivery, Turn
from core.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said in a thread, as far as it can be sent; and by whom, whether that can be sent or not."""

    turns: Sequence[Turn]
    people: Sequence[AuthorId]

    @property
    def question(self) -> str:
        """The question's text, as it is stored."""
        return self.turns[-1].text

    def window(self, names: Mapping[AuthorId, str], budget: int) -> history.Window:
        """Return what is sent, with the speakers' names where there are several."""
        return history.window(history.with_names(self.turns, self.people, names), budget)


def recalled(uow: UnitOfWork, delivery: Delivery, budget: int) -> Heard:
    """Return what was said up to a question, as far as a window of `budget` characters can hold it."""
    turns = uow.conversations.turns(delivery, budget)
    whole = history.beyond(turns, budget) is None
    return Heard(turns, history.speakers(turns) if whole else uow.conversations.speakers(delivery))
