"""What must hold when all has come to rest, and once all is healthy again and time has passed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.model import (
    HEADS,
    SETTLED,
    AnswerPart,
    Delivery,
    DeliveryId,
    Mark,
    Outcome,
    ProjectId,
    Reason,
    State,
    ThreadKey,
)
from core.ports import UnitOfWork
from tests.faults.machine.ledger import Asked, Ledger
from tests.faults.machine.outside import Fate, Outside


@dataclass(frozen=True, slots=True)
class Everything:
    """All that is stored, as far as the ports tell."""

    rows: Mapping[DeliveryId, Delivery]
    parts: Mapping[DeliveryId, Sequence[AnswerPart]]
    bound: Mapping[ThreadKey, ProjectId | None]


def everything(uow: UnitOfWork, ids: Sequence[DeliveryId], threads: Sequence[ThreadKey]) -> Everything:
    """Read all that is stored of these."""
    stored = [uow.deliveries.get(one) for one in ids]
    rows = {one.id: one for one in stored if one is not None}
    found = {thread: uow.conversations.get(thread) for thread in threads}
    return Everything(
        rows,
        {id_: uow.deliveries.parts(id_) for id_, one in rows.items() if one.state in SETTLED},
        {thread: one.project for thread, one in found.items() if one is not None},
    )


def always(ledger: Ledger, outside: Outside, all_: Everything) -> Iterator[str]:
    """Yield, in sentences, what is wrong after a step."""
    heads = Counter(one.conversation for one in all_.rows.values() if one.state in HEADS)
    yield from (f"conversation {one} has {many} heads" for one, many in heads.items() if many > 1)
    yield from _twice(ledger, all_)
    rows = {one.asked_at: one for one in all_.rows.values()}
    for asked in ledger.asked:
        row = rows.get(asked.asked_at)
        if asked.is_owed and row is None:
            yield f"{asked} is lost"
        if asked.purged and row is not None:
            yield f"{asked} is still there, as {row.state}, after its workspace was purged"
        if row is not None:
            yield from _row(asked, row, outside, all_)
            if row.state is State.WAITING and not heads[row.conversation]:
                yield f"{asked} waits for nothing"


def _twice(ledger: Ledger, all_: Everything) -> Iterator[str]:
    """Yield which question is stored more than once: below, one row stands for each."""
    stored = Counter(one.asked_at for one in all_.rows.values())
    yield from (f"{ledger.of(at)} is stored {many} times" for at, many in stored.items() if many > 1)


def _row(asked: Asked, row: Delivery, outside: Outside, all_: Everything) -> Iterator[str]:
    if row.thread not in all_.bound:
        yield f"{asked} is in no conversation"
    elif row.project not in {None, all_.bound[row.thread]}:
        yield f"{asked} belongs to {row.project}, and its thread to {all_.bound[row.thread]}"
    if row.state in SETTLED:
        yield from _settled(asked, row, outside, all_.parts[row.id])
    if outside.told_away[row.id] > 1:
        yield f"{asked} was told {outside.told_away[row.id]} times that the assistant is away"


def _settled(asked: Asked, row: Delivery, outside: Outside, parts: Sequence[AnswerPart]) -> Iterator[str]:
    shown = [one for one in outside.shown.get(row.id, []) if one[0] != Reason.NOT_LINKED.value]
    met = outside.met.get(row.id, set())
    match row.state:
        case State.DONE if not (asked.fetched or asked.vouched):
            yield from _done(asked, row, outside, shown, parts)
        case State.BURIED:
            notices = [piece for piece, _ in shown if not piece.isdigit()]
            if len(notices) != 1 and not met:
                yield f"{asked} is buried, and people were shown {shown}"
        case State.KEPT if Fate.AWAY not in met:
            yield f"{asked} is kept, and its asker was not away"
        case State.AMBIGUOUS if Fate.BLIND not in met:
            yield f"{asked} is ambiguous, and one can look"
        case State.CANCELLED if not (asked.gone or asked.stopped or asked.emptied):
            yield f"{asked} was cancelled by nobody"
        case State.CANCELLED | State.REFUSED if shown:
            yield f"{asked} is {row.state}, and people were shown {shown}"


def _done(
    asked: Asked,
    row: Delivery,
    outside: Outside,
    shown: Sequence[tuple[str, str]],
    parts: Sequence[AnswerPart],
) -> Iterator[str]:
    if row.notice is not None:
        if [piece for piece, _ in shown] != [row.notice.reason.value]:
            yield f"{asked} is done with {row.notice.reason}, and people were shown {shown}"
    elif [(f"{part.number}", part.text) for part in parts] != list(shown):
        yield f"{asked} is done, and people were shown {shown}"
    elif "".join(part.text for part in parts) not in outside.replies or not parts:
        yield f"{asked} was answered by what nobody said: {parts}"


def in_the_end(ledger: Ledger, outside: Outside, all_: Everything) -> Iterator[str]:
    """Yield, in sentences, what is wrong when all has been healthy for long enough."""
    rows = {one.asked_at: one for one in all_.rows.values()}
    for asked in ledger.asked:
        row = rows.get(asked.asked_at)
        if row is None:
            continue
        if row.state not in SETTLED:
            yield f"{asked} is stranded: {row}"
        elif row.state is State.DONE and row.notice is None:
            yield from _marked(asked, row, outside, all_.parts[row.id])
        silent = {
            Outcome.REFUSED,
            Outcome.STOPPED,
            None,
        }  # beyond an allowance also "stop" is done without a word
        if row.state is State.REFUSED and asked.outcome not in silent:
            yield f"{asked} was {asked.outcome}, and is refused"


def _marked(asked: Asked, row: Delivery, outside: Outside, parts: Sequence[AnswerPart]) -> Iterator[str]:
    if not any(part.posted for part in parts) or {Fate.REFUSED, Fate.AWAY} & outside.met.get(row.id, set()):
        return
    said = outside.replies.get("".join(part.text for part in parts), "")
    marks = outside.marks.get(row.id, [])
    if asked.gone and Mark.DELETED not in marks:
        yield f"{asked} was deleted, and its answer does not say so"
    if not asked.gone and not said.endswith(asked.text) and Mark.EDITED not in marks:
        yield f"{asked} says {asked.text!r} now, its answer is to {said!r} and does not say so"
