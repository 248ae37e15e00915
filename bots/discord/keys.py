"""Where conversations are on Discord, and what Discord knows our posts by. Makes no calls."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from zlib import crc32

from core.model import AnswerPart, DeliveryId, Notice, Platform, ThreadKey, WorkspaceId

DISCORD = Platform("discord")
#: Direct messages belong to no guild; Discord's own addresses call their place so.
DIRECT = WorkspaceId("@me")


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


def moved(thread: ThreadKey, to: int) -> ThreadKey:
    """Return the key of a conversation that goes on in a thread opened for it."""
    return replace(thread, thread=str(to))


def is_dealt(here: WorkspaceId, shard: int | None, count: int | None) -> bool:
    """Tell whether a shard hears of a workspace (topics/gateway, "Sharding"); with no shards, we do."""
    if shard is None or count is None:
        return True
    return shard == (0 if here == DIRECT else (int(here) >> 22) % count)
