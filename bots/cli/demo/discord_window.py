"""A simulated Discord server, read as what its people see. It changes nothing."""

from collections.abc import Callable, Iterator

from rich.console import RenderableType
from rich.text import Text

from bots.cli.demo.discord_words import DiscordWords
from bots.cli.demo.seen import Chat, Found, Said, Spot
from bots.demo.discord import DiscordWorld, Message, MessageKind

_NOTES = frozenset({MessageKind.THREAD_CREATED, MessageKind.THREAD_STARTER})
_BUTTON, _LINK = 2, 5  # developers/components/reference


class DiscordWindow:
    """The `Window` of a world, which has one server."""

    def __init__(self, world: DiscordWorld) -> None:
        self._world = world
        self._words = DiscordWords(self._mentioned, world.clock.now)

    def said(self) -> Iterator[Said]:
        """Yield messages, then what one person alone was told; not yet what is still "thinking" for all."""
        for place in tuple(self._world.channels.values()):
            if not place.parent:
                for message in self._readable(place.id):
                    yield self._said(message)
                    yield from map(self._said, self._readable(message.id))
        for user in self._world.users:
            yield from map(self._said, self._world.ephemerals(user))

    def status(self, conversation: Spot) -> str:
        """Return whether the app types there."""
        return "is typing…" if self._world.typing(conversation.thread or conversation.channel) else ""

    def where(self, channel: str) -> str:
        """Return a channel's name."""
        place = self._world.channels[channel]
        return f"#{place.name}" if place.guild else "@Threadline"

    async def until(self, holds: Callable[[], Found | None]) -> Found:
        """Wait."""
        return await self._world.changes.until(holds)

    def _readable(self, channel: str) -> Iterator[Message]:
        for message in self._world.messages(channel):
            if message.kind not in _NOTES and not message.is_loading:
                yield message

    def _said(self, message: Message) -> Said:
        spot = self._spot(message)
        return Said(
            spot,
            message.id,
            message.edited_at or message.sent_at,
            self._world.users[message.author].name,
            message.content,
            lambda: self._drawn(message),
            conversation=self._conversation(spot, message),
            is_app=message.author == self._world.bot_user,
            only=self._world.users[message.seen_by].name if message.seen_by else "",
            buttons=tuple(_buttons(message)),
        )

    def _spot(self, message: Message) -> Spot:
        place = self._world.channels[message.channel]
        return Spot(Chat.DISCORD, place.parent, place.id) if place.parent else Spot(Chat.DISCORD, place.id)

    def _conversation(self, spot: Spot, message: Message) -> Spot:
        """The thread that hangs, or could hang, on a message; direct messages are one conversation."""
        begins = not spot.thread and not message.seen_by and bool(self._world.channels[spot.channel].guild)
        return Spot(spot.chat, spot.channel, message.id) if begins else spot

    def _drawn(self, message: Message) -> RenderableType:
        if message.is_loading:
            return Text("is thinking…", "state")
        if message.author != self._world.bot_user:
            return self._words.line(message.content)
        return self._words.block(message.content)

    def _mentioned(self, mark: str, thing: str) -> str:
        if mark == "#":
            channel = self._world.channels.get(thing)
            return thing if channel is None else channel.name
        if mark == "@&":
            roles = [guild.roles[thing] for guild in self._world.guilds.values() if thing in guild.roles]
            return roles[0].name if roles else thing
        user = self._world.users.get(thing)
        return thing if user is None else user.name


def _buttons(message: Message) -> Iterator[str]:
    for row in message.components:
        for part in row.get("components", ()):
            if part["type"] == _BUTTON and part["style"] != _LINK:
                yield part["label"]
