"""What the simulated Discord holds and remembers: people, places, messages, journals. It asks nobody."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from bots.demo.changes import Changes
from bots.demo.discord.faults import Fault
from bots.demo.discord.interaction import Interaction
from bots.demo.discord.permissions import BITS, DIRECT, within
from bots.demo.discord.rates import Rates
from bots.demo.discord.records import (
    Announcement,
    Announces,
    ApiCall,
    Channel,
    ChannelKind,
    Guild,
    Json,
    Message,
    Ping,
    User,
)
from bots.demo.discord.snowflakes import Snowflakes
from bots.demo.faults import Faults
from core.clock import Clock

Found = TypeVar("Found")

TYPING_LASTS = 10.0
"""Seconds until a typing indicator goes away by itself."""


class DiscordState:
    """One application, its bot, and every guild and conversation it can meet."""

    def __init__(
        self,
        clock: Clock,
        *,
        token: str = "demo.discord.token",  # noqa: S107 - a made-up token of a made-up bot
        name: str = "Threadline",
    ) -> None:
        self.clock = clock
        self.token = token
        self.snowflakes = Snowflakes(clock)
        self.application_id = self.bot_user = self.snowflakes.new()
        self.owner = self.snowflakes.new()
        """Who registered the application."""
        self.granted_intents: set[str] = set()
        """Privileged intents of the application; may hold "message_content"."""
        self.is_public = False
        """Whether anybody may add the bot to a server."""
        self.expired_as = 50027
        """The code a dead interaction token is refused with: 50027 (401), or 10015 or 10062 (404)."""
        self.most_active_threads = 1000
        """How many threads of a guild may be open at once, after which 160006."""
        self.faults: Faults[Fault] = Faults()
        self.rates = Rates(clock)
        self.changes = Changes()
        self.gateway: Announces | None = None
        self.users: dict[str, User] = {
            self.bot_user: User(self.bot_user, name, bot=True),
            self.owner: User(self.owner, "owner"),
        }
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.commands: list[Json] = []
        """The application's global commands, as Discord shows them."""
        self.interactions: dict[str, Interaction] = {}
        """Every interaction by its token."""
        self.calls: list[ApiCall] = []
        self.events: list[Announcement] = []
        self.pings: list[Ping] = []
        self._messages: dict[str, Message] = {}
        self._spoken: dict[str, list[str]] = {}
        self._typing: dict[str, float] = {}

    # --- channels ------------------------------------------------------------------------------

    def keep_channel(self, channel: Channel) -> Channel:
        """Store a new channel, or a new state of one."""
        self.channels[channel.id] = channel
        self.changes.happened()
        return channel

    def threads(self, channel: str) -> list[Channel]:
        """Return the threads below a channel, oldest first."""
        return [thread for thread in self.channels.values() if thread.parent == channel]

    def open_dm(self, user: str) -> str:
        """Return the id of the bot's direct conversation with a user, opening it if need be."""
        for channel in self.channels.values():
            if channel.recipient == user:
                return channel.id
        channel = Channel(self.snowflakes.new(), ChannelKind.DM, "", self.clock.now(), recipient=user)
        return self.keep_channel(channel).id

    def permissions(self, channel: str, user: str) -> int:
        """Return a user's permission bits in a channel, direct conversation or thread."""
        place = self.channels[channel]
        if not place.guild:
            return DIRECT if user in {place.recipient, self.bot_user} else 0
        parent = self.channels[place.parent] if place.parent else place
        return within(self.guilds[place.guild], parent, user)

    def may(self, channel: str, permission: str, user: str = "") -> bool:
        """Return whether a user (the bot by default) has a permission there."""
        return bool(self.permissions(channel, user or self.bot_user) & BITS[permission])

    def start_typing(self, channel: str) -> None:
        """Show that the bot is typing."""
        self._typing[channel] = self.clock.monotonic()
        self.changes.happened()

    def typing(self, channel: str) -> bool:
        """Return whether the bot seems to type: for ten seconds, or until it posts there."""
        return self.clock.monotonic() - self._typing.get(channel, float("-inf")) < TYPING_LASTS

    # --- messages ------------------------------------------------------------------------------

    def keep(self, message: Message) -> Message:
        """Store a new message, or a new state of one; ephemeral ones never enter the channel's history."""
        if message.id not in self._messages and not message.seen_by:
            self._spoken.setdefault(message.channel, []).append(message.id)
            if message.author == self.bot_user:
                self._typing.pop(message.channel, None)
        self._messages[message.id] = message
        self.changes.happened()
        return message

    def forget(self, message: str) -> None:
        """Remove a message for good."""
        gone = self._messages.pop(message)
        if not gone.seen_by:
            self._spoken[gone.channel].remove(message)
        self.changes.happened()

    def message(self, message: str) -> Message | None:
        """Return one message as it reads now, ephemeral or not; None if there is none."""
        return self._messages.get(message)

    def messages(self, channel: str) -> list[Message]:
        """Return what everybody sees in a channel, oldest first."""
        return [self._messages[message] for message in self._spoken.get(channel, ())]

    def ephemerals(self, user: str) -> list[Message]:
        """Return the ephemeral messages a user sees, oldest first."""
        return [message for message in self._messages.values() if message.seen_by == user]

    def forget_messages(self, channel: str) -> None:
        """Remove everything that was said in a channel."""
        for message in [message.id for message in self._messages.values() if message.channel == channel]:
            self.forget(message)

    # --- what happens --------------------------------------------------------------------------

    def announce(self, event: str, data: Json, guild: str | None, intent: str) -> None:
        """Remember an event and hand it to the gateway, if one runs."""
        self.events.append(Announcement(event, data, guild, intent))
        if self.gateway is not None:
            self.gateway.announce(event, data, guild=guild, intent=intent)
        self.changes.happened()

    async def until(self, predicate: Callable[[], Found | None], seconds: float = 30) -> Found:
        """Return the predicate's first truthy answer, asked now and after every change.

        Raises TimeoutError when there is none within so many seconds of real time.
        """
        async with asyncio.timeout(seconds):
            return await self.changes.until(predicate)

    def calls_of(self, route: str) -> list[ApiCall]:
        """Return the calls of a route, such as "GET /users/{user}", in the order of their answers."""
        return [call for call in self.calls if call.route == route]

    def known(self, users: Iterable[str]) -> tuple[str, ...]:
        """Return those of the ids that are users, each once, in order."""
        return tuple(dict.fromkeys(user for user in users if user in self.users))
