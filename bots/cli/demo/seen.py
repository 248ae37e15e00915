"""What people see of a chat, and do there, whichever platform it is on. Values and Protocols only."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from rich.console import RenderableType

Found = TypeVar("Found")


class Misunderstood(Exception):
    """What somebody wants to do cannot be done; the message says why, and what could be."""


class Chat(StrEnum):
    """A platform, by its name."""

    SLACK = "Slack"
    DISCORD = "Discord"


@dataclass(frozen=True, slots=True)
class Spot:
    """A channel or, with `thread`, a thread in it, which has the id of the message it hangs on."""

    chat: Chat
    channel: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it reads now. `only` names the one person who sees it, and is empty for everybody."""

    spot: Spot
    id: str
    at: datetime
    who: str
    words: str  #: as they were sent, marks and all
    draw: Callable[[], RenderableType] = field(compare=False)  #: a Text stands beside its author's name
    conversation: Spot  #: the one that goes on, or could begin, by it
    is_app: bool = False
    only: str = ""
    buttons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """What is shown in a conversation while the app works, after the app's name."""

    spot: Spot
    words: str


class Window(Protocol):
    """One platform, as all its people together see it."""

    def said(self) -> Iterator[Said]:
        """Yield all that can be read now: in each channel in order, a thread after what it hangs on."""
        ...

    def status(self, conversation: Spot) -> str:
        """Return what is shown there while the app works, empty for nothing."""
        ...

    def where(self, channel: str) -> str:
        """Return a channel's name as people write it; a direct conversation is named after the app."""
        ...

    async def until(self, holds: Callable[[], Found | None]) -> Found:
        """Return its first truthy answer, asked now and after every change on this platform."""
        ...


class Ways(Protocol):
    """What people do on one platform. They go by their names; each deed raises Misunderstood."""

    @property
    def channels(self) -> Mapping[str, Spot]:
        """Return the channels by name."""
        ...

    async def say(self, who: str, spot: Spot, text: str) -> str:
        """Write something, in which @name is a mention; return the message's id."""
        ...

    async def slash(self, who: str, spot: Spot, line: str) -> None:
        """Use a slash command as it is typed."""
        ...

    async def ask_about(self, who: str, conversation: Spot, question: str) -> None:
        """Choose “Ask about this message” for what began a conversation, and fill in the form."""
        ...

    async def ask_more(self, who: str, spot: Spot, question: str) -> None:
        """Press the button under the newest answer there that `who` can see, and fill in the form."""
        ...

    async def edit(self, message: Said, text: str) -> None:
        """Have somebody's message read otherwise."""
        ...

    async def press(self, who: str, message: Said, label: str) -> None:
        """Press a button below a message."""
        ...

    async def set_key(self, who: str, spot: Spot, key: str) -> str:
        """Fill in the form of `/threadline account` with a key; return what the form itself says then."""
        ...

    def direct(self, who: str) -> tuple[Spot, str]:
        """Return where somebody writes to the app alone, and a sentence on what is different there."""
        ...


@dataclass(frozen=True, slots=True)
class Side:
    """One platform: what is seen of it and what is done there."""

    window: Window
    ways: Ways
