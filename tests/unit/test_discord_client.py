"""The gateway client: what it listens to, how it spares the day's connections, and when it gives up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bots import texts
from bots.demo.discord import DiscordServer, DiscordWorld, HttpError, Reset
from bots.demo.discord.start_limit import SessionStartLimit
from bots.discord.client import (
    ConnectionRefused,
    ThreadlineClient,
    intents,
    let_in,
    log_in,
    pointed_at,
    stay_connected,
)
from bots.discord.keys import thread_key, workspace
from bots.discord.marks import Marks
from bots.discord.messages import Said
from bots.discord.pacing import NotYet
from bots.discord.views import FORM, QUESTION, sent_by
from core.clock import Clock, SystemClock
from core.errors import OutcomeUnknown, StoreUnavailable, Unreachable
from core.model import DeliveryId
from core.testing import SettableClock
from tests.fixtures.wire import Wire

DAY = 86_400
GATEWAY = "GET /gateway/bot"
LISTENED_TO = {"guilds", "guild_messages", "dm_messages"}


class Hasty(SettableClock):
    """Nobody waits here: time is where the sleeper wants it. It remembers how long they wanted to sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


@dataclass
class Town:
    """One guild, whose gateway our client may join."""

    world: DiscordWorld
    server: DiscordServer
    clock: Hasty
    client: ThreadlineClient
    guild: str
    general: str
    ana: str

    @property
    def starts(self) -> SessionStartLimit:
        return self.server.gateway.session_start_limit

    def spend(self, *, left: int, of: int = 1000) -> None:
        """Let a day have begun just now, in which so many connections have been made."""
        self.starts.total = self.starts.remaining = of
        self.starts.take()
        self.starts.remaining = left

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["asyncio.Task[None]"]:
        """Keep the client at the gateway meanwhile."""
        task = asyncio.create_task(stay_connected(self.client, self.clock))
        try:
            await let_in(self.client, task, 10)
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.client.let_go()


@asynccontextmanager
async def town_with(*, message_content: bool = False, people: Clock | None = None) -> AsyncIterator[Town]:
    """With `people` the others have a clock of their own."""
    clock = Hasty()
    world = DiscordWorld(people or clock)
    if message_content:
        world.granted_intents.add("message_content")
    server = DiscordServer(world)
    await server.start()
    guild, ana = world.add_guild("acme"), world.add_user("ana")
    world.join(guild, ana)
    general = world.add_channel(guild, "general")
    with pointed_at(server.api_url, server.gateway_url):
        client = ThreadlineClient(clock, message_content=message_content, proxy=None)
        await log_in(client, world.token)
        yield Town(world, server, clock, client, guild, general, ana)
        await client.close()
    await server.stop()


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with town_with() as made:
        yield made


# --- what is listened to ---------------------------------------------------------------------------


def test_we_listen_to_messages_and_to_nothing_else() -> None:
    assert {name for name, on in intents(message_content=False) if on} == LISTENED_TO
    assert {name for name, on in intents(message_content=True) if on} == {*LISTENED_TO, "message_content"}


@pytest.mark.parametrize("everything", [False, True])
async def test_the_session_asks_for_just_that(everything: bool) -> None:
    async with town_with(message_content=everything) as town, town.connected():
        (session,) = town.server.gateway.sessions
    assert session.intents.value == intents(message_content=everything).value


# --- the day's connections -------------------------------------------------------------------------


async def test_nothing_is_waited_for_while_more_than_half_of_the_day_is_left(town: Town) -> None:
    town.spend(left=500)
    await town.client.before_identify_hook(None, initial=True)
    assert town.clock.slept == []


async def test_a_second_connection_waits_the_five_seconds_that_discord_asks_for(town: Town) -> None:
    town.spend(left=500)
    await town.client.before_identify_hook(None, initial=False)
    assert town.clock.slept == [5]


