"""What the workspace holds and remembers: people, channels, messages, journals. It sends nothing itself."""

import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from bots.demo.faults import Faults
from bots.demo.slack import wire
from bots.demo.slack.courier import Courier
from bots.demo.slack.faults import Fault
from bots.demo.slack.records import (
    ApiCall,
    Channel,
    EventDelivery,
    Json,
    Kind,
    Message,
    User,
    View,
)
from bots.demo.slack.spoken import Spoken
from core.clock import Clock

Found = TypeVar("Found")

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
        "team_access_revoked",
        "tokens_revoked",
    }
)


class WorkspaceState(Spoken):
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
        enterprise: str = "",
        installed: bool = True,
        first_number: int = 1,
    ) -> None:
        """`enterprise`: the organisation it belongs to, E…; ids count from `first_number`."""
        super().__init__(clock)
        self.team, self.name, self.enterprise = team, name, enterprise
        self.bot_user, self.bot_id, self.app_id = bot_user, bot_id, app_id
        self.bot_token, self.app_token, self.signing_secret = bot_token, app_token, signing_secret
        self.scopes: set[str] = set(BOT_SCOPES)
        self.subscriptions: set[str] = set(BOT_EVENTS)
        self.enforce_rates = False
        self.installed = installed
        self.is_enterprise_install = False
        """Whether it is the organisation that has installed the app, for all of its workspaces."""
        self.faults: Faults[Fault] = Faults()
        self.courier: Courier | None = None
        self.users: dict[str, User] = {
            bot_user: User(bot_user, "threadline", "Threadline", "Threadline", bot_id=bot_id, app_id=app_id)
        }
        self.channels: dict[str, Channel] = {}
        self.views: dict[str, View] = {}
        self.calls: list[ApiCall] = []
        self.deliveries: list[EventDelivery] = []
        self.events: dict[str, Json] = {}
        """Every event sent to the app: its envelope by event_id."""
        self.connections = 0
        """How many TCP connections the app has opened."""
        self.triggers: dict[str, tuple[str, float]] = {}
        """trigger_id → the user, and when it was issued (monotonic)."""
        self._numbers = itertools.count(first_number)
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

    def draw(self, message: Message) -> Json:
        """Return the message's JSON."""
        return wire.message_json(message, self.team)

    def install(self, token: str, scopes: str, *, is_enterprise_install: bool) -> None:
        """Have the app, with a new token: an older one is refused from now on."""
        self.bot_token, self.scopes = token, set(scopes.split(","))
        self.installed, self.is_enterprise_install = True, is_enterprise_install
        self.changes.happened()

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
            enterprise=self.enterprise,
            is_enterprise_install=self.is_enterprise_install,
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
