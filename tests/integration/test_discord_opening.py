"""The thread of a question: opened late, by others, anew, or not at all, and who waits for it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.demo.assistant import faults
from bots.demo.discord import Hold, HttpError, RateLimited
from bots.discord.client import ThreadlineClient
from bots.discord.keys import DISCORD, workspace
from bots.discord.opening import Opening, Place
from bots.discord.receipts import Receipts, Ticket
from bots.discord.replies import Replies
from core.clock import SystemClock
from core.model import NO_RECEIPT, Address, AuthorId, DeliveryId, ThreadKey
from tests.fixtures.guild import EDIT, OPEN_THREAD, guild_walk, in_time

CHANNEL, MESSAGE = "10", "20"
THREAD = ThreadKey(DISCORD, workspace(1), CHANNEL, MESSAGE)
TO = Address(THREAD, DeliveryId("d1"), AuthorId("2"), SystemClock().now(), NO_RECEIPT)


async def _moves(_: ThreadKey, __: str) -> bool:
    return True


def _opening() -> Opening:
    client = ThreadlineClient(SystemClock(), message_content=False, proxy=None)
    return Opening(client, Replies(client), Receipts("token"), _moves)


async def test_who_waits_for_a_thread_that_is_not_opened_after_all_uses_the_one_there_is() -> None:
    opening = _opening()
    assert opening.begin(THREAD)
    waiting = asyncio.create_task(opening.place(TO))
    await asyncio.sleep(0)
    opening.forget(THREAD)  # the message came twice: its thread has been there for long
    assert await waiting == Place(int(MESSAGE), THREAD)


async def test_it_is_only_announced_once_until_it_is_forgotten() -> None:
    opening = _opening()
    assert opening.begin(THREAD)
    assert not opening.begin(THREAD)
    opening.forget(THREAD)
    assert opening.begin(THREAD)


async def test_of_very_many_threads_the_oldest_are_forgotten() -> None:
    opening = _opening()
    for number in range(10_001):
        assert opening.begin(ThreadKey(DISCORD, workspace(1), CHANNEL, str(number)))
        opening.attend(Ticket(number, "token", "asked"))
    assert opening.begin(ThreadKey(DISCORD, workspace(1), CHANNEL, "0"))
    assert not opening.begin(ThreadKey(DISCORD, workspace(1), CHANNEL, "10000"))


async def test_a_thread_that_somebody_opened_first_is_used(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        held = Hold()
        town.world.faults.add(OPEN_THREAD, held)
        message = await town.mention("who consumes order.created?")
        await in_time(held.held.wait())
        await town.world.open_thread(town.ben, town.general, "let me help", message)
        held.release()
        await town.answers(message)
        assert town.said(town.general) == []


async def test_a_thread_that_discord_will_not_open_for_another_reason_is_done_without(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        town.world.faults.add(OPEN_THREAD, HttpError(400, code=50024))
        await town.mention("who consumes order.created?")
        assert "-# No thread: Discord would not open one." in (await town.answers(town.general))[0]


async def test_a_channel_nobody_told_us_of_is_asked_for(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        gateway, town.world.gateway = town.world.gateway, None
        unheard = town.world.add_channel(town.guild, "unheard-of")
        town.world.gateway = gateway
        message = await town.mention("who consumes order.created?", channel=unheard)
        await town.answers(await town.thread(message))


async def test_after_the_bot_token_was_changed_what_was_asked_is_answered_in_its_channel(
    tmp_path: Path,
) -> None:
    async with guild_walk(tmp_path) as town:
        town.leaves_thinking = True  # who could take it away was the old token
        town.world.faults.add(EDIT, RateLimited(400.0), times=9)
        town.assistant.faults.add(faults.rate_limited("70"))
        async with town.run():
            await town.ask("who consumes order.created?")
            await town.assistant.wait_for_finished(1)
        town.world.token = "another.bot.token"
        assert town.settings.discord is not None
        discord = replace(town.settings.discord, token=SecretStr(town.world.token))
        town.settings = replace(town.settings, discord=discord)
        town.clock.advance(70)
        async with town.run():
            answer = (await town.answers(town.general, 2))[-1]
            assert answer.startswith(f"<@{town.ana}> ")


async def test_where_a_question_can_not_be_shown_anew_its_asker_is_told_directly(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.leaves_thinking = True
        async with town.run():
            town.world.deny(town.general, "send_messages")
            town.world.faults.add(EDIT, HttpError(404, code=10015))
            await town.ask("who consumes order.created?")
            (told,) = await town.answers(town.world.open_dm(town.ana))
            assert "but I may not answer there" in told
        assert town.states() == ["buried"]


@pytest.mark.parametrize("spent", [False, True], ids=["in time", "too late"])
async def test_a_question_left_thinking_in_a_thread_is_shown_after_a_restart(
    tmp_path: Path, *, spent: bool
) -> None:
    async with guild_walk(tmp_path) as town:
        town.leaves_thinking = spent
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
            town.world.faults.add(EDIT, HttpError(403, code=50001))
            town.assistant.faults.add(faults.rate_limited("30"))
            asked = await town.world.slash(town.ana, thread, "ask", question="and who publishes it?")
            await town.assistant.wait_for_finished(2)
            await town.called(EDIT, 403)
        assert asked.original is not None
        assert asked.original.is_loading
        if spent:
            town.world.expire(asked)
        town.clock.advance(30)
        async with town.run():
            await town.answers(thread, 3)
        assert asked.original.is_loading is spent
