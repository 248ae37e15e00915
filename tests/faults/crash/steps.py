"""The nine steps of a question's life at which a process may die; how wire and rows prove them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from tests.faults.crash.chat_door import last_words
from tests.faults.crash.door import Passage
from tests.faults.crash.rows import Row, Rows
from tests.faults.crash.side import Asked, is_shown
from tests.faults.crash.town import Town


class Step(IntEnum):
    """Where a question stood when its process was killed. What is said here is looked for afterwards."""

    RECEIVED = 1
    """All bytes of an event of it were written to the program, whose connection then ended with FIN: so they
    had been read (unread ones would have made it a reset). There is no row, and no acknowledgement came."""
    COMMITTED = 2
    """There is a row, not claimed yet; no event of it was acknowledged."""
    ACKNOWLEDGED = 3
    """The event that made the row was acknowledged; the row has never been claimed (fence 0). Of
    messages on Discord nobody is told: there is no step before this."""
    CLAIMED = 4
    """The row says `asking`. No byte of a chat call had reached the assistant's door; no status was shown."""
    STATUS_SHOWN = 5
    """The row says `asking`, its thread shows a status (or typing), and no chat call had reached the
    assistant: at most one was on its way, kept at the door. So the one call that follows is the first."""
    IN_FLIGHT = 6
    """The assistant had the chat call, and no answer is stored: it was thinking, its answer on the way, or
    received and not committed."""
    ANSWERED = 7
    """The answer's parts are stored, none of them is visible in its thread."""
    PART_SENT = 8
    """A part is visible in its thread that is not recorded, and another one is not visible yet."""
    ALL_SENT = 9
    """All parts are visible in its thread, and the row is not settled."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that was left when a process had died."""

    town: Town
    rows: Rows
    life: int
    born_at: datetime
    """When the process that died had been started."""
    acknowledged: frozenset[str]
    """The ids of events that the platform was told of being received."""

    def arrivals(self, asked: Asked) -> Sequence[Passage]:
        """Return the events of a question that went to the dead process."""
        return [
            one for one in self.town.keeper.passages if one.life == self.life and one.tells_of(asked.marker)
        ]

    def visible(self, asked: Asked, row: Row) -> Collection[int]:
        """Return the numbers of the parts of a question's answer that can be seen."""
        return {one.part for one in self.town.side.said(asked) if one.part is not None and is_shown(one, row)}


def scene(town: Town) -> Scene:
    """Look at what is left of a process that has just been killed."""
    assert town.born_at is not None
    return Scene(town, town.rows(), town.keeper.life - 1, town.born_at, town.side.acknowledged())


def step_of(scene: Scene, asked: Asked) -> Step | None:
    """Return the step that is proved for a question; None if it was at none of them, or nothing proves it."""
    row = scene.town.row(scene.rows, asked)
    if row is None:
        arrived = any(one.forwarded and one.broken and not one.unread for one in scene.arrivals(asked))
        return Step.RECEIVED if arrived else None
    if row.is_settled:
        return None
    if row.posted:
        return _while_posting(scene, asked, row)
    if row.state == "asking":
        return _while_asking(scene, asked)
    return _before_asking(scene, asked, row)


def lost_promise(scene: Scene, asked: Asked) -> bool:
    """Tell whether the platform was told "received" of a question that is not on disk."""
    told = scene.acknowledged.intersection(scene.town.side.events(asked))
    return bool(told) and scene.town.row(scene.rows, asked) is None


def was_in_flight(scene: Scene, asked: Asked) -> bool:
    """Tell whether a chat call of it had begun in this life, and no answer is stored."""
    row = scene.town.row(scene.rows, asked)
    stored = row is not None and (row.is_settled or bool(row.posted))
    return not stored and scene.town.calls(asked, scene.born_at) > 0


def _before_asking(scene: Scene, asked: Asked, row: Row) -> Step | None:
    if row.state not in {"accepted", "waiting"} or row.fence > 0:
        return None
    events = scene.town.side.events(asked)
    if not events:
        return Step.ACKNOWLEDGED
    if not scene.acknowledged.intersection(events):
        return Step.COMMITTED if scene.arrivals(asked) else None
    return Step.ACKNOWLEDGED if row.event in scene.acknowledged else None


def _while_asking(scene: Scene, asked: Asked) -> Step | None:
    town = scene.town
    if was_in_flight(scene, asked):
        return Step.IN_FLIGHT
    if _status_shown(scene, asked):
        return Step.STATUS_SHOWN
    left = any(
        one.door == "assistant" and one.life == scene.life and asked.marker in last_words(one)
        for one in town.keeper.passages
    )
    return None if left else Step.CLAIMED


def _status_shown(scene: Scene, asked: Asked) -> bool:
    """Tell whether a status was shown that can only be about this question: no earlier one was unsettled."""
    thread = [one for one in scene.town.questions if one.thread == asked.thread and one is not asked]
    settled = [row.settled_at for one in thread if (row := scene.town.row(scene.rows, one)) is not None]
    since = max([scene.born_at, *(at for at in settled if at is not None)])
    return any(at >= since for at in scene.town.side.statuses(asked))


def _while_posting(scene: Scene, asked: Asked, row: Row) -> Step | None:
    visible = scene.visible(asked, row)
    if not visible:
        return Step.ANSWERED
    if len(visible) == len(row.posted):
        return Step.ALL_SENT
    unrecorded = any(row.posted[number] is None for number in visible)
    return Step.PART_SENT if unrecorded else None
