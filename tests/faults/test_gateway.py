"""The gateway under fire: dead and mad connections, refusals for good, and how often any of it is sought."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import discord
import pytest
from aiohttp import web

from bots.demo.discord import DiscordServer, DiscordWorld
from bots.demo.discord.frames import Op, decoded
from bots.demo.discord.gateway import Gateway
from bots.demo.discord.links import Link
from bots.discord.client import (
    ConnectionRefused,
    ThreadlineClient,
    let_in,
    log_in,
    pointed_at,
    stay_connected,
)
from core.clock import Clock, SystemClock
from core.testing import SettableClock
from tests.fixtures.guild import in_time

pytestmark = pytest.mark.measured

HOUR = 3_600


class Hasty(SettableClock):
    """Nobody waits here: time is where the sleeper wants it, and `then` happens after so much of it."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        self._until = float("inf")

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        self._until, self._then = self.monotonic() + seconds, then

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        if self.monotonic() >= self._until:
            self._then()


class Moody(Gateway):
    """A gateway that can leave heartbeats unanswered, or turn everybody away before saying hello."""

    def __init__(self, world: DiscordWorld) -> None:
        super().__init__(world)
        self.answers = True
        self.turns_away: int | None = None
        """With what: a close code, or an HTTP status in place of a connection."""
        self.door = ""
        """Where sessions are to be resumed, if not here."""
        self.came = 0
        """How many connections were sought."""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.came += 1
        if self.turns_away is None:
            return await super().serve(request)
        if self.turns_away < 1000:
            return web.Response(status=self.turns_away)
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        await socket.close(code=self.turns_away)
        return socket

    def _hear(self, link: Link, raw: str | bytes, url: str) -> None:
        if self.answers or decoded(raw)[0] != Op.HEARTBEAT:
            super()._hear(link, raw, self.door or url)

    def welcome(self) -> None:
        self.turns_away = None

    def say_to_all(self, frame: str) -> None:
        """Send a frame as it is, right or wrong."""
        for link in self._links:
            link.send(frame)


@dataclass
class Post:
    """One guild behind a moody gateway, our client, and what it has heard."""

    world: DiscordWorld
    server: DiscordServer
    gateway: Moody
    client: ThreadlineClient
    clock: Clock
    ana: str
    general: str
    heard: list[str] = field(default_factory=list)

    async def hear(self, message: discord.Message) -> None:
        self.heard.append(message.content.partition("> ")[2])
        self.world.changes.happened()

    async def say(self, words: str) -> None:
        await self.world.say(self.ana, self.general, f"<@{self.world.bot_user}> {words}")

    async def hears(self, words: str) -> None:
        """Wait until the client has heard these words."""
        await self.world.until(lambda: words in self.heard)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["asyncio.Task[None]"]:
        task = asyncio.create_task(stay_connected(self.client, self.clock))
        try:
            await let_in(self.client, task, 10)
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.client.let_go()


@asynccontextmanager
async def post(clock: Clock | None = None, *, patience: float = 60.0) -> AsyncIterator[Post]:
    """`patience`: seconds without an answer after which the client holds a connection for dead."""
    time = clock or SystemClock()
    world = DiscordWorld(SystemClock())
    server = DiscordServer(world)
    server.gateway = gateway = Moody(world)
    await server.start()
    guild, ana = world.add_guild("acme"), world.add_user("ana")
    world.join(guild, ana)
    general = world.add_channel(guild, "general")
    with pointed_at(server.api_url, server.gateway_url):
        client = ThreadlineClient(time, message_content=False, proxy=None, heartbeat_timeout=patience)
        await log_in(client, world.token)
        made = Post(world, server, gateway, client, time, ana, general)
        client.on_said = made.hear
        yield made
        await client.close()
    await server.stop()


# --- connections that seem alive --------------------------------------------------------------------


