"""Nobody has to wait for what they do not want any more: `stop`, typed, as a command, and as a button."""

from dataclasses import replace
from pathlib import Path

import pytest

from bots import texts
from bots.demo.assistant import faults
from bots.demo.discord import HttpError, Message
from core.services.allowances import Allowances
from tests.fixtures.guild import EDIT, POST, GuildWalk, guild_walk

FIRST = "who consumes order.created?"
LONG = "1000"  #: seconds
STOPPED = "Stopped. What you had asked here"
NOTHING = "There is nothing of yours here"


async def _asked(town: GuildWalk, *, user: str | None = None) -> str:
    """Have a question asked of an assistant that says nothing yet, and return its thread."""
    town.assistant.faults.add(faults.hold())
    thread = await town.thread(await town.mention(FIRST, user=user))
    await town.assistant.wait_for_calls(1)
    return thread


async def _waits(town: GuildWalk) -> Message:
    """Have a question asked that will have to wait for long, and return the message that tells of it."""
    town.assistant.faults.add(faults.rate_limited(LONG))
    thread = await town.thread(await town.mention(FIRST))
    await town.answers(thread)
    return town.said(thread)[0]


async def _pressed(town: GuildWalk, told: Message, user: str) -> str:
    """Press *Stop* under a message, and return what whoever pressed it is told alone."""
    before = len(town.world.ephemerals(user))
    pressed = await town.world.press(user, told.channel, told.id, texts.STOP_BUTTON)
    assert not pressed.failed
    await town.world.until(lambda: pressed.original is not None and not pressed.original.is_loading)
    assert pressed.original is not None
    assert pressed.original.ephemeral
    assert len(town.world.ephemerals(user)) == before + 1
    return pressed.original.content


@pytest.mark.parametrize("reads", [False, True], ids=["mentioned", "plain"])
async def test_stop_written_in_a_thread_ends_what_its_writer_waits_for(
    tmp_path: Path, *, reads: bool
) -> None:
    async with guild_walk(tmp_path) as town:
        if reads:
            town.reads_everything()
        async with town.run():
            thread = await _asked(town)
            await town.mention("who owns billing?", channel=thread, user=town.ben)
            words = "Stop!" if reads else f"<@{town.world.bot_user}> Stop!"
            await town.world.say(town.ana, thread, words)
            said = "\n".join(await town.answers(thread, 2))
            assert STOPPED in said
            assert "billing" in said
        assert town.states() == ["cancelled", "done", "done"]
        assert town.asked() == [FIRST, "who owns billing?"]


