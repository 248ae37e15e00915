"""Discord behind its door: REST and gateway are one. Messages only; nobody is told there that one came."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from bots.demo.changes import Changes
from bots.demo.discord import DiscordServer, DiscordWorld, Message, MessageKind
from tests.faults.crash.door import Gatekeeper, Keep, Passage
from tests.faults.crash.side import Asked, HurriedClock, Said
from tests.faults.crash.sockets import SocketDoor

_CHANNELS = 4


class DiscordSide:
    """A `Side`."""

    paragraph = 180
    acknowledges = goes_on = False

    def __init__(self) -> None:
        self._clock = HurriedClock()
        self.world = DiscordWorld(self._clock)
        self.guild = self.world.add_guild("acme")
        self.server = DiscordServer(self.world)
        self.channels = [self.world.add_channel(self.guild, f"room{number}") for number in range(_CHANNELS)]
        self._door: SocketDoor | None = None

    @property
    def changes(self) -> Changes:
        return self.world.changes

    @property
    def clock(self) -> HurriedClock:
        return self._clock

    async def open(self, keeper: Gatekeeper, port: int) -> None:  # noqa: ARG002 Discord does not call us
        await self.server.start()
        at = urlsplit(self.server.api_url)
        host, own = at.hostname or "", at.port or 0
        self._door = door = SocketDoor(
            "platform",
            keeper,
            lambda: (host, own),
            renamed=lambda: [(f"{host}:{own}".encode(), f"{host}:{door.port}".encode())],
        )
        await door.open()

    async def close(self) -> None:
        if self._door is not None:
            await self._door.close()
        await self.server.stop()

    def environment(self) -> dict[str, str]:
        assert self._door is not None
        at = f"127.0.0.1:{self._door.port}"
        return {
            "DISCORD_TOKEN": self.world.token,
            "DISCORD_API_URL": f"http://{at}/api/v10",
            "DISCORD_GATEWAY_URL": f"ws://{at}/gateway/",
        }

    async def say(self, asked: Asked, place: int) -> None:
        if asked.opening is not None and asked.opening.thread not in self.world.channels:
            asked.opening = None  # nobody can speak in a thread that is not open yet
        opening = asked.opening
        self.add_person(asked)
        asked.channel = self.channels[place % _CHANNELS] if opening is None else opening.channel
        words = f"<@{self.world.bot_user}> who owns {asked.marker}?"
        where = asked.channel if opening is None else opening.thread
        asked.message = await self.world.say(asked.user, where, words)
        asked.thread = asked.message if opening is None else opening.thread

    def add_person(self, asked: Asked) -> None:
        """Let somebody new into the guild, to ask it."""
        asked.user = self.world.add_user(f"person {asked.marker}")
        self.world.join(self.guild, asked.user)

    async def says(self, asked: Asked, text: str) -> None:
        await self.world.say(self.world.bot_user, asked.channel, text)

    def said(self, thread: Asked) -> Sequence[Said]:
        return said_in(self.world, thread.thread)

    def misplaced(self, questions: Sequence[Asked]) -> Sequence[Said]:
        threads = {self.place(one) for one in questions}
        found = [
            _said(message)
            for channel in self.world.channels
            if channel not in threads
            for message in self.world.messages(channel)
            if self._is_said(message) and message.id not in threads
        ]
        notes = [note for one in questions for note in self.world.ephemerals(one.user)]
        return found + [_said(note) for note in notes if self._is_said(note)]

    def _is_said(self, message: Message) -> bool:
        return message.author == self.world.bot_user and message.kind in {
            MessageKind.DEFAULT,
            MessageKind.REPLY,
        }

    def place(self, asked: Asked) -> str:
        """Return the thread in which a question is answered; "" for none yet."""
        return asked.thread

    def events(self, asked: Asked) -> Collection[str]:  # noqa: ARG002 none are acknowledged
        return ()

    def keep_acknowledgement(self, asked: Asked) -> Keep | None:  # noqa: ARG002 there is none of messages
        return None

    def turned_away(self, asked: Asked) -> bool:  # noqa: ARG002 what was written is there to be found
        return False

    def acknowledged(self) -> frozenset[str]:
        return frozenset()

    def statuses(self, asked: Asked) -> Sequence[datetime]:
        return self.typed(asked.thread)

    def typed(self, thread: str) -> Sequence[datetime]:
        """Return when the program was shown as typing somewhere."""
        calls = self.world.calls_of("POST /channels/{channel}/typing")
        return [call.at for call in calls if call.ids["channel"] == thread and call.status < 300]

    def shows_status(self, asked: Asked) -> bool:  # noqa: ARG002 typing lapses after ten seconds
        return False

    def is_first_look(self, passage: Passage) -> bool:
        return passage.name == "messages" and passage.request.startswith(b"GET ")

    def looks_up(self, passage: Passage, asked: Asked) -> bool:
        return passage.name == asked.user and b"/members/" in passage.request.partition(b"\r\n")[0]

    def part_of(self, passage: Passage) -> int | None:
        if passage.name != "messages" or not passage.request.startswith(b"POST "):
            return None
        return _part(str(json.loads(passage.body).get("nonce", "")))


def said_in(world: DiscordWorld, place: str) -> Sequence[Said]:
    """Return what the program has said in a thread."""
    ours = [one for one in world.messages(place) if one.author == world.bot_user]
    return [_said(one) for one in ours if one.kind is not MessageKind.THREAD_STARTER]


def _said(message: Message) -> Said:
    nonce = str(message.nonce or "")
    return Said(message.content, nonce.rpartition("-")[0], _part(nonce))


def _part(nonce: str) -> int | None:
    """Return the number at the end of a part's nonce, which is DELIVERY-NUMBER."""
    number = nonce.rpartition("-")[2]
    return int(number) if number.isdigit() else None
