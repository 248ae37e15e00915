"""Discord as the demo simulates it, which is rich and slow: what people write there, and what is posted."""

from collections.abc import Mapping
from typing import Any

from bots.demo.discord import DiscordServer, DiscordWorld
from core.clock import SystemClock
from tests.bench.counting import Asked
from tests.bench.journal import Journal, first_marker, marked

_PEOPLE, _CHANNELS = 50, 20
_GUILDS = 10  #: one has room for a thousand active threads


class Discord:
    """Some guilds with the same people. A `Side`."""

    acknowledges = False

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._world = DiscordWorld(SystemClock())
        self._server = DiscordServer(self._world)
        guilds = [self._world.add_guild(f"bench {number}") for number in range(_GUILDS)]
        self._channels = [
            self._world.add_channel(guilds[number % _GUILDS], f"room{number}") for number in range(_CHANNELS)
        ]
        self._people = [self._world.add_user(f"person {number}") for number in range(_PEOPLE)]
        for guild in guilds:
            for person in self._people:
                self._world.join(guild, person)

    async def start(self) -> None:
        """Listen, and look at what is posted on its way to the gateway."""
        await self._server.start()
        self._world.gateway = self

    async def connect(self, port: int, connections: int) -> None:  # noqa: ARG002 the program connects
        """Wait until the program has."""
        await self._server.gateway.connected()

    async def stop(self) -> None:
        """Listen no more."""
        await self._server.stop()

    def environment(self) -> Mapping[str, str]:
        """Return what a program must be told of it."""
        return {
            "DISCORD_TOKEN": self._world.token,
            "DISCORD_API_URL": self._server.api_url,
            "DISCORD_GATEWAY_URL": self._server.gateway_url,
        }

    async def ask(self, opening: Asked | None = None, turn: int = 1) -> Asked:
        """Have somebody mention the bot in a channel, or in the thread that was opened for a question."""
        asked = self._journal.ask("" if opening is None else opening.thread, turn)
        number = (asked if opening is None else opening).marker
        words = f"<@{self._world.bot_user}> who calls billing, and why? I ask for {marked(asked.marker)}"
        where = self._channels[number % _CHANNELS] if opening is None else opening.thread
        message = await self._world.say(self._people[number % _PEOPLE], where, words)
        if opening is None:
            asked.thread = message  # the thread that begins at a message has its id
        asked.acked = asked.sent  # nobody acknowledges anything there
        return asked

    def announce(self, event: str, data: dict[str, Any], *, guild: str | None, intent: str) -> None:
        """Note a message of the program's, and pass the event on."""
        if event == "MESSAGE_CREATE" and data["author"]["id"] == self._world.bot_user and data["content"]:
            self._journal.post(first_marker(data["content"].encode()), data["channel_id"])
        self._server.gateway.announce(event, data, guild=guild, intent=intent)

    def note_calls(self) -> None:
        """Bring the journal's counts of calls up to date."""
        noted = self._journal.methods.total()
        self._journal.methods.update(call.route for call in self._world.calls[noted:])
