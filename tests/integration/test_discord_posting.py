"""Posts whose outcome nobody knows: there is one message in the end, whatever happened in between."""

from pathlib import Path

import pytest

from bots import texts
from bots.demo.assistant import faults
from bots.demo.discord import HttpError, Message, Reset
from tests.fixtures.guild import POST, GuildWalk, guild_walk

LONG = "\n\n".join(f"Paragraph {number} of a long answer. " * 15 for number in range(9)).strip()
HISTORY = "GET /channels/{channel}/messages"


async def test_what_discord_stored_and_then_failed_at_is_shown_once(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, HttpError(502, after=True))
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.called(POST)
        first, again = town.world.calls_of(POST)
        assert first.json["nonce"] == again.json["nonce"]
        assert len(town.said(thread)) == 1
        assert town.states() == ["done"]


@pytest.mark.parametrize("lost", [HttpError(503, after=True), Reset(after=True)], ids=["503", "reset"])
@pytest.mark.parametrize("inline", [False, True], ids=["thread", "channel"])
async def test_a_post_whose_reply_was_lost_is_looked_for(
    tmp_path: Path, lost: HttpError | Reset, inline: bool
) -> None:
    async with guild_walk(tmp_path) as town:
        if inline:
            town.world.deny(town.general, "create_public_threads")
        town.world.faults.add(POST, lost)
        async with town.run():
            message = await town.mention("who consumes order.created?")
            place = town.general if inline else await town.thread(message)
            await town.answers(place)
            await town.until_later(lambda: len(town.world.calls_of(HISTORY)) > 1)
        assert len(town.said(place)) == 1
        assert len(town.world.calls_of(POST)) == 1
        assert town.states() == ["done"]


async def test_a_post_that_never_came_to_be_is_posted_again(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, Reset())
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.until_later(lambda: town.said(thread))
        assert len(town.assistant.journal) == 1
        assert town.states() == ["done"]


async def test_a_lost_part_in_the_middle_is_known_by_its_words(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.says(LONG))
        async with town.run():
            thread = await town.thread(await town.mention("tell me all"))
            town.world.faults.add(POST, HttpError(503, after=True))
            await town.until_later(lambda: _whole(town, thread))
        whole = "".join(one.content for one in town.said(thread)).removesuffix(texts.HOW_TO_GO_ON)
        assert "".join(whole.split()) == "".join(LONG.split())


async def test_a_lost_notice_is_known_by_its_words(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town:
        town.world.faults.add(POST, HttpError(503, after=True))
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
            await town.until_later(lambda: len(town.world.calls_of(HISTORY)) > 1)
        assert len(town.said(thread)) == 1


async def test_where_it_may_not_look_a_human_has_to(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, HttpError(503, after=True))
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
            town.world.faults.add(HISTORY, HttpError(403, code=50001), times=5)
            await town.until_later(lambda: len(town.world.calls_of(HISTORY)) > 1)
        assert town.states() == ["ambiguous"]


async def test_in_a_thread_that_is_gone_nothing_was_posted(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, HttpError(503))
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.called(POST, 503)
            town.world.delete_channel(thread)
            await town.until_later(lambda: thread in town.world.channels and town.said(thread))
        assert town.states() == ["done"]


async def test_a_direct_answer_whose_reply_was_lost_is_found_there(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.leaves_thinking = True
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            asked = await town.ask("who consumes order.created?", private=True)
            town.world.expire(asked)
            town.world.faults.add(POST, HttpError(503, after=True))
            held.release()
            direct = town.world.open_dm(town.ana)
            await town.answers(direct)
            await town.until_later(lambda: town.states() == ["done"], 15 * 60)
        assert len(town.said(direct)) == 1
        assert town.states() == ["done"]


async def test_a_lost_notice_by_direct_message_is_found_there(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            await town.mention("who consumes order.created?")
            await town.assistant.wait_for_calls(1)
            town.world.deny(town.general, "send_messages", "send_messages_in_threads")
            town.world.faults.add(POST, HttpError(403, code=50013), HttpError(403, code=50013))
            town.world.faults.add(POST, HttpError(503, after=True))
            held.release()
            direct = town.world.open_dm(town.ana)
            await town.answers(direct)
            await town.until_later(lambda: len(town.world.calls_of(HISTORY)) > 1)
        assert len(town.said(direct)) == 1
        assert town.states() == ["buried"]


async def test_it_is_looked_for_no_further_back_than_the_delivery_before(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
            town.world.faults.add(POST, HttpError(503))
            await town.mention("and who publishes it?", channel=thread)
            await town.called(POST, 503)
            await town.until_later(lambda: len(town.said(thread)) == 2)
        assert town.states() == ["done", "done"]


async def test_behind_a_hundred_messages_it_is_found_still(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, HttpError(503, after=True))
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
            for number in range(110):
                await town.world.say(town.ben, thread, f"talk {number}")
            await town.until_later(lambda: len(town.world.calls_of(HISTORY)) > 2)
        assert len(town.said(thread)) == 1
        assert town.states() == ["done"]


async def test_behind_too_many_messages_a_human_has_to_look(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, HttpError(503, after=True))
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
            for number in range(510):
                await town.world.say(town.ben, thread, f"talk {number}")
            await town.until_later(lambda: len(town.world.calls_of(HISTORY)) > 5)
        assert town.states() == ["ambiguous"]


def _whole(town: GuildWalk, thread: str) -> list[Message]:
    return [one for one in town.said(thread) if one.components]
