"""The way to Discord's REST API goes wrong, by every toxic: one visible message, or a human is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from core.model import State
from tests.faults import toxics
from tests.faults.haste import in_haste, play, until_later
from tests.faults.messages_met import every_toxic
from tests.faults.proxy import FaultProxy
from tests.fixtures.guild import GuildWalk, guild_walk

CHANNELS, POST, OPEN = "/api/v10/channels/", "/messages", "/threads"
QUESTION = "who consumes order.created?"

# With the same nonce after a reply of 5xx, by discord.py; else only if a look has not found it.
met_by_a_message = every_toxic(sent_again={"silence", "reset before", "502", "502 after", "500 after"})


@asynccontextmanager
async def between(folder: Path) -> AsyncIterator[tuple[GuildWalk, FaultProxy]]:
    """Give an installation that reaches Discord's REST API through a proxy."""
    async with guild_walk(folder) as town, FaultProxy(town.server.api_url) as proxy:
        assert town.settings.discord is not None
        town.settings = replace(town.settings, discord=replace(town.settings.discord, api_url=proxy.url))
        yield town, proxy


async def done(town: GuildWalk, proxy: FaultProxy, end: str, state: str = "done") -> str:
    """Ask a question, wait until its way through `end` and then its end; return its thread."""
    message = await town.mention(QUESTION)
    await proxy.until(lambda: proxy.heard_of(CHANNELS, end) > 0)
    with in_haste(60):
        await until_later(town.world.changes, town.states, town.clock, lambda: town.states() == [state])
    return message


@met_by_a_message
def test_a_message_that_met_a_fault_is_there_once(toxic: toxics.Toxic, sent: int, tmp_path: Path) -> None:
    async def story() -> None:
        async with between(tmp_path) as (town, proxy):
            proxy.add(toxic, method="POST", path=CHANNELS, end=POST)
            async with town.run():
                thread = await done(town, proxy, POST)
            assert len(town.said(thread)) == 1
            assert "billing" in town.said(thread)[0].content
            assert len(town.assistant.journal) == 1
            assert proxy.heard_of(CHANNELS, POST) == sent

    play(story())


@met_by_a_message
def test_a_thread_whose_opening_met_a_fault_is_there_once(
    toxic: toxics.Toxic, sent: int, tmp_path: Path
) -> None:
    async def story() -> None:
        async with between(tmp_path) as (town, proxy):
            proxy.add(toxic, method="POST", path=CHANNELS, end=OPEN)
            async with town.run():
                thread = await done(town, proxy, OPEN)
            assert len(town.said(thread)) == 1
            assert town.said(town.general) == []
            assert proxy.heard_of(CHANNELS, OPEN) <= 2 + sent
            assert len(town.assistant.journal) == 1

    play(story())


def test_where_it_may_not_look_the_message_is_counted_as_ambiguous(tmp_path: Path) -> None:
    async def story() -> None:
        async with between(tmp_path) as (town, proxy):
            forbidden = toxics.said(403, "Forbidden", b'{"code": 50001, "message": "no"}')
            proxy.add(toxics.ResetAfter(), method="POST", path=CHANNELS, end=POST)
            proxy.add(forbidden, None, method="GET", path=CHANNELS)
            async with town.run() as threadline:
                thread = await done(town, proxy, POST, "ambiguous")
                tally = await threadline.tally()
            assert tally.by_state[State.AMBIGUOUS] == 1
            assert len(town.said(thread)) == 1
            assert proxy.heard_of(CHANNELS, POST) == 1

    play(story())
