"""The simulated Discord's gateway, joined by discord.py's real client and by bare sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import discord
import pytest
from discord.gateway import DiscordWebSocket

from bots.demo.discord.frames import Intent
from bots.demo.discord.sessions import MOST_KEPT
from core.testing import SettableClock
from tests.fixtures.tiny_discord import INTENTS, BareClient, TinyDiscord, bare_client, tiny_discord

SOON = 10.0
"""Seconds; what takes longer will not happen."""


class Listener(discord.Client):
    """A client that remembers what it hears and comes back without discord.py's wait of five seconds."""

    def __init__(
        self, tiny: TinyDiscord, intents: discord.Intents = INTENTS, heartbeat_timeout: float = 60
    ) -> None:
        super().__init__(intents=intents, heartbeat_timeout=heartbeat_timeout, guild_ready_timeout=0.01)
        self.tiny = tiny
        self.heard: list[str] = []
        self.readies = 0
        self.resumed = 0
        self.disconnects = 0

    async def before_identify_hook(self, *_: object, **__: object) -> None:
        return

    async def on_ready(self) -> None:
        self.readies += 1
        self.tiny.world.changes.happened()

    async def on_resumed(self) -> None:
        self.resumed += 1
        self.tiny.world.changes.happened()

    async def on_disconnect(self) -> None:
        self.disconnects += 1
        self.tiny.world.changes.happened()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message.content)
        self.tiny.world.changes.happened()

    async def hears(self, *texts: str) -> None:
        """Wait until exactly these messages have come."""
        await self._until(lambda: len(self.heard) >= len(texts))
        assert self.heard == list(texts)

    async def has_resumed(self, times: int = 1) -> None:
        await self._until(lambda: self.resumed >= times)

    async def is_ready_again(self, times: int) -> None:
        await self._until(lambda: self.readies >= times)

    async def _until(self, predicate: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON):
            await self.tiny.world.changes.until(predicate)


@asynccontextmanager
async def running(client: Listener) -> AsyncIterator[Listener]:
    """Run the client, once ready, until the test is over."""
    task = asyncio.create_task(client.start(client.tiny.world.token))
    try:
        await client.is_ready_again(1)
        yield client
    finally:
        await client.close()
        await task


@pytest.fixture
async def tiny() -> AsyncIterator[TinyDiscord]:
    async with tiny_discord() as made:
        yield made


@pytest.fixture
async def client(tiny: TinyDiscord) -> AsyncIterator[Listener]:
    async with running(Listener(tiny)) as made:
        yield made


# --- discord.py ------------------------------------------------------------------------------------


async def test_a_client_connects_and_finds_its_guild(tiny: TinyDiscord, client: Listener) -> None:
    await tiny.gateway.connected()
    assert client.user is not None
    assert str(client.user.id) == tiny.world.bot_user
    assert [(guild.name, [each.name for each in guild.channels]) for guild in client.guilds] == [
        ("Tiny", ["general"])
    ]
    assert (tiny.gateway.identifies, tiny.gateway.connections) == (1, 1)


async def test_a_client_of_shards_is_served_too(tiny: TinyDiscord) -> None:
    client = discord.AutoShardedClient(intents=INTENTS, guild_ready_timeout=0.01)
    task = asyncio.create_task(client.start(tiny.world.token))
    await tiny.gateway.connected()
    async with asyncio.timeout(SOON):
        await client.wait_until_ready()
    assert (client.shard_count, len(client.guilds)) == (1, 1)
    await client.close()
    await task


async def test_an_event_arrives(tiny: TinyDiscord, client: Listener) -> None:
    tiny.whisper("hello")
    await client.hears("hello")


async def test_a_guild_message_has_no_content_without_the_intent(tiny: TinyDiscord, client: Listener) -> None:
    tiny.say("secret")
    tiny.whisper("for you")
    await client.hears("", "for you")


