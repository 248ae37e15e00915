"""What the simulated Discord remembers, as values. No behaviour beyond reading them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, IntFlag
from typing import Any, Protocol

Json = dict[str, Any]
"""Other people's JSON: the one place where `Any` is honest."""


class ChannelKind(IntEnum):
    """What sort of channel it is; the value is Discord's `type`."""

    TEXT = 0
    DM = 1
    ANNOUNCEMENT = 5
    ANNOUNCEMENT_THREAD = 10
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15

    @property
    def is_thread(self) -> bool:
        """Return whether it hangs below another channel."""
        return self in {self.ANNOUNCEMENT_THREAD, self.PUBLIC_THREAD, self.PRIVATE_THREAD}


class MessageKind(IntEnum):
    """What sort of message it is; the value is Discord's `type`."""

    DEFAULT = 0
    THREAD_CREATED = 18
    REPLY = 19
    SLASH_COMMAND = 20
    THREAD_STARTER = 21
    MENU_COMMAND = 23


class Flags(IntFlag):
    """A message's flags, as far as the simulation knows them."""

    NONE = 0
    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


@dataclass(frozen=True, slots=True)
class User:
    """A person, or a bot (ours or another)."""

    id: str
    name: str
    bot: bool = False
    refuses_dms: bool = False
    locale: str = "en-US"


@dataclass(frozen=True, slots=True)
class Role:
    """A role of a guild; `permissions` are Discord's bits."""

    id: str
    name: str
    permissions: int
    managed_by: str = ""
    """The bot's user id for the role that Discord made for it, "" otherwise."""
    mentionable: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A user in a guild."""

    user: str
    joined_at: datetime
    roles: tuple[str, ...] = ()


@dataclass(slots=True)
class Guild:
    """A server: its roles and members by id."""

    id: str
    name: str
    owner: str
    joined_at: datetime
    roles: dict[str, Role] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    locale: str = "en-US"


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows and denies one member, beside their roles."""

    allow: int = 0
    deny: int = 0


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, direct conversation or thread as it is now (changes replace it)."""

    id: str
    kind: ChannelKind
    name: str
    created_at: datetime
    guild: str = ""
    """"" for a direct conversation."""
    parent: str = ""
    """The channel a thread hangs below, "" otherwise."""
    owner: str = ""
    """Who opened the thread."""
    recipient: str = ""
    """The person at the other end of a direct conversation."""
    overwrites: Mapping[str, Overwrite] = field(default_factory=dict)
    topic: str = ""
    members: frozenset[str] = frozenset()
    """Who joined a thread."""
    archived: bool = False
    locked: bool = False
    archive_minutes: int = 1440
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it reads now (edits replace it)."""

    id: str
    channel: str
    author: str
    content: str
    sent_at: datetime
    kind: MessageKind = MessageKind.DEFAULT
    flags: Flags = Flags.NONE
    embeds: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    mentions: tuple[str, ...] = ()
    """Users it pinged (or would ping): what allowed_mentions let through."""
    mention_roles: tuple[str, ...] = ()
    mention_everyone: bool = False
    reply_to: str = ""
    """The id of the message it answers or starts from, "" for none."""
    reply_channel: str = ""
    nonce: str | int | None = None
    edited_at: datetime | None = None
    interaction: Json | None = None
    """`interaction_metadata` of an interaction's response or follow-up."""
    webhook: str = ""
    """The application's id for what came through an interaction's token."""
    seen_by: str = ""
    """The only person who sees it, for an ephemeral message."""
    reactions: tuple[tuple[str, str], ...] = ()
    """Pairs of emoji and user id."""

    @property
    def is_loading(self) -> bool:
        """Return whether it still says that the app is thinking."""
        return bool(self.flags & Flags.LOADING)

    @property
    def ephemeral(self) -> bool:
        """Return whether one person alone sees it."""
        return bool(self.flags & Flags.EPHEMERAL)


@dataclass(frozen=True, slots=True)
class Ping:
    """A live mention in something the app newly posted: somebody's phone may have buzzed."""

    channel: str
    message: str
    mention: str
    """A user's or role's id, or "everyone"."""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One REST call as it was answered."""

    method: str
    route: str
    """The method and path template, such as "POST /channels/{channel}/messages"."""
    ids: Mapping[str, str]
    json: Any
    query: Mapping[str, str]
    files: Mapping[str, bytes]
    """What was uploaded, by file name."""
    status: int
    """The HTTP status; 0 when the connection was cut instead."""
    code: int
    """Discord's code of a refusal, 0 for none."""
    at: datetime
    """When it arrived; the journal itself is in the order of the answers."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One event as the world announced it, whether or not a session took it."""

    event: str
    data: Json
    guild: str | None
    intent: str
    """The lower-case intent it belongs to, "" for events that always arrive."""


class Announces(Protocol):
    """Carries events to the app's sessions; the gateway is one."""

    def announce(self, event: str, data: Json, *, guild: str | None, intent: str) -> None:
        """Send an event to every session that asked for its intent."""
        ...
