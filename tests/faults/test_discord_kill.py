"""The program, on Discord alone: killed, started again, ended by a signal, and refused for good."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bots.demo.assistant import faults
from bots.demo.discord import Hold
from tests.fixtures.guild import EDIT, POST, RESPOND, GuildWalk, environment, guild_walk, in_time
from tests.fixtures.program import program


@asynccontextmanager
async def _running(town: GuildWalk, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `threadline run`, and wait until Discord has let it in."""
    began = town.server.gateway.identifies
    async with program("run", env=environment(town), folder=str(folder)) as child:
        await town.world.until(lambda: town.server.gateway.identifies > began, 60)
        yield child


async def _kill(child: asyncio.subprocess.Process) -> None:
    child.send_signal(signal.SIGKILL)
    await child.wait()


async def test_killed_between_the_question_and_its_answer_it_answers_once(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = faults.hold()
        town.assistant.faults.add(held)
        async with _running(town, tmp_path) as first:
            asked = await town.ask("who consumes order.created?")
            await town.assistant.wait_for_calls(1)
            await _kill(first)
        held.release()
        async with _running(town, tmp_path) as second:
            thread = await town.thread_of(asked)
            await town.answers(thread)
            second.send_signal(signal.SIGTERM)
            assert await second.wait() == 0
        assert len(town.said(thread)) == 1
        assert town.states() == ["done"]


async def test_killed_before_the_question_is_shown_it_leaves_nobody_with_a_spinner(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = Hold()
        town.world.faults.add(EDIT, held)
        async with _running(town, tmp_path) as first:
            asked = await town.ask("who consumes order.created?")
            await in_time(held.held.wait())
            await _kill(first)
        town.world.faults.clear()
        assert asked.original is not None
        assert asked.original.is_loading
        async with _running(town, tmp_path):
            await town.answers(await town.thread_of(asked))
            assert not asked.original.is_loading


async def test_killed_before_it_said_that_it_thinks_it_answers_all_the_same(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = Hold()
        town.world.faults.add(RESPOND, held)
        async with _running(town, tmp_path) as first:
            asking = asyncio.create_task(town.ask("who consumes order.created?"))
            await in_time(held.held.wait())
            await _kill(first)
        town.world.faults.clear()
        town.clock.advance(3.1)
        assert (await asking).failed
        async with _running(town, tmp_path):
            await town.answers(town.general)
            thread = await town.thread(town.said(town.general)[0].id)
            assert "billing" in (await town.answers(thread))[0]
        assert [ping.mention for ping in town.world.pings] == [town.ana]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_while_it_posts_there_is_one_message(tmp_path: Path, *, after: bool) -> None:
    async with guild_walk(tmp_path) as town:
        held = Hold(after=after)
        town.world.faults.add(POST, held)
        async with _running(town, tmp_path) as first:
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await in_time(held.held.wait())
            await _kill(first)
        town.world.faults.clear()
        async with _running(town, tmp_path) as second:
            await town.answers(thread)
            second.send_signal(signal.SIGTERM)
            assert await second.wait() == 0
        assert len(town.said(thread)) == 1
        assert len(town.assistant.journal) == 1
        assert town.states() == ["done"]


async def test_a_private_answer_outlives_a_kill(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = faults.hold()
        town.assistant.faults.add(held)
        async with _running(town, tmp_path) as first:
            await town.ask("who consumes order.created?", private=True)
            await town.assistant.wait_for_calls(1)
            await _kill(first)
        held.release()
        async with _running(town, tmp_path):
            assert "billing" in (await town.whispers(1))[0]
        assert town.world.messages(town.general) == []


async def test_a_signal_lets_it_finish(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = faults.hold()
        town.assistant.faults.add(held)
        async with _running(town, tmp_path) as child:
            thread = await town.thread_of(await town.ask("who consumes order.created?"))
            await town.assistant.wait_for_calls(1)
            child.send_signal(signal.SIGTERM)
            await town.world.until(lambda: town.server.gateway.connections == 0)
            held.release()
            assert await child.wait() == 0
        assert "billing" in town.said(thread)[0].content
        assert town.states() == ["done"]


async def test_a_wrong_token_ends_it_with_an_instruction_and_no_identify(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        env = environment(town, DISCORD_TOKEN="another.token.altogether")
        async with program("run", env=env, folder=str(tmp_path)) as child:
            _, said = await child.communicate()
        assert child.returncode == 2
        assert b"DISCORD_TOKEN" in said
        assert b"Traceback" not in said
        assert b"another.token" not in said
        assert town.server.gateway.identifies == 0


async def test_a_missing_intent_ends_it_with_an_instruction(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        env = environment(town, DISCORD_MESSAGE_CONTENT="true")
        async with program("run", env=env, folder=str(tmp_path)) as child:
            _, said = await child.communicate()
        assert child.returncode == 2
        assert b"Message Content intent" in said
        assert b"Traceback" not in said


async def test_a_token_that_is_reset_meanwhile_ends_it_with_an_instruction(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with _running(town, tmp_path) as child:
            town.world.token = (
                "another"  # where the close is lost on the way, the next connection learns of it
            )
            await town.server.gateway.close(4004)
            _, said = await child.communicate()
        assert child.returncode == 2
        assert b"Discord does not accept DISCORD_TOKEN" in said
        assert b"Traceback" not in said
