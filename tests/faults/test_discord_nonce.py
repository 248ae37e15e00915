"""Discord stores a message and its reply is lost, or we die: sent again, it has its nonce, and is one."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bots import texts
from bots.demo.assistant import faults
from bots.demo.discord import Delay, Hold, HttpError
from tests.fixtures.guild import POST, GuildWalk, environment, guild_walk, in_time
from tests.fixtures.program import program

LONG = "\n\n".join(f"Paragraph {number} of a long answer. " * 15 for number in range(9)).strip()
HISTORY = "GET /channels/{channel}/messages"
PARTS = 3
A_FEW_MINUTES = 10 * 60  #: seconds, after which Discord has forgotten a nonce


def _words(town: GuildWalk, thread: str) -> str:
    """Return all that was said in a thread, without the white space at which it was cut."""
    said = "".join(one.content for one in town.said(thread)).removesuffix(texts.HOW_TO_GO_ON)
    return "".join(said.split())


def _nonces(town: GuildWalk) -> Counter[str]:
    """Return how often each nonce was sent."""
    return Counter(str(call.json["nonce"]) for call in town.world.calls_of(POST))


async def test_a_502_after_each_part_was_stored_leaves_each_part_once(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.says(LONG))
        for _ in range(PARTS):
            town.world.faults.add(POST, HttpError(502, after=True), Delay(0))
        async with town.run():
            thread = await town.thread(await town.mention("tell me all"))
            await town.called(POST, many=PARTS)
        assert _words(town, thread) == "".join(LONG.split())
        assert len(town.said(thread)) == PARTS
        assert list(_nonces(town).values()) == [2] * PARTS
        assert town.states() == ["done"]


@asynccontextmanager
async def _running(town: GuildWalk, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    began = town.server.gateway.identifies
    async with program("run", env=environment(town), folder=str(folder)) as child:
        await town.world.until(lambda: town.server.gateway.identifies > began, 60)
        yield child


async def _killed_while_it_posts(town: GuildWalk, folder: Path, number: int, *, after: bool) -> None:
    """Run the program until Discord is at a part of its answer, and kill it then."""
    held = Hold(after=after)
    if number > 0 and not after:
        town.world.faults.add(POST, Delay(0))  # the part before, which was never stored
    town.world.faults.add(POST, held)
    async with _running(town, folder) as child:
        if number == 0:
            await town.mention("tell me all")
        await in_time(held.held.wait())
        child.send_signal(signal.SIGKILL)
        await child.wait()


@pytest.mark.parametrize("away", [0, A_FEW_MINUTES], ids=["at once", "minutes later"])
@pytest.mark.parametrize("after", [False, True], ids=["before it was stored", "after"])
async def test_killed_at_every_part_of_an_answer_in_turn_it_is_there_once(
    tmp_path: Path, *, after: bool, away: int
) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.says(LONG))
        for number in range(PARTS):
            await _killed_while_it_posts(town, tmp_path, number, after=after)
            town.clock.advance(away)
        async with _running(town, tmp_path) as last:
            (thread,) = [one.id for one in town.world.channels.values() if one.parent == town.general]
            await town.answers(thread, PARTS)
            last.send_signal(signal.SIGTERM)
            assert await last.wait() == 0
        assert _words(town, thread) == "".join(LONG.split())
        assert len(town.said(thread)) == PARTS
        assert len(town.assistant.journal) == 1
        assert town.states() == ["done"]


async def test_without_a_look_the_nonce_alone_keeps_it_one_message(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, *[HttpError(502, after=True)] * 2)
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.called(POST)
        assert len(town.said(thread)) == 1
        assert list(_nonces(town).values()) == [3]
        assert HISTORY not in {call.route for call in town.world.calls if call.ids.get("channel") == thread}
        assert town.states() == ["done"]


async def test_a_post_that_reaches_discord_after_its_process_has_died_is_the_same_message(
    tmp_path: Path,
) -> None:
    async with guild_walk(tmp_path) as town:
        late = Hold()
        town.world.faults.add(POST, late)
        async with _running(town, tmp_path) as first:
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await in_time(late.held.wait())
            first.send_signal(signal.SIGKILL)
            await first.wait()
        async with _running(town, tmp_path) as second:
            await town.answers(thread)
            late.release()
            await town.called(POST, many=2)
            second.send_signal(signal.SIGTERM)
            assert await second.wait() == 0
        assert len(town.said(thread)) == 1
        assert list(_nonces(town).values()) == [2]
        assert len(town.assistant.journal) == 1
        assert town.states() == ["done"]
