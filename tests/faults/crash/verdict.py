"""What must be true of every question once all is settled; each breach is a sentence."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from tests.faults.crash.chat_door import paragraphs
from tests.faults.crash.rows import Rows
from tests.faults.crash.side import Asked
from tests.faults.crash.town import Town

_PATIENCE = 30.0  #: seconds until what has not come is lost


def is_whole(town: Town, asked: Asked) -> bool:
    """Tell whether every paragraph of a question's answer can be seen in its thread."""
    seen = set(_seen(town, asked))
    return bool(seen) and len(seen) == next(iter(seen))[1]


async def settled(town: Town, questions: Sequence[Asked]) -> bool:
    """Return True once all of them are answered and settled, False if that does not happen in time."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await town.until(lambda: all(_is_seen_to(town, one) for one in questions))
            while not _all_settled(town.rows(), town, questions):
                await town.echo("/readyz")  # once through its database
    except (TimeoutError, ConnectionError, asyncio.IncompleteReadError):
        return False
    return True


def _is_seen_to(town: Town, asked: Asked) -> bool:
    return is_whole(town, asked) or was_turned_away(town, town.rows, asked)


def was_turned_away(town: Town, rows: Callable[[], Rows], asked: Asked) -> bool:
    """Tell whether a question's author was told that it was not received, and it was not."""
    return town.side.turned_away(asked) and town.row(rows(), asked) is None


def _all_settled(rows: Rows, town: Town, questions: Sequence[Asked]) -> bool:
    left = [one for one in questions if not was_turned_away(town, lambda: rows, one)]
    found = [town.row(rows, one) for one in left]
    return all(row is not None and row.is_settled for row in found)


def faults(town: Town, questions: Sequence[Asked]) -> list[str]:
    """Return what is wrong with these questions and their threads, or stands outside of all threads."""
    rows = town.rows()
    found = [f"{fault} ({asked.marker})" for asked in questions for fault in _of_question(town, rows, asked)]
    found += [f"said in a foreign place: {said.text[:80]!r}" for said in town.side.misplaced(town.questions)]
    threads = {asked.thread: asked for asked in questions}
    return found + [
        f"{fault} (thread {thread})"
        for thread, asked in sorted(threads.items())
        for fault in _of_thread(town, asked)
    ]


def _of_question(town: Town, rows: Rows, asked: Asked) -> Iterator[str]:
    if was_turned_away(town, lambda: rows, asked) and not _seen(town, asked):
        return
    row = town.row(rows, asked)
    if row is None:
        yield "lost: not on disk"
    elif row.state != "done":
        yield f"not done: {row.state}"
    seen = _seen(town, asked)
    if not is_whole(town, asked):
        yield f"lost: {len(set(seen))} paragraphs of its answer can be seen"
    if len(seen) > len(set(seen)):
        yield f"doubled: {len(seen) - len(set(seen))} paragraphs of its answer can be seen twice"
    if seen != sorted(seen):
        yield "the parts of its answer are out of order"
    calls = town.calls(asked)
    if calls > 1 + asked.flights:
        yield f"asked {calls} times, though a call was cut off only {asked.flights} times"


def _of_thread(town: Town, one: Asked) -> Iterator[str]:
    said = [message.text for message in town.side.said(one)]
    strays = [text for text in said if town.named(text) is None]
    if strays:
        yield f"{len(strays)} messages that are no answer: {strays[0][:80]!r}"
    answered = [asked for text in said if (asked := town.named(text)) is not None]
    foreign = [asked.marker for asked in answered if asked.thread != one.thread]
    if foreign:
        yield f"the answer to {foreign[0]} of another thread stands in it"
    order = [town.questions.index(asked) for asked in dict.fromkeys(answered)]
    if order != sorted(order):
        yield "its questions were answered out of order"
    if town.side.shows_status(one):
        yield "a status is still shown"


def _seen(town: Town, asked: Asked) -> list[tuple[int, int]]:
    return [number for message in town.side.said(asked) for number in paragraphs(asked.marker, message.text)]
