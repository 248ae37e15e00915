"""Which turns of a conversation are sent to the assistant, decided purely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.model import AuthorId, Role, Turn


@dataclass(frozen=True, slots=True)
class Window:
    """What is sent, oldest first; `trimmed` tells that older turns were left out."""

    turns: Sequence[Turn]
    trimmed: bool


def speakers(turns: Sequence[Turn]) -> Sequence[AuthorId]:
    """Return the people of a conversation in the order they first spoke."""
    return tuple(dict.fromkeys(turn.author for turn in turns if turn.author is not None))


def with_names(
    turns: Sequence[Turn], people: Sequence[AuthorId], names: Mapping[AuthorId, str]
) -> Sequence[Turn]:
    """Put the speaker's name before each turn where a thread has several `people`.

    Who has no name in `names` is called by a number, so that the assistant can still tell them apart.
    """
    if len(people) < 2:
        return turns
    called = {who: names.get(who, f"Speaker {number}") for number, who in enumerate(people, 1)}
    return [
        turn if turn.author is None else replace(turn, text=f"{called[turn.author]}: {turn.text}")
        for turn in turns
    ]


def beyond(newest_first: Sequence[Turn], budget: int) -> int | None:
    """Return how many turns, from the newest back, are longer than `budget` together; None if all are not.

    No `window` of that budget needs more than these and the first question.
    """
    room = budget
    for many, turn in enumerate(newest_first, 1):
        room -= len(turn.text)
        if room < 0:
            return many
    return None


def window(turns: Sequence[Turn], budget: int) -> Window:
    """Keep the first question and the newest whole turns within `budget` characters.

    Of turns that are too long for that, `turns` may lack those between the first and what `beyond` counts.

    The newest turn is always kept. An answer is never the first of what follows the first
    question unless its own question is there: the window begins with a person's turn.
    """
    if sum(len(turn.text) for turn in turns) <= budget:
        return Window(turns, trimmed=False)
    first, newest = turns[0], turns[-1]
    room = budget - len(newest.text)
    kept_first = [first] if len(turns) > 1 and len(first.text) <= room else []
    room -= sum(len(turn.text) for turn in kept_first)
    kept: list[Turn] = []
    for turn in reversed(turns[1:-1]):
        room -= len(turn.text)
        if room < 0:
            break
        kept.insert(0, turn)
    while kept and kept[0].role is Role.ASSISTANT:
        del kept[0]
    chosen = [*kept_first, *kept, newest]
    return Window(chosen, trimmed=len(chosen) < len(turns))