async def test_stop_where_nothing_waits_is_answered_in_the_channel_without_a_thread(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        message = await town.mention("stop")
        (told,) = await town.answers(town.general)
        assert NOTHING in told
        await town.elsewhere()
        assert message not in town.world.channels
        assert town.asked() == []


async def test_stop_as_a_command_is_told_to_its_user_alone_and_opens_no_thread(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            thread = await _asked(town)
            assert NOTHING in await town.slash("ask", question="stop")
            assert NOTHING in await town.slash("ask", question="stop", private=True)
            assert NOTHING in await town.slash("ask", question="stop", channel=thread, user=town.ben)
            assert await town.slash("ask", question=" Cancel. ", channel=thread) == texts.stopped(1)
            assert town.world.threads(town.general) == [town.world.channels[thread]]
        assert town.states() == ["cancelled"]
        assert town.asked() == [FIRST]


async def test_in_direct_messages_stop_works_both_ways(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        direct = town.world.open_dm(town.ana)
        async with town.run():
            for words in ("stop", "/ask stop"):
                held = faults.hold()
                town.assistant.faults.add(held)
                await town.world.say(town.ana, direct, FIRST)
                await town.world.until(lambda: town.world.typing(direct))
                if words == "stop":
                    await town.world.say(town.ana, direct, words)
                    assert STOPPED in (await town.answers(direct))[0]
                else:
                    assert await town.slash("ask", question="stop", channel=direct) == texts.stopped(1)
        assert town.states() == ["cancelled", "cancelled", "done"]


async def test_stop_in_the_form_under_an_answer_is_no_question(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.answers(thread)
        held = faults.hold()
        town.assistant.faults.add(held)
        await town.mention("and who publishes it?", channel=thread)
        await town.assistant.wait_for_calls(2)
        done = await town.go_on(thread, "stop")
        await town.world.until(lambda: done.original is not None and not done.original.is_loading)
        assert done.original is not None
        assert done.original.content == texts.stopped(1)
        assert len(town.said(thread)) == 1


async def test_the_button_under_a_wait_stops_the_questions_of_whoever_presses_it(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            told = await _waits(town)
            assert NOTHING in await _pressed(town, told, town.ben)
            assert await _pressed(town, told, town.ana) == texts.stopped(1)
            assert NOTHING in await _pressed(town, told, town.ana)
            town.clock.advance(float(LONG) * 2)
            await town.elsewhere()
            assert town.said(told.channel) == [told]
        assert town.asked() == [FIRST]
        assert town.states() == ["cancelled", "done"]


async def test_the_button_works_after_a_restart_and_in_the_channel_where_there_is_no_thread(
    tmp_path: Path,
) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.deny(town.general, "create_public_threads")
        town.assistant.faults.add(faults.rate_limited(LONG))
        async with town.run():
            await town.ask(FIRST)
            await town.world.until(lambda: [one for one in town.said(town.general) if one.components])
        async with town.run():
            assert await _pressed(town, town.said(town.general)[-1], town.ana) == texts.stopped(1)
        assert town.states() == ["cancelled"]


async def test_a_private_wait_has_the_button_too_and_its_answer_has_it_no_more(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.rate_limited("600"), faults.says("Long. " * 500))
        async with town.run():
            asked = await town.ask(FIRST, private=True)
            await town.whispers(1)
            assert asked.original is not None
            ((button,),) = [row["components"] for row in asked.original.components]
            assert button["label"] == texts.STOP_BUTTON
            town.clock.advance(750)
            await town.world.until(lambda: len(asked.followups) == 1)
            assert asked.original.components == ()
            assert asked.followups[0].components
        assert town.states() == ["done"]


async def test_a_forged_button_stops_nothing(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            told = await _waits(town)
            ((button,),) = [row["components"] for row in told.components]
            forged = button | {"custom_id": button["custom_id"][:-8] + "abcdefgh"}
            town.world.keep(replace(told, components=({"type": 1, "id": 1, "components": [forged]},)))
            assert "no longer works" in await _pressed(town, told, town.ana)
        assert town.states() == ["accepted"]


async def test_where_stopping_cannot_be_stored_it_says_so(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            told = await _waits(town)
            town.sql("ALTER TABLE conversations RENAME TO away")
            assert "my database is not available" in await _pressed(town, told, town.ana)
            town.sql("ALTER TABLE away RENAME TO conversations")
        assert town.states() == ["accepted"]


async def test_what_waits_in_an_outage_can_be_stopped(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        for _ in range(40):
            town.assistant.faults.add(faults.status(503))
        async with town.run():
            thread = await town.thread(await town.mention(FIRST))
            await town.until_later(lambda: town.said(thread), 30.0)
            (told,) = town.said(thread)
            assert "does not answer just now" in told.content
            assert await _pressed(town, told, town.ana) == texts.stopped(1)
        assert town.states() == ["cancelled"]


async def test_who_has_asked_too_much_is_told_and_later_refused_in_a_sentence(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.settings = replace(town.settings, allowances=Allowances(person=1))
        async with town.run():
            thread = await town.thread(await town.mention(FIRST))
            await town.answers(thread)
            for number in range(2, 5):
                await town.mention("and who publishes it?", channel=thread)
                assert "as many questions as one person may" in (await town.answers(thread, number))[-1]
            refused = await town.world.slash(town.ana, thread, "ask", question="and now?")
            await town.world.until(lambda: refused.original is not None and not refused.original.is_loading)
            assert refused.original is not None
            assert refused.original.content == texts.TOO_MANY_HERE
            await town.mention("and now?", channel=thread)
            await town.elsewhere()
            assert len(town.said(thread)) == 5
        assert town.asked() == [FIRST]


@pytest.mark.parametrize("route", [POST, EDIT])
async def test_that_a_wait_cannot_be_told_costs_nothing(tmp_path: Path, route: str) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.rate_limited("100"))
        async with town.run():
            asked = await town.ask(FIRST, private=route == EDIT)
            town.world.faults.add(route, HttpError(403, 50013), times=1 if route == EDIT else 2)
            await town.called(route, 403)
            town.clock.advance(130)
            if route == EDIT:
                assert "billing" in (await town.whispers(1))[0]
            else:
                assert "billing" in (await town.answers(await town.thread_of(asked)))[-1]