async def test_content_arrives_with_the_intent(tiny: TinyDiscord) -> None:
    tiny.world.granted_intents.add("message_content")
    intents = discord.Intents(INTENTS.value, message_content=True)
    async with running(Listener(tiny, intents)) as client:
        tiny.say("hello")
        await client.hears("hello")


async def test_a_closed_connection_is_resumed_and_what_was_missed_comes_once(
    tiny: TinyDiscord, client: Listener
) -> None:
    tiny.whisper("before")
    await client.hears("before")
    await tiny.gateway.close(4000)
    tiny.whisper("meanwhile")
    await client.has_resumed()
    tiny.whisper("after")
    await client.hears("before", "meanwhile", "after")
    assert (tiny.gateway.identifies, tiny.gateway.resumes) == (1, 1)


async def test_what_was_said_before_the_close_leaves_before_it(tiny: TinyDiscord, client: Listener) -> None:
    tiny.whisper("just in time")
    await tiny.gateway.close(4000)
    await client.hears("just in time")
    await client.has_resumed()
    assert client.heard == ["just in time"]


async def test_a_lost_connection_is_resumed(tiny: TinyDiscord, client: Listener) -> None:
    await tiny.gateway.drop()
    tiny.whisper("meanwhile")
    await client.has_resumed()
    await client.hears("meanwhile")
    assert (tiny.gateway.identifies, tiny.gateway.connections) == (1, 1)


async def test_a_client_asked_to_reconnect_resumes(tiny: TinyDiscord, client: Listener) -> None:
    await tiny.gateway.reconnect()
    await client.has_resumed()
    assert (tiny.gateway.identifies, tiny.gateway.resumes) == (1, 1)


async def test_an_invalid_session_is_started_anew(tiny: TinyDiscord, client: Listener) -> None:
    await tiny.gateway.invalidate()
    await client.is_ready_again(2)
    assert (tiny.gateway.identifies, tiny.gateway.resumes, len(tiny.gateway.sessions)) == (2, 0, 1)


async def test_an_invalid_but_resumable_session_is_resumed(tiny: TinyDiscord, client: Listener) -> None:
    await tiny.gateway.invalidate(resumable=True)
    tiny.whisper("meanwhile")
    await client.has_resumed()
    await client.hears("meanwhile")
    assert tiny.gateway.identifies == 1


@pytest.mark.parametrize("code", [4007, 4009])
async def test_a_code_that_ends_the_session_makes_the_client_identify(
    tiny: TinyDiscord, client: Listener, code: int
) -> None:
    await tiny.gateway.close(code)
    tiny.whisper("lost")
    await client.is_ready_again(2)
    assert (client.heard, tiny.gateway.identifies, tiny.gateway.resumes) == ([], 2, 0)


async def test_a_client_resumes_where_ready_told_it_to(tiny: TinyDiscord, client: Listener) -> None:
    assert isinstance(client.ws, DiscordWebSocket)
    assert str(client.ws.gateway) == tiny.gateway_url


async def test_heartbeats_are_acknowledged(tiny: TinyDiscord, client: Listener) -> None:
    assert client.latency < SOON


async def test_a_zombie_is_noticed_and_its_session_resumed(tiny: TinyDiscord) -> None:
    tiny.gateway.heartbeat_interval = 50
    async with running(Listener(tiny, heartbeat_timeout=0.3)) as client:
        tiny.gateway.deaf = True
        tiny.whisper("into the void")
        assert tiny.gateway.deaf
        await client.has_resumed()
        await client.hears("into the void")
        await tiny.world.changes.until(lambda: not tiny.gateway.deaf)
        assert (tiny.gateway.identifies, tiny.gateway.resumes) == (1, 1)


async def test_a_client_that_stops_is_another_when_it_starts_again(tiny: TinyDiscord) -> None:
    async with running(Listener(tiny)):
        await tiny.gateway.connected()
    await tiny.world.changes.until(lambda: not tiny.gateway.connections)
    tiny.whisper("to nobody")
    async with running(Listener(tiny)) as client:
        tiny.whisper("hello")
        await client.hears("hello")
        assert (tiny.gateway.identifies, tiny.gateway.resumes) == (2, 0)


