"""A look at what was missed: by the time of day, and not the last one where it fails unforeseen."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import discord
import pytest_asyncio
from structlog.testing import capture_logs

from bots.demo.discord import DiscordServer, DiscordWorld
from bots.discord.catch_up import AGAIN_AFTER, CatchUp
from bots.discord.client import ThreadlineClient, log_in, pointed_at
from bots.discord.keys import DISCORD, thread_key, workspace
from core.model import AuthorId, EventId, MessageId, Outcome, Question, ThreadKey
from core.testing import SettableClock
from tests.fixtures.guild import in_time
from tests.fixtures.world import World

SIX_HOURS = 6 * 3600  #: seconds, for which it looks back


@dataclass
class Story:
    """Channels in which we were asked, a look at them, and what it found there."""

    world: DiscordWorld
    clock: SettableClock  #: Discord's
    core: World
    client: ThreadlineClient
    guild: str
    ana: str
    offered: list[str] = field(default_factory=list)
    fails_at: str = ""

    @property
    def catch_up(self) -> CatchUp:
        return CatchUp(self.client, self.core.asking, self.core.linking, self.core.clock, self._offer)

    async def asked_in(self, name: str) -> str:
        """Have a question stored that was asked in a channel, and return the channel."""
        channel = self.world.add_channel(self.guild, name)
        asked = await self.world.say(self.ana, channel, "hello")
        key = thread_key(workspace(int(self.guild)), int(channel), int(asked))
        await self.core.asking.accept(self.question(key, asked))
        return channel

    async def spoil(self, channel: str) -> None:
        """Have a question stored of which the key is none of ours."""
        key = ThreadKey(DISCORD, workspace(int(self.guild)), channel, "nonsense")
        await self.core.asking.accept(self.question(key, "1"))

    def question(self, key: ThreadKey, message: str) -> Question:
        return Question(
            event=EventId(message),
            message=MessageId(message),
            thread=key,
            author=AuthorId(self.ana),
            text="who?",
            asked_at=self.clock.now(),
        )

    async def _offer(self, message: discord.Message, _: bool) -> Outcome:
        self.offered.append(message.content)
        self.world.changes.happened()
        if message.content == self.fails_at:
            raise ZeroDivisionError
        return Outcome.IGNORED


@pytest_asyncio.fixture
async def story() -> AsyncIterator[Story]:
    clock, core = SettableClock(), World()
    world = DiscordWorld(clock)
    server = DiscordServer(world)
    await server.start()
    guild, ana = world.add_guild("acme"), world.add_user("ana")
    world.join(guild, ana)
    with pointed_at(server.api_url, None):
        client = ThreadlineClient(core.clock, message_content=True, proxy=None)
        world.granted_intents.add("message_content")
        await log_in(client, world.token)
        yield Story(world, clock, core, client, guild, ana)
        await client.close()
    await server.stop()


async def test_what_fails_at_one_place_is_told_of_and_costs_the_others_nothing(story: Story) -> None:
    for name in ("one", "two"):
        await story.world.say(story.ana, await story.asked_in(name), f"in {name}")
    story.fails_at = "in one"
    with capture_logs() as logs:
        assert await story.catch_up.run()
    assert {"in one", "in two"} <= {*story.offered}
    assert [line["event"] for line in logs if line.get("exc_info")] == ["cannot catch up"]


async def test_it_looks_back_by_the_time_of_day_that_was_set_right_meanwhile(story: Story) -> None:
    story.core.clock.advance(SIX_HOURS + 60)
    story.core.clock.jump(-SIX_HOURS - 60)
    await story.asked_in("general")
    assert await story.catch_up.run()
    assert story.offered == ["hello"]


async def test_a_look_that_fails_is_told_of_and_not_the_last_one(story: Story) -> None:
    channel = await story.asked_in("general")
    await story.spoil(channel)
    catch_up = story.catch_up
    working = asyncio.create_task(catch_up.keep_up())
    catch_up.want()
    with capture_logs() as logs:
        await in_time(story.core.until(lambda: logs, step=0.0))
        assert [(line["event"], line["exc_info"]) for line in logs] == [("cannot catch up", True)]
        story.clock.advance(SIX_HOURS)
        late = thread_key(workspace(int(story.guild)), int(channel), 7)
        await story.core.asking.accept(story.question(late, "7"))
        await story.world.say(story.ana, channel, "and now?")
        story.core.clock.advance(SIX_HOURS + AGAIN_AFTER)  # now the spoilt one is too old to be looked at
        await in_time(story.world.changes.until(lambda: "and now?" in story.offered))
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert working.cancelled()