async def test_what_is_left_is_spread_over_the_rest_of_the_day(town: Town) -> None:
    town.spend(left=499)
    with pytest.raises(NotYet) as told:
        await town.client.before_identify_hook(None, initial=True)
    assert told.value.seconds == pytest.approx(DAY / 499)
    town.clock.advance(DAY / 2)
    with pytest.raises(NotYet) as told:
        await town.client.before_identify_hook(None, initial=False)
    assert told.value.seconds == pytest.approx(DAY / 2 / 499)


async def test_a_short_wait_is_sat_out_with_the_connection_open(town: Town) -> None:
    town.spend(left=499)
    town.clock.advance(DAY - 4990)
    await town.client.before_identify_hook(None, initial=True)
    assert town.clock.slept == [pytest.approx(10)]


async def test_with_none_left_the_next_day_is_waited_for(town: Town) -> None:
    town.spend(left=0)
    town.clock.advance(DAY - 3600)
    with pytest.raises(NotYet) as told:
        await town.client.before_identify_hook(None, initial=True)
    assert told.value.seconds == pytest.approx(3600)


async def test_who_has_waited_does_not_wait_again_but_the_next_one_does(town: Town) -> None:
    town.spend(left=10)
    with pytest.raises(NotYet) as told:
        await town.client.before_identify_hook(None, initial=True)
    await town.client.wait_out(told.value)
    await town.client.before_identify_hook(None, initial=False)
    assert town.clock.slept == [pytest.approx(DAY / 10)]
    with pytest.raises(NotYet):
        await town.client.before_identify_hook(None, initial=False)


@pytest.mark.parametrize("fault", [HttpError(503), HttpError(401), Reset()])
async def test_where_discord_does_not_say_what_is_left_we_connect_a_little_later(
    town: Town, fault: HttpError | Reset
) -> None:
    town.spend(left=0)
    town.world.faults.add(GATEWAY, fault, times=2)
    await town.client.before_identify_hook(None, initial=True)
    assert town.clock.slept == [5.0]


@pytest.mark.parametrize("allowed", [10, 100, 1000])
async def test_a_crash_loop_does_not_use_up_the_day(town: Town, allowed: int) -> None:
    """Each process of it connects as soon as it may, dies at once, and is started again a second later."""
    town.spend(left=allowed - 1, of=allowed)
    dawn, least, made = town.clock.monotonic(), allowed, 0
    while town.clock.monotonic() - dawn < DAY - 1:
        process = town.client
        try:
            await process.before_identify_hook(None, initial=True)
        except NotYet as early:
            await process.wait_out(early)
            await process.before_identify_hook(None, initial=True)
        if town.clock.monotonic() - dawn >= DAY - 1:
            break
        assert town.starts.take()
        made, least = made + 1, min(least, town.starts.remaining)
        town.clock.advance(1)
    assert allowed // 2 < made < allowed
    assert least >= 1


async def test_a_client_that_has_to_wait_has_no_connection_meanwhile_and_connects_then(town: Town) -> None:
    town.spend(left=2)
    async with town.connected():
        assert town.clock.slept == [pytest.approx(DAY / 2)]
        assert (town.server.gateway.identifies, town.starts.remaining) == (1, 1)
        await town.world.until(lambda: town.server.gateway.connections == 1)


async def test_a_session_that_was_ended_is_begun_anew_five_seconds_later(town: Town) -> None:
    async with town.connected():
        await town.server.gateway.invalidate()
        await town.world.until(lambda: town.server.gateway.identifies == 2)
    assert town.clock.slept == [5]


# --- giving up, and not giving up ------------------------------------------------------------------