async def test_a_privileged_intent_must_be_granted(tiny: TinyDiscord) -> None:
    client = Listener(tiny, discord.Intents(INTENTS.value, message_content=True))
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await client.start(tiny.world.token)
    await client.close()
    assert tiny.gateway.identifies == 0


async def test_a_wrong_token_ends_the_client(tiny: TinyDiscord) -> None:
    with pytest.raises(discord.ConnectionClosed) as closed:
        await Listener(tiny).start("stolen.token")
    assert closed.value.code == 4004


async def test_a_bot_that_starts_too_often_loses_its_token(tiny: TinyDiscord) -> None:
    token = tiny.world.token
    tiny.gateway.session_start_limit.remaining = 1
    client = Listener(tiny)
    task = asyncio.create_task(client.start(token))
    await client.is_ready_again(1)
    async with bare_client(tiny) as another:
        await another.identify()
        assert await another.closed() == 4004
    with pytest.raises(discord.ConnectionClosed) as closed:
        await task
    assert closed.value.code == 4004
    assert (tiny.gateway.sessions, tiny.gateway.identifies, tiny.world.token == token) == ((), 1, False)


# --- bare sockets: what discord.py never does ------------------------------------------------------


@pytest.fixture
async def bare(tiny: TinyDiscord) -> AsyncIterator[BareClient]:
    async with bare_client(tiny) as made:
        yield made


async def test_hello_comes_first_and_a_heartbeat_needs_no_session(bare: BareClient) -> None:
    hello = await bare.read()
    await bare.send(1, None)
    assert (hello["op"], hello["d"], (await bare.read())["op"]) == (10, {"heartbeat_interval": 41_250}, 11)


async def test_events_are_numbered_from_one(tiny: TinyDiscord, bare: BareClient) -> None:
    await bare.read()
    await bare.identify()
    tiny.whisper("not numbered for who is not there yet")
    frames = [await bare.read(), await bare.read()]
    tiny.whisper("hello")
    frames.append(await bare.read())
    assert [(frame["s"], frame["t"]) for frame in frames] == [
        (1, "READY"),
        (2, "GUILD_CREATE"),
        (3, "MESSAGE_CREATE"),
    ]
    ready = frames[0]["d"]
    assert ready["guilds"] == [{"id": tiny.world.guild, "unavailable": True}]
    assert (ready["application"]["id"], ready["v"], ready["shard"]) == (tiny.world.application_id, 10, [0, 1])


async def test_a_session_hears_only_what_it_asked_for(tiny: TinyDiscord, bare: BareClient) -> None:
    await bare.identify(intents=Intent.DIRECT_MESSAGES)
    await bare.event("READY")
    tiny.say("not for this one")
    tiny.gateway.announce("INTERACTION_CREATE", {"id": "1"}, guild=tiny.world.guild, intent="")
    tiny.whisper("for this one")
    assert [(await bare.read())["t"], (await bare.read())["t"]] == ["INTERACTION_CREATE", "MESSAGE_CREATE"]


async def test_guilds_are_dealt_to_shards_and_direct_messages_go_to_the_first(tiny: TinyDiscord) -> None:
    its_shard = (int(tiny.world.guild) >> 22) % 2
    async with AsyncExitStack() as stack:
        shards = [await stack.enter_async_context(bare_client(tiny)) for _ in range(2)]
        readies = []
        for number, shard in enumerate(shards):
            await shard.identify(shard=[number, 2])
            readies.append((await shard.event("READY"))["d"])
        tiny.say("to the guild")
        tiny.whisper("to the bot")
        assert [bool(ready["guilds"]) for ready in readies] == [its_shard == 0, its_shard == 1]
        said = await shards[its_shard].event("MESSAGE_CREATE")
        whispered = await shards[0].event("MESSAGE_CREATE")
        assert (said["d"]["guild_id"], len(tiny.gateway.sessions)) == (tiny.world.guild, 2)
        if its_shard:
            assert whispered["d"]["content"] == "to the bot"


