"""What the workspace holds and remembers: people, channels, messages, journals. It sends nothing itself."""

import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from bots.demo.changes import Changes
from bots.demo.slack import wire
from bots.demo.slack.courier import Courier
from bots.demo.slack.faults import Faults
from bots.demo.slack.mentions import live_mentions
from bots.demo.slack.records import (
    ApiCall,
    Channel,
    EventDelivery,
    Json,
    Kind,
    Message,
    Note,
    Ping,
    User,
    View,
)
from core.clock import Clock

Found = TypeVar("Found")

STATUS_LASTS = 120.0
"""Seconds until `assistant.threads.setStatus` clears itself."""

BOT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "groups:history",
        "im:history",
        "mpim:history",
        "channels:read",
        "groups:read",
        "chat:write",
        "commands",
        "reactions:write",
        "users:read",
    }
)
BOT_EVENTS = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
        "agent_session_stopped",
        "app_uninstalled",
        "tokens_revoked",
    }
)


class WorkspaceState:
    """One team, one installed app, everything they said."""

    def __init__(
        self,
        clock: Clock,
        *,
        team: str = "T0DEMO01",
        name: str = "Demo",
        bot_user: str = "U0BOT0001",
        bot_id: str = "B0BOT0001",
        app_id: str = "A0APP0001",
        bot_token: str = "xoxb-demo",  # noqa: S107 - a made-up token of a made-up workspace
        app_token: str = "xapp-demo",  # noqa: S107 - as above
        signing_secret: str = "demo-secret",  # noqa: S107 - as above
    ) -> None:
        self.clock = clock
        self.team, self.name = team, name
        self.bot_user, self.bot_id, self.app_id = bot_user, bot_id, app_id
        self.bot_token, self.app_token, self.signing_secret = bot_token, app_token, signing_secret
        self.scopes: set[str] = set(BOT_SCOPES)
        self.subscriptions: set[str] = set(BOT_EVENTS)
        self.enforce_rates = False
        self.installed = True
        self.faults = Faults()
        self.changes = Changes()
        self.courier: Courier | None = None
        self.users: dict[str, User] = {
            bot_user: User(bot_user, "threadline", "Threadline", "Threadline", bot_id=bot_id, app_id=app_id)
        }
        self.channels: dict[str, Channel] = {}
        self.views: dict[str, View] = {}
        self.calls: list[ApiCall] = []
        self.deliveries: list[EventDelivery] = []
        self.pings: list[Ping] = []
        self.events: dict[str, Json] = {}
        """Every event sent to the app: its envelope by event_id."""
        self.connections = 0
        """How many TCP connections the app has opened."""
        self.triggers: dict[str, tuple[str, float]] = {}
        """trigger_id → the user, and when it was issued (monotonic)."""
        self._messages: dict[str, dict[str, Message]] = {}
        self._threads: dict[tuple[str, str], list[str]] = {}
        self._statuses: dict[tuple[str, str], tuple[str, float]] = {}
        self._notes: list[Note] = []
        self._numbers = itertools.count(1)
        self._last_ts = 0

    # --- who and where -------------------------------------------------------------------------

    def add_user(
        self,
        name: str,
        *,
        admin: bool = False,
        owner: bool = False,
        guest: bool = False,
        bot: bool = False,
        real_name: str = "",
    ) -> str:
        """Add a person, or with `bot=True` another app; return the user id."""
        number = next(self._numbers)
        user = User(
            id=f"U0USER{number:04}",
            name=name,
            real_name=real_name or name.title(),
            display_name=name,
            is_admin=admin or owner,
            is_owner=owner,
            is_guest=guest,
            bot_id=f"B0BOT{number:05}" if bot else "",
            app_id=f"A0OTH{number:05}" if bot else "",
        )
        self.users[user.id] = user
        return user.id

    def add_channel(
        self,
        name: str,
        *,
        member: bool = True,
        archived: bool = False,
        private: bool = False,
        shared: bool = False,
    ) -> str:
        """Add a channel that everybody is in (the bot only if `member`); return its id."""
        members = frozenset(self.users) - (frozenset() if member else {self.bot_user})
        number = next(self._numbers)
        kind = Kind.PRIVATE if private else Kind.PUBLIC
        channel = Channel(f"C0CHAN{number:04}", name, kind, members, is_archived=archived, is_shared=shared)
        self.channels[channel.id] = channel
        return channel.id

    def archive(self, channel: str) -> None:
        """Archive a channel: nobody can post in it from now on."""
        self.channels[channel] = replace(self.channels[channel], is_archived=True)
        self.changes.happened()

    def direct_channel(self, user: str) -> str:
        """Return the id of the bot's direct conversation with a user, opening it if need be."""
        channel = "D" + user[1:]
        if channel not in self.channels:
            self.channels[channel] = Channel(channel, user, Kind.DIRECT, frozenset({user, self.bot_user}))
        return channel

    # --- messages ------------------------------------------------------------------------------

    def new_ts(self) -> str:
        """Return a timestamp no message has, from the clock."""
        micros = int(self.clock.now().timestamp() * 1_000_000)
        self._last_ts = max(micros, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06}"

    def new_id(self, prefix: str) -> str:
        """Return an id no other thing has."""
        return f"{prefix}{uuid.uuid4().hex[:12].upper()}"

    def message(self, channel: str, ts: str) -> Message | None:
        """Return one message as it reads now; None if there is none."""
        return self._messages.get(channel, {}).get(ts)

    def roots(self, channel: str) -> tuple[Message, ...]:
        """Return the messages that are not replies, oldest first."""
        return tuple(m for m in self._messages.get(channel, {}).values() if not m.thread_ts)

    def thread(self, channel: str, ts: str) -> tuple[Message, ...]:
        """Return the thread's messages in order, its root first."""
        stored = self._messages.get(channel, {})
        found = (stored.get(at) for at in (ts, *self._threads.get((channel, ts), ())))
        return tuple(message for message in found if message is not None)

    def keep(self, message: Message) -> None:
        """Store a new message, or a new state of one."""
        stored = self._messages.setdefault(message.channel, {})
        if message.thread_ts and message.ts not in stored:
            self._threads.setdefault((message.channel, message.thread_ts), []).append(message.ts)
        stored[message.ts] = message
        self.changes.happened()

    def forget(self, message: Message) -> None:
        """Remove a message for good."""
        self._messages[message.channel].pop(message.ts, None)
        siblings = self._threads.get((message.channel, message.thread_ts), [])
        if message.ts in siblings:
            siblings.remove(message.ts)
        self.changes.happened()

    def draw(self, message: Message) -> Json:
        """Return the message's JSON."""
        return wire.message_json(message, self.team)

    def add_note(self, note: Note) -> None:
        """Show an ephemeral message."""
        self._notes.append(note)
        self.changes.happened()

    def ephemerals(self, user: str) -> tuple[Note, ...]:
        """Return the ephemeral messages the user saw, oldest first."""
        return tuple(note for note in self._notes if note.user == user)

    def note_pings(self, message: Message) -> None:
        """Remember every live mention in something the app posted."""
        mentions = live_mentions(message.text, message.blocks)
        self.pings.extend(Ping(message.channel, message.ts, mention) for mention in mentions)

    # --- statuses ------------------------------------------------------------------------------

    def set_status(self, channel: str, ts: str, status: str) -> None:
        """Show a status under a thread; "" takes it away."""
        self._statuses[channel, ts] = (status, self.clock.monotonic())
        self.changes.happened()

    def status(self, channel: str, ts: str) -> str:
        """Return the status shown under a thread, "" for none; it clears itself after two minutes."""
        status, since = self._statuses.get((channel, ts), ("", 0.0))
        return status if self.clock.monotonic() - since < STATUS_LASTS else ""

    # --- what happens --------------------------------------------------------------------------

    async def until(self, predicate: Callable[[], Found | None]) -> Found:
        """Return the predicate's first truthy answer, asked now and after every change."""
        return await self.changes.until(predicate)

    def new_trigger(self, user: str) -> str:
        """Return a trigger_id with which the app may open one view within 3 seconds."""
        trigger = f"{uuid.uuid4().int % 10**13}.{uuid.uuid4().int % 10**13}.{uuid.uuid4().hex}"
        self.triggers[trigger] = (user, self.clock.monotonic())
        return trigger

    def publish(self, event: Mapping[str, Any], channel: str = "") -> str:
        """Send an event the app subscribed to; return its event_id, "" if nobody asked for it."""
        where = self.channels.get(channel)
        if not self._subscribed(event["type"], where) or not self.installed:
            return ""
        event_id = self.new_id("Ev")
        envelope = wire.event_json(
            event,
            event_id=event_id,
            event_time=int(self.clock.now().timestamp()),
            team=self.team,
            app_id=self.app_id,
            bot_user=self.bot_user,
            is_shared=where is not None and where.is_shared,
        )
        self.events[event_id] = envelope
        if self.courier is not None:
            self.courier.send(envelope)
        self.changes.happened()
        return event_id

    def _subscribed(self, event_type: str, where: Channel | None) -> bool:
        if where is not None and self.bot_user not in where.members:
            return False
        names = {Kind.PUBLIC: "channels", Kind.PRIVATE: "groups", Kind.DIRECT: "im"}
        if event_type == "message" and where is not None:
            return f"message.{names[where.kind]}" in self.subscriptions
        return event_type in self.subscriptions
