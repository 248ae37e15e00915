"""Where conversations are on Discord, and by which marks our messages are known again. Makes no calls."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from zlib import crc32

import discord

from core.model import AnswerPart, DeliveryId, Notice, Platform, ThreadKey, WorkspaceId

DISCORD = Platform("discord")
#: Direct messages belong to no guild; Discord's own addresses call their place so.
DIRECT = WorkspaceId("@me")

_MARK = re.compile(
    r"ask:(?P<channel>\d{1,20}):(?P<thread>[@~!]?\d{1,20}):(?P<delivery>[0-9a-z]{1,20})(?::(?P<guild>\d{1,20}))?"
)


class Kind(Enum):
    """How a conversation is shown, by the first character of its thread's key."""

    OPEN = ""  #: in a thread, or in direct messages; a thread has the id of the message it hangs on
    BEGUN = "@"  #: by an interaction, whose message is not known yet: in the channel, until a thread is open
    PRIVATE = "~"  #: by an interaction, for one person alone; never in a channel
    CLOSED = "!"  #: in a private thread: never in its channel


@dataclass(frozen=True, slots=True)
class Spot:
    """A thread key, read: `id` is a thread's, a direct channel's or an interaction's."""

    kind: Kind
    id: int
    channel: int

    @property
    def is_direct(self) -> bool:
        """Whether it is the standing conversation in somebody's direct messages."""
        return self.id == self.channel


def spot(thread: ThreadKey) -> Spot:
    """Read a thread key of ours."""
    mark = thread.thread[:1]
    kind = Kind(mark) if mark in {"@", "~", "!"} else Kind.OPEN
    return Spot(kind, int(thread.thread.lstrip("@~!")), int(thread.channel))


def thread_key(workspace: WorkspaceId, channel: int, place: int, kind: Kind = Kind.OPEN) -> ThreadKey:
    """Return the key of a conversation; `place` is what `Spot.id` says."""
    return ThreadKey(DISCORD, workspace, str(channel), f"{kind.value}{place}")


def workspace(guild: int | None) -> WorkspaceId:
    """Return the workspace of a guild's id, None for direct messages."""
    return DIRECT if guild is None else WorkspaceId(str(guild))


def nonce(delivery: DeliveryId, piece: AnswerPart | Notice) -> str:
    """Return what Discord knows a repeated post by: at most 25 characters, the same each time."""
    mark = f"n{crc32(piece.reason.value.encode()) % 1000}" if isinstance(piece, Notice) else str(piece.number)
    return f"{delivery}-{mark}"


def queued_nonce(delivery: DeliveryId, at: datetime) -> str:
    """Return the nonce of the message that tells of a wait until `at`."""
    return f"{delivery}-q{int(at.timestamp()) % 1000}"


@dataclass(frozen=True, slots=True)
class Mark:
    """What the button under an answer says: whose answer it is, and which conversation goes on by it."""

    channel: str
    thread: str
    delivery: DeliveryId
    guild: str = ""  #: only of a private one, whose answers may be seen in direct messages

    @property
    def custom_id(self) -> str:
        """As the button carries it (Discord: at most 100 characters)."""
        return f"ask:{self.channel}:{self.thread}:{self.delivery}" + (f":{self.guild}" if self.guild else "")

    def key(self, where: WorkspaceId) -> ThreadKey:
        """Return the conversation, in the workspace in which the button was seen: no other can be named,
        but in direct messages that of a private conversation."""
        private = where == DIRECT and self.thread.startswith(Kind.PRIVATE.value)
        there = WorkspaceId(self.guild) if private and self.guild else where
        return ThreadKey(DISCORD, there, self.channel, self.thread)


#: What a button's custom_id looks like, for discord.py's dynamic items.
TEMPLATE = _MARK


def mark(thread: ThreadKey, delivery: DeliveryId) -> Mark:
    """Return the mark of an answer."""
    private = spot(thread).kind is Kind.PRIVATE and thread.workspace != DIRECT
    return Mark(thread.channel, thread.thread, delivery, thread.workspace if private else "")


def read_mark(custom_id: str) -> Mark | None:
    """Read a button's custom_id; None if it is not one of ours."""
    found = _MARK.fullmatch(custom_id)
    if found is None:
        return None
    return Mark(found["channel"], found["thread"], DeliveryId(found["delivery"]), found["guild"] or "")


def marks(message: discord.Message) -> list[Mark]:
    """Return the marks on a message; those of strangers mean nothing, so look at the author, too."""
    rows = (row for row in message.components if isinstance(row, discord.ActionRow))
    ids = (item.custom_id for row in rows for item in row.children if isinstance(item, discord.Button))
    return [found for found in map(read_mark, filter(None, ids)) if found is not None]


def moved(thread: ThreadKey, to: int) -> ThreadKey:
    """Return the key of a conversation that goes on in a thread opened for it."""
    return replace(thread, thread=str(to))