@pytest.mark.parametrize(
    ("op", "d", "code"),
    [
        (2, {"token": "wrong", "intents": 1}, 4004),
        (2, {"token": "tiny.bot.token", "intents": -1}, 4013),
        (2, {"token": "tiny.bot.token", "intents": 1 << 40}, 4013),
        (2, {"token": "tiny.bot.token"}, 4013),
        (2, {"token": "tiny.bot.token", "intents": 1 << 8}, 4014),
        (2, {"token": "tiny.bot.token", "intents": 1, "shard": [2, 2]}, 4010),
        (2, {"token": "tiny.bot.token", "intents": 1, "shard": "first"}, 4010),
        (2, "hello", 4002),
        (6, {"token": "wrong", "session_id": "none", "seq": 0}, 4004),
        (3, {}, 4003),
        (8, {}, 4003),
        (99, {}, 4001),
    ],
)
async def test_a_rule_broken_before_the_session_closes(
    bare: BareClient, op: int, d: object, code: int
) -> None:
    await bare.send(op, d)
    assert await bare.closed() == code


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"d": 1}', '{"op": "1"}', "[" * 3000, json.dumps({"op": 1, "d": "é" * 4090})]
)
async def test_what_cannot_be_read_closes(bare: BareClient, text: str) -> None:
    await bare.socket.send_str(text)
    assert await bare.closed() == 4002


async def test_bytes_are_read_like_text(bare: BareClient) -> None:
    await bare.read()
    await bare.socket.send_bytes(b'{"op": 1, "d": null}')
    assert (await bare.read())["op"] == 11
    await bare.socket.send_bytes(b"\xff")
    assert await bare.closed() == 4002


async def test_a_session_is_not_started_twice_over_one_connection(bare: BareClient) -> None:
    await bare.identify()
    await bare.event("READY")
    await bare.identify()
    assert await bare.closed() == 4005


async def test_presence_is_taken_from_who_has_a_session(bare: BareClient) -> None:
    await bare.identify()
    await bare.event("GUILD_CREATE")
    await bare.send(3, {"status": "idle"})
    await bare.send(1, 2)
    assert (await bare.read())["op"] == 11


async def test_an_old_version_of_the_gateway_is_refused(tiny: TinyDiscord) -> None:
    async with bare_client(tiny, "?v=6") as bare:
        assert await bare.closed() == 4012


async def test_frames_after_a_broken_rule_are_not_heard(tiny: TinyDiscord, bare: BareClient) -> None:
    await bare.send(99)
    await bare.identify()
    assert await bare.closed() == 4001
    assert tiny.gateway.identifies == 0


async def test_a_session_that_is_not_known_is_invalid(bare: BareClient) -> None:
    await bare.read()
    await bare.resume(None, None)
    assert await bare.read() == {"op": 9, "d": False, "s": None, "t": None}
    await bare.identify()
    assert (await bare.read())["t"] == "READY"


@pytest.mark.parametrize("sequence", [3, -1, None])
async def test_a_number_never_given_cannot_be_resumed_from(
    tiny: TinyDiscord, bare: BareClient, sequence: int | None
) -> None:
    await bare.identify()
    session = (await bare.event("READY"))["d"]["session_id"]
    async with bare_client(tiny) as again:
        await again.resume(session, sequence)
        assert await again.closed() == 4007
    assert tiny.gateway.sessions == ()


async def test_what_a_session_cannot_remember_makes_it_invalid(tiny: TinyDiscord, bare: BareClient) -> None:
    await bare.identify()
    session = (await bare.event("READY"))["d"]["session_id"]
    await tiny.gateway.drop()
    for number in range(MOST_KEPT):
        tiny.whisper(str(number))
    async with bare_client(tiny) as again:
        await again.read()
        await again.resume(session, 1)
        assert (await again.read())["op"] == 9
    assert tiny.gateway.sessions == ()