async def test_a_gateway_that_is_not_there_yet_is_tried_again(town: Town) -> None:
    async with Wire.running() as gone:
        address = yarl.URL(gone.url)
    late = DiscordServer(town.world, port=address.port or 0)
    waited = asyncio.Event()

    class Late(Hasty):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            await late.start()
            waited.set()

    clock = Late()
    client = ThreadlineClient(clock, message_content=False, proxy=None)
    await log_in(client, town.world.token)
    with pointed_at(town.server.api_url, late.gateway_url):
        task = asyncio.create_task(stay_connected(client, clock))
        await let_in(client, task, 20)
        assert waited.is_set()
        assert late.gateway.identifies == 1
        await client.close()
        await asyncio.wait_for(task, 5)
    await late.stop()


async def test_a_token_that_is_not_accepted_is_told_what_to_do(town: Town) -> None:
    other = ThreadlineClient(town.clock, message_content=False, proxy=None)
    with pytest.raises(ConnectionRefused, match="DISCORD_TOKEN") as refused:
        await log_in(other, "somebody.elses.token")
    assert "somebody" not in str(refused.value)
    await other.close()


async def test_a_discord_that_is_away_is_no_refusal(town: Town) -> None:
    async with Wire.running() as gone:
        url = gone.url
    other = ThreadlineClient(town.clock, message_content=False, proxy=None)
    with pointed_at(url, None), pytest.raises(Unreachable):
        await log_in(other, town.world.token)
    await other.close()
    other = ThreadlineClient(town.clock, message_content=False, proxy=None)
    town.world.faults.add("GET /users/{user}", HttpError(503))
    with pytest.raises(OutcomeUnknown):
        await log_in(other, town.world.token)
    await other.close()


async def test_a_token_that_was_reset_ends_the_connection(town: Town) -> None:
    town.world.token = "another.token"
    with pytest.raises(ConnectionRefused, match="Reset Token"):
        await asyncio.wait_for(stay_connected(town.client, town.clock), 10)


async def test_an_intent_that_was_withdrawn_ends_it_and_the_sentence_says_which() -> None:
    async with town_with(message_content=True) as town:
        town.world.granted_intents.clear()
        with pytest.raises(ConnectionRefused, match="Message Content intent"):
            await asyncio.wait_for(stay_connected(town.client, town.clock), 10)


async def test_whatever_else_discord_closes_for_good_ends_it(town: Town) -> None:
    async with town.connected() as task:
        await town.server.gateway.close(4011)
        with pytest.raises(ConnectionRefused, match="code 4011"):
            await asyncio.wait_for(asyncio.shield(task), 10)


async def test_a_client_that_is_closed_ends_quietly(town: Town) -> None:
    async with town.connected() as task:
        await town.client.close()
        await asyncio.wait_for(asyncio.shield(task), 5)