async def test_a_connection_that_delivers_but_answers_no_heartbeat_is_given_up_and_resumed() -> None:
    async with post(patience=0.3) as there:
        there.gateway.heartbeat_interval = 100
        async with there.connected():
            there.gateway.answers = False
            talking = asyncio.create_task(_talk(there))
            await there.world.until(lambda: there.gateway.resumes, 5)
            there.gateway.answers = True
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            await there.say("the last word")
            await there.hears("the last word")
        assert len(there.heard) == len(set(there.heard))
        assert there.heard[:-1] == [f"talk {number}" for number in range(len(there.heard) - 1)]
        assert there.gateway.identifies == 1


async def _talk(there: Post) -> None:
    """Go on talking, so that something comes over the connection all the time."""
    for number in count():
        await there.say(f"talk {number}")
        await there.hears(f"talk {number}")


@pytest.mark.parametrize("frame", ["{", "[]", "7", '{"op": 0, "t": "MESSAGE_CREATE", "d": {}}'])
async def test_a_frame_that_nobody_can_read_costs_a_resume_and_no_message(frame: str) -> None:
    async with post() as there, there.connected():
        there.gateway.say_to_all(frame)
        await there.say("are you there?")
        await there.hears("are you there?")
        assert there.heard == ["are you there?"]
        assert there.gateway.identifies == 1


# --- a gateway that is away -------------------------------------------------------------------------

TURNED_AWAY = [429, 502, 503, 4000, 4009]


@pytest.mark.parametrize("how", TURNED_AWAY)
async def test_a_gateway_that_turns_all_away_for_hours_is_asked_once_or_twice_a_minute(
    how: int,
) -> None:
    clock = Hasty()
    async with post(clock) as there:
        there.gateway.turns_away = how
        clock.after(6 * HOUR, there.gateway.welcome)
        async with there.connected():
            assert there.gateway.identifies == 1
            assert 6 * HOUR / 60 <= there.gateway.came <= 6 * HOUR / 30 + 10
        assert max(clock.slept) <= 60
        assert min(clock.slept) >= 1
        assert len(set(clock.slept)) > len(clock.slept) / 2  # by chance, or all bots would come at once


@pytest.mark.parametrize("how", TURNED_AWAY)
async def test_a_session_outlives_a_gateway_that_was_away_for_an_hour(how: int) -> None:
    clock = Hasty()
    async with post(clock) as there, there.connected():
        there.gateway.turns_away = how
        await there.gateway.drop()
        await there.say("is anybody there?")
        clock.after(HOUR, there.gateway.welcome)
        await there.hears("is anybody there?")
        assert (there.gateway.identifies, there.gateway.resumes) == (1, 1)
        assert there.gateway.came <= HOUR / 30 + 10


async def test_one_break_is_mended_at_once_and_one_after_the_other_less_and_less_often() -> None:
    clock = Hasty()
    async with post(clock) as there, there.connected():
        for breaks in range(1, 6):
            await there.gateway.close()
            await there.say(f"break {breaks}")
            await there.hears(f"break {breaks}")
        assert there.gateway.resumes == 5
        assert len(clock.slept) == 4
        assert clock.slept == sorted(clock.slept)
        clock.advance(HOUR)
        await there.gateway.close()
        await there.world.until(lambda: there.gateway.resumes == 6)
        assert len(clock.slept) == 4


async def test_where_the_door_for_resuming_is_shut_the_main_one_is_tried() -> None:
    async with post(Hasty()) as there:
        there.gateway.door = "ws://127.0.0.1:9/"
        async with there.connected():
            await there.gateway.drop()
            await there.say("is anybody there?")
            await there.hears("is anybody there?")
        assert (there.gateway.identifies, there.gateway.resumes) == (1, 1)


# --- refusals for good ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "instruction"),
    [
        (4004, r"DISCORD_TOKEN.*Reset Token"),
        (4010, "code 4010"),
        (4011, "code 4011"),
        (4012, "code 4012"),
        (4013, "code 4013"),
        (4014, "Message Content intent.*Developer Portal"),
    ],
)
async def test_a_refusal_for_good_is_followed_by_no_other_connection(code: int, instruction: str) -> None:
    async with post(Hasty()) as there, there.connected() as task:
        await there.gateway.close(code)
        with pytest.raises(ConnectionRefused, match=instruction):
            await in_time(asyncio.shield(task))
        assert there.gateway.came == 1