async def test_a_session_resumed_elsewhere_leaves_its_old_connection(
    tiny: TinyDiscord, bare: BareClient
) -> None:
    await bare.identify()
    session = (await bare.event("READY"))["d"]["session_id"]
    async with bare_client(tiny) as again:
        await again.resume(session, 1)
        assert [(await again.event("GUILD_CREATE"))["s"], (await again.read())["t"]] == [2, "RESUMED"]
        assert await bare.closed() == 4000
        tiny.whisper("hello")
        assert (await again.read())["s"] == 4
        assert (tiny.gateway.resumes, len(tiny.gateway.sessions)) == (1, 1)


@pytest.mark.parametrize(("code", "left"), [(1000, 0), (1001, 0), (4000, 1), (3000, 1)])
async def test_only_a_goodbye_gives_a_session_up(
    tiny: TinyDiscord, bare: BareClient, code: int, left: int
) -> None:
    await bare.identify()
    await bare.event("GUILD_CREATE")
    await bare.socket.close(code=code)
    await tiny.world.changes.until(lambda: not tiny.gateway.connections)
    assert len(tiny.gateway.sessions) == left


async def test_a_client_killed_without_a_goodbye_may_resume(tiny: TinyDiscord, bare: BareClient) -> None:
    await bare.identify()
    session = (await bare.event("READY"))["d"]["session_id"]
    bare.abort()
    await tiny.world.changes.until(lambda: not tiny.gateway.connections)
    tiny.whisper("meanwhile")
    async with bare_client(tiny) as again:
        await again.resume(session, 2)
        assert (await again.event("MESSAGE_CREATE"))["d"]["content"] == "meanwhile"


async def test_a_zombie_hears_no_goodbye(tiny: TinyDiscord, bare: BareClient) -> None:
    await bare.identify()
    await bare.event("GUILD_CREATE")
    tiny.gateway.deaf = True
    await bare.send(1, 2)
    await bare.socket.close(code=1000)
    await tiny.world.changes.until(lambda: not tiny.gateway.connections)
    assert len(tiny.gateway.sessions) == 1


async def test_sessions_of_clients_that_are_away_are_invalidated_too(
    tiny: TinyDiscord, bare: BareClient
) -> None:
    await bare.identify()
    await bare.event("GUILD_CREATE")
    await tiny.gateway.drop()
    await tiny.gateway.invalidate(resumable=True)
    kept = len(tiny.gateway.sessions)
    await tiny.gateway.invalidate()
    assert (kept, len(tiny.gateway.sessions)) == (1, 0)


async def test_a_client_that_does_not_answer_a_close_frame_is_left(
    tiny: TinyDiscord, bare: BareClient
) -> None:
    await bare.identify()
    await bare.event("GUILD_CREATE")
    await tiny.gateway.close(4009)  # the client is not reading
    assert (tiny.gateway.connections, tiny.gateway.sessions) == (0, ())


# --- on a clock that stands still ------------------------------------------------------------------


async def test_more_than_120_frames_in_a_minute_are_too_many() -> None:
    clock = SettableClock()
    async with tiny_discord(clock) as tiny, bare_client(tiny) as bare:
        await bare.read()
        for _ in range(120):
            await bare.send(1)
            await bare.read()
        clock.advance(60)
        for _ in range(120):
            await bare.send(1)
            await bare.read()
        clock.advance(59)
        await bare.send(1)
        assert await bare.closed() == 4008


async def test_session_starts_are_counted_and_renewed() -> None:
    clock = SettableClock()
    async with tiny_discord(clock) as tiny, bare_client(tiny) as bare:
        limit = tiny.gateway.session_start_limit
        limit.total, limit.remaining, limit.max_concurrency = 10, 4, 2
        fresh = {"total": 10, "remaining": 4, "reset_after": 0, "max_concurrency": 2}
        assert limit.as_json() == fresh
        await bare.identify()
        await bare.event("READY")
        clock.advance(1)
        assert limit.as_json() == fresh | {"remaining": 3, "reset_after": 86_399_000}
        clock.advance(86_399)
        assert limit.as_json() == fresh | {"remaining": 10}
