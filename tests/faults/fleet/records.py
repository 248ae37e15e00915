"""What came to pass around a fleet, as others saw it. Times are seconds of one monotonic clock."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bots.demo.changes import Changes

_MARKER = re.compile(r"\bq\d{5}z\b")

Life = str
"""One process: "work-1.3" is the third that the slot work-1 has had."""


def named(text: str) -> Sequence[str]:
    """Return the markers of the questions that a text is about: each answer names its question."""
    return _MARKER.findall(text)


@dataclass(frozen=True, slots=True)
class Workspace:
    """People of one team, how the app is known there, and the API key with which it asks for them."""

    team: str
    bot_id: str
    bot_user: str
    token: str
    key: str
    channels: Sequence[str]


@dataclass(eq=False, slots=True)
class Thread:
    """One person's conversation; `root` is empty until somebody has asked."""

    workspace: Workspace
    channel: str
    user: str
    root: str = ""
    questions: list["Asked"] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Sent:
    """One attempt to bring an event to a process: `life` is empty where none was there to take it."""

    life: Life
    at: float
    ended: float | None = None
    taken: bool = False


@dataclass(eq=False, slots=True)
class Asked:
    """One question, and what Slack did to have it taken in."""

    marker: str
    thread: Thread
    ts: str
    at: float
    sent: list[Sent] = field(default_factory=list)
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    """Acknowledged, or given up by Slack."""
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_acknowledged(self) -> bool:
        """Tell whether some process has said that it has the question."""
        return any(one.taken for one in self.sent)


@dataclass(frozen=True, slots=True)
class Posted:
    """A message of the bot's; `markers`: of the questions it is about."""

    markers: Sequence[str]
    channel: str
    thread: str
    text: str
    life: Life
    at: float


@dataclass(eq=False, slots=True)
class Called:
    """One chat call. `ended`: when it was answered; `pause`: for how many seconds a 429 asked."""

    marker: str
    key: str
    life: Life
    at: float
    ended: float | None = None
    pause: float | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A pause of a key that some process has written down: when, and until when it lasts."""

    key: str
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class Killed:
    """A SIGKILL; or a SIGSTOP, to the others much the same once its leases have passed."""

    life: Life
    at: float


@dataclass(frozen=True, slots=True)
class Away:
    """A time in which the database was not there, or had just come back."""

    since: float
    until: float


@dataclass(eq=False, slots=True)
class Seen:
    """All of it, in the order in which it came to pass."""

    asked: dict[str, Asked] = field(default_factory=dict)
    threads: list[Thread] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    killed: list[Killed] = field(default_factory=list)
    away: list[Away] = field(default_factory=list)
    left: dict[Life, int] = field(default_factory=dict)
    """Exit codes of processes that nobody had killed."""
    methods: dict[str, int] = field(default_factory=dict)
    """How often each of Slack's methods was called."""
    changes: Changes = field(default_factory=Changes)
    """Happens with every post and call, and whatever becomes of processes."""

    def posts(self) -> Mapping[str, Sequence[Posted]]:
        """Return the messages about each question."""
        found: dict[str, list[Posted]] = {}
        for one in self.posted:
            for marker in one.markers:
                found.setdefault(marker, []).append(one)
        return found

    def calls(self) -> Mapping[str, Sequence[Called]]:
        """Return the chat calls for each question."""
        found: dict[str, list[Called]] = {}
        for one in self.called:
            found.setdefault(one.marker, []).append(one)
        return found
