"""A platform as its people see it, in one form for both: what is asked there, and what can be seen of it."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bots.demo.changes import Changes
from core.clock import SystemClock
from tests.faults.crash.door import Gatekeeper, Keep, Passage
from tests.faults.crash.rows import Row


class HurriedClock(SystemClock):
    """The machine's clocks; but long sleeps, such as those between Slack's retries, end when told to."""

    def __init__(self) -> None:
        super().__init__()
        self._sleeping: set[asyncio.Event] = set()

    async def sleep(self, seconds: float) -> None:
        """Sleep; half a minute and more until `hurry`."""
        if seconds < 30:
            await super().sleep(seconds)
            return
        waking = asyncio.Event()
        self._sleeping.add(waking)
        try:
            await waking.wait()
        finally:
            self._sleeping.discard(waking)

    def hurry(self) -> None:
        """Wake all long sleepers."""
        for waking in self._sleeping:
            waking.set()


@dataclass(eq=False, slots=True)
class Asked:
    """A question of somebody's on a platform, and what must not happen to it."""

    marker: str
    """A word no other question has; it stands in every paragraph of its answer."""
    parts: int
    """How many messages its answer is meant to fill."""
    opening: "Asked | None" = None
    """The question whose thread it is asked in; None for one that begins its own."""
    user: str = ""
    channel: str = ""
    message: str = ""
    thread: str = ""
    thinking: asyncio.Event | None = None
    """If there is one, the assistant thinks until it is set."""
    flights: int = 0
    """How many kills have cut off a chat call of it."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the program's. `part` is the number of an answer's part, None for anything else."""

    text: str
    delivery: str
    part: int | None


class Side(Protocol):
    """A simulated platform behind its doors."""

    paragraph: int
    """Characters of a paragraph of which ten fill a message."""
    acknowledges: bool
    """Whether the platform is told that a question was received."""
    goes_on: bool
    """Whether many go on in a thread of others: not where their names are looked up one by one."""

    @property
    def changes(self) -> Changes:
        """Return what tells of every change on the platform."""
        ...

    @property
    def clock(self) -> HurriedClock:
        """Return the platform's clock."""
        ...

    async def open(self, keeper: Gatekeeper, port: int) -> None:
        """Start the servers and the doors; the program will listen on that port."""
        ...

    async def close(self) -> None:
        """Stop them."""
        ...

    def environment(self) -> dict[str, str]:
        """Return what the program has to know of this platform."""
        ...

    async def say(self, asked: Asked, place: int) -> None:
        """Have somebody new ask it, in the thread it belongs to or else in one of the channels.

        A thread that is not there takes nobody's words: then it begins its own.
        """
        ...

    async def says(self, asked: Asked, text: str) -> None:
        """Say something in a question's thread, as the program would."""
        ...

    def said(self, thread: Asked) -> Sequence[Said]:
        """Return what the program has said in a question's thread, in order."""
        ...

    def misplaced(self, questions: Sequence[Asked]) -> Sequence[Said]:
        """Return what the program has said in no thread of these: to a channel, or to one person alone."""
        ...

    def events(self, asked: Asked) -> Collection[str]:
        """Return the ids of the events by which the program hears of a question, where they are told."""
        ...

    def keep_acknowledgement(self, asked: Asked) -> Keep | None:
        """Return what keeps it from the platform that a question was received."""
        ...

    def turned_away(self, asked: Asked) -> bool:
        """Tell whether its author was told that it was not received."""
        ...

    def acknowledged(self) -> frozenset[str]:
        """Return the ids of all events that the platform was told of being received."""
        ...

    def statuses(self, asked: Asked) -> Sequence[datetime]:
        """Return when it was shown in a question's thread that it is worked on."""
        ...

    def shows_status(self, asked: Asked) -> bool:
        """Tell whether that is shown now, with nothing to end it soon."""
        ...

    def is_first_look(self, passage: Passage) -> bool:
        """Tell whether a program that makes this call has begun to listen: it looks for what it missed."""
        ...

    def looks_up(self, passage: Passage, asked: Asked) -> bool:
        """Tell whether this call asks for the name of a question's author."""
        ...

    def part_of(self, passage: Passage) -> int | None:
        """Return the number of the part that this call posts, None for any other call."""
        ...


def is_shown(said: Said, row: Row) -> bool:
    """Tell whether a message is a part of a row's answer."""
    return said.part is not None and said.delivery == row.id
