"""What was written, edited, deleted and stopped, as the platforms know it: the measure of all else."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.model import (
    AuthorId,
    DeliveryId,
    EventId,
    MessageId,
    Outcome,
    Platform,
    Question,
    ThreadKey,
    WorkspaceId,
)

_TOKEN = re.compile(r"\bq(\d+)v\d+\b")


def told_of(text: str) -> set[int]:
    """Return the numbers of the questions that a text comes from."""
    return {int(number) for number in _TOKEN.findall(text)}


@dataclass(eq=False)
class Asked:
    """A message that somebody wrote, and what has become of it as far as people know."""

    number: int
    thread: ThreadKey
    author: AuthorId
    asked_at: datetime
    text: str
    addressed: bool
    allowed: set[str] = field(default_factory=set)  #: texts that may be sent now
    version: int = 0
    outcome: Outcome | None = None
    turn: int = 0  #: when it was accepted
    gone: bool = False  #: deleted, and we have said that it is
    emptied: bool = False
    stopped: bool = False
    purged: bool = False
    revived: bool = False
    vouched: bool = False  #: a human has said that it is posted
    fetched: bool = False
    delivery: DeliveryId | None = None

    @property
    def is_owed(self) -> bool:
        return self.outcome in {Outcome.ACCEPTED, Outcome.UNLINKED, Outcome.STOPPED} and not self.purged

    def question(self, *, event: int = 1) -> Question:
        """Return it as an adapter offers it: by one of its events."""
        return Question(
            event=EventId(f"e{self.number}.{event}"),
            message=MessageId(f"m{self.number}"),
            thread=self.thread,
            author=self.author,
            text=self.text,
            asked_at=self.asked_at,
            addressed=self.addressed,
            begins=True,
        )

    def rewritten(self) -> str:
        """Return its next text."""
        self.version += 1
        return f"q{self.number}v{self.version}"

    def __repr__(self) -> str:
        return f"q{self.number}"


class Ledger:
    """All that was written, oldest first."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.turn = 0

    def write(
        self, thread: ThreadKey, author: AuthorId, at: datetime, *, addressed: bool, text: str | None = None
    ) -> Asked:
        """Note a new message. Its time is its own: no two are written in the same microsecond."""
        number = len(self.asked)
        written, taken = at + timedelta(microseconds=number), {one.asked_at for one in self.asked}
        while written in taken:
            written += timedelta(microseconds=1)
        said = f"q{number}v0" if text is None else text
        one = Asked(number, thread, author, written, said, addressed, {said})
        self.asked.append(one)
        return one

    def of(self, asked_at: datetime) -> Asked:
        """Return the message of a delivery, which knows its time."""
        return next(one for one in self.asked if one.asked_at == asked_at)

    def owed(self) -> Sequence[Asked]:
        return [one for one in self.asked if one.is_owed]

    def here(self, platform: Platform, workspace: WorkspaceId) -> Iterator[Asked]:
        for one in self.asked:
            if (one.thread.platform, one.thread.workspace) == (platform, workspace):
                yield one

    def pick(self, which: int) -> Asked | None:
        """Return some message, the newest for 0: what is under way is the newest mostly."""
        return self.asked[-1 - which % len(self.asked)] if self.asked else None