class Broken(ThreadlineClient):
    """One whose second session dies of a mistake of ours."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if not initial:
            raise AttributeError(shard_id)


async def test_a_fault_of_our_own_is_not_taken_for_an_absent_gateway(town: Town) -> None:
    client = Broken(town.clock, message_content=False, proxy=None)
    await log_in(client, town.world.token)
    task = asyncio.create_task(stay_connected(client, town.clock))
    await let_in(client, task, 10)
    await town.server.gateway.invalidate()
    with pytest.raises(AttributeError):
        await asyncio.wait_for(task, 10)
    await client.let_go()
    await client.close()


# --- waiting to be let in --------------------------------------------------------------------------


async def test_who_waits_to_be_let_in_does_not_wait_for_ever(town: Town) -> None:
    async def connecting() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(connecting())
    await let_in(town.client, task, 0.01)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_waits_to_be_let_in_is_told_what_the_connection_died_of(town: Town) -> None:
    town.world.token = "another.token"
    task = asyncio.create_task(stay_connected(town.client, town.clock))
    with pytest.raises(ConnectionRefused):
        await let_in(town.client, task, 10)


# --- what is passed on -----------------------------------------------------------------------------


async def test_messages_are_passed_on_and_one_that_fails_does_not_stop_the_next(town: Town) -> None:
    heard: list[str] = []

    async def on_said(message: discord.Message) -> None:
        heard.append(message.content)
        town.world.changes.happened()
        if message.content.endswith("away"):
            raise StoreUnavailable
        if message.content.endswith("broken"):
            raise ZeroDivisionError

    async with town.connected():
        me = f"<@{town.world.bot_user}>"
        await town.world.say(town.ana, town.general, f"{me} too early")
        town.client.on_said = on_said
        said = [f"{me} {word}" for word in ("away", "broken", "hello")]
        await asyncio.sleep(0)
        for words in said:
            await town.world.say(town.ana, town.general, words)
        await town.world.until(lambda: len([one for one in heard if "too early" not in one]) == 3)
    assert heard[-3:] == said


async def test_a_filled_in_form_is_passed_on_and_nothing_else_of_what_people_press() -> None:
    heard: list[str] = []

    async def on_form(interaction: discord.Interaction) -> None:
        heard.append(sent_by(interaction))
        await interaction.response.defer()

    async with town_with(people=SystemClock()) as town, town.connected():
        town.client.on_form = on_form
        key = thread_key(workspace(int(town.guild)), int(town.general), 2)
        made = Marks("token").make(key, DeliveryId("d1"))
        with Said("here", mark=made).parameters() as params:
            sent = await town.client.http.send_message(int(town.general), params=params)
        pressed = await town.world.press(town.ana, town.general, str(sent["id"]), texts.FOLLOW_UP)
        assert heard == []
        await town.world.submit(town.ana, pressed, **{QUESTION: "who?"})
    assert heard == [FORM + made.custom_id]


async def test_what_was_missed_is_looked_for_once_in_each_new_session(town: Town) -> None:
    looks: list[int] = []

    def look() -> None:
        looks.append(len(town.client.guilds))
        town.world.changes.happened()

    town.world.add_guild("other")
    town.client.on_again = look
    async with town.connected():
        await town.world.until(lambda: looks)
        await asyncio.wait_for(town.client.wait_until_ready(), 10)
        assert looks == [2]
        await town.server.gateway.close()
        await town.world.until(lambda: town.server.gateway.resumes)
        assert looks == [2]
        await town.server.gateway.invalidate()
        await town.world.until(lambda: len(looks) == 2)


async def test_a_guild_that_comes_back_after_an_outage_is_no_new_session(town: Town) -> None:
    looks: list[int] = []
    other = town.world.add_guild("other")
    town.client.on_again = lambda: looks.append(1)
    async with town.connected():
        await asyncio.wait_for(town.client.wait_until_ready(), 10)
        for guild in (town.guild, other):
            town.world.announce("GUILD_DELETE", {"id": guild, "unavailable": True}, guild, "guilds")
        back = town.world.guild_payload(town.guild)
        town.world.announce("GUILD_CREATE", back, town.guild, "guilds")
        await asyncio.wait_for(town.client.wait_for("guild_available"), 10)
    assert looks == [1]


async def test_a_bot_in_no_guild_yet_looks_back_as_soon_as_it_is_ready(town: Town) -> None:
    town.world.remove_bot(town.guild)
    looked = asyncio.Event()
    town.client.on_again = looked.set
    async with town.connected():
        await asyncio.wait_for(looked.wait(), 10)


# --- addresses -------------------------------------------------------------------------------------


def addresses() -> tuple[str, yarl.URL]:
    return Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY


def test_the_addresses_are_put_back_afterwards() -> None:
    before = addresses()
    with pointed_at("http://a.example/api/v10", "ws://a.example/"):
        assert Route("GET", "/gateway").url == "http://a.example/api/v10/gateway"
        assert addresses()[1] == yarl.URL("ws://a.example/")
    assert addresses() == before


def test_the_addresses_are_put_back_after_a_failure_too_and_discords_own_gateway_stays() -> None:
    before = addresses()
    told: list[tuple[str, yarl.URL]] = []

    def fail() -> None:
        with pointed_at("http://a.example/api/v10", None):
            told.append(addresses())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert told == [("http://a.example/api/v10", before[1])]
    assert addresses() == before
