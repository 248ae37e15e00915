"""What the simulated workspace remembers, as frozen values. No behaviour beyond reading them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = dict[str, Any]
"""Other people's JSON: the one place where `Any` is honest."""


class Kind(StrEnum):
    """What sort of conversation a channel is; the value is Slack's `channel_type`."""

    PUBLIC = "channel"
    PRIVATE = "group"
    DIRECT = "im"

    @property
    def scopes(self) -> str:
        """Return the prefix of the scopes that guard it, as in `channels:history`."""
        return {"channel": "channels", "group": "groups", "im": "im"}[self.value]


@dataclass(frozen=True, slots=True)
class User:
    """A person, or another app's bot."""

    id: str
    name: str
    real_name: str
    display_name: str
    is_admin: bool = False
    is_owner: bool = False
    is_guest: bool = False
    bot_id: str = ""
    """"" for people."""
    app_id: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """A conversation; `members` holds user ids."""

    id: str
    name: str
    kind: Kind
    members: frozenset[str]
    is_archived: bool = False
    is_shared: bool = False
    """True for Slack Connect channels, whose events say `is_ext_shared_channel`."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it reads now (edits replace it)."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: tuple[Json, ...] = ()
    metadata: Json | None = None
    thread_ts: str = ""
    """The root's ts for a reply; "" for a message that is not a reply."""
    subtype: str = ""
    bot_id: str = ""
    app_id: str = ""
    client_msg_id: str = ""
    edited_ts: str = ""
    files: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    """Previews of links, which Slack fetches after the message was sent."""
    reactions: tuple[tuple[str, str], ...] = ()
    """Pairs of emoji name and user id."""

    @property
    def root(self) -> str:
        """Return the ts of the thread this message is in, its own when it starts one."""
        return self.thread_ts or self.ts


@dataclass(frozen=True, slots=True)
class Note:
    """An ephemeral message: seen by one user, never stored in the channel."""

    channel: str
    user: str
    text: str
    blocks: tuple[Json, ...]
    thread_ts: str
    ts: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What an interaction was answered with: by its acknowledgement, or later through its response_url."""

    text: str
    body: Json = field(default_factory=dict)
    in_channel: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A modal as it is shown now."""

    id: str
    user: str
    body: Json
    """What the app sent: type, title, blocks, callback_id, private_metadata."""
    hash: str
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Ping:
    """A live mention in something the app posted: on a real Slack somebody's phone may have buzzed."""

    channel: str
    ts: str
    mention: str


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One Web API call as it was answered."""

    method: str
    arguments: Mapping[str, Any]
    at: datetime
    """When it arrived; the journal itself is in the order of the answers."""
    outcome: str
    """"ok", Slack's error code, "http 429", or "reset"."""


class Transport(StrEnum):
    """How an event travelled."""

    HTTP = "http"
    SOCKET = "socket"
    NONE = "none"
    """Nobody was connected to take it."""


@dataclass(frozen=True, slots=True)
class EventDelivery:
    """One finished attempt to deliver an event."""

    event_id: str
    event_type: str
    attempt: int
    """Counts from 1."""
    retry_num: int
    """What the app was told: 0 at first, then 1, 2, 3."""
    retry_reason: str
    status: int | None
    """The HTTP status (200 for an acknowledged socket envelope); None when nothing came back."""
    at: datetime
    """When the attempt began."""
    acked_after: float | None
    """Seconds to a 2xx or an acknowledgement; None when there was none."""
    transport: Transport
    failure: str = ""
    """Slack's word for what went wrong: http_error, http_timeout, connection_failed; "" if nothing did."""

    @property
    def acked(self) -> bool:
        """Return whether the app took the event."""
        return self.acked_after is not None
