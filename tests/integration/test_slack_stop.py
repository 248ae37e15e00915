"""Somebody wants no answer any more: says so in the thread, or presses the button below a waiting message."""

import asyncio

import pytest

from bots import texts
from bots.demo.assistant.faults import hold, rate_limited
from bots.demo.slack.courier import Interaction
from bots.slack.stop_button import STOP
from core.model import Notice, Reason
from tests.fixtures.walk import Walk

STOPPED, NOTHING = (texts.notice(Notice(reason), "") for reason in (Reason.STOPPED, Reason.NOTHING_TO_STOP))


async def waiting(town: Walk, *, user: str | None = None, channel: str | None = None) -> str:
    """Have a question wait for an hour, and return its thread once it says so."""
    town.assistant.faults.add(rate_limited("3600"))
    ts = await town.mention("who consumes order.created?", user=user, channel=channel)
    (told,) = await town.answers(ts, channel=channel)
    assert "try again at" in told
    return ts


async def press(town: Walk, ts: str, user: str, *, value: str = "") -> str:
    """Press the button below the waiting message of a thread, and return what only the presser is told."""
    thread = town.workspace.thread(town.general, ts)
    told = next(message for message in thread if message.user == town.workspace.bot_user)
    interaction: Interaction = await town.workspace.click(
        user, town.general, told.ts, action_id=STOP, value=value
    )
    assert interaction.status == 200
    await town.workspace.until(lambda: interaction.replies)
    (note,) = town.workspace.ephemerals(user)[-1:]
    assert (note.text, note.thread_ts, note.channel) == (interaction.text, ts, town.general)
    assert not interaction.replies[0].in_channel
    return interaction.text


@pytest.mark.parametrize("words", ["stop", "Stop!", "<@{bot}> cancel"])
async def test_who_says_stop_in_a_thread_is_asked_for_no_more(town: Walk, words: str) -> None:
    async with town.run():
        ts = await waiting(town)
        said = words.format(bot=town.workspace.bot_user)
        await town.workspace.say(town.ana, town.general, said, thread=ts)
        assert (await town.answers(ts, 2))[1] == STOPPED
    assert town.states() == ["cancelled", "done"]
    assert len(town.assistant.journal) == 1


async def test_in_a_direct_thread_too(town: Walk) -> None:
    direct = town.workspace.direct_channel(town.ana)
    held = hold()
    town.assistant.faults.add(held)
    async with town.run():
        ts = await town.workspace.direct_message(town.ana, "who consumes order.created?")
        await town.assistant.wait_for_calls(1)
        await town.workspace.direct_message(town.ana, "stop", thread=ts)
        assert await town.answers(ts, channel=direct) == [STOPPED]
        held.release()
    assert town.states() == ["cancelled", "done"]
    assert town.workspace.status(direct, ts) == ""


async def test_nobody_stops_what_others_have_asked_by_a_word(town: Walk) -> None:
    async with town.run():
        ts = await waiting(town)
        await town.workspace.say(town.ben, town.general, "stop", thread=ts)
        await town.acknowledged()
    assert town.states() == ["accepted", "waiting"]


async def test_the_button_lets_go_of_its_pressers_questions_and_says_how_many(town: Walk) -> None:
    async with town.run():
        ts = await waiting(town)
        await town.workspace.say(town.ana, town.general, "and who publishes it?", thread=ts)
        await town.workspace.say(town.ben, town.general, "and who owns it?", thread=ts)
        await town.acknowledged()
        assert await press(town, ts, town.ana) == "Stopped: I have let go of your 2 questions here."
        assert await press(town, ts, town.ana) == NOTHING
        assert town.states() == ["accepted", "cancelled", "cancelled"]
        assert await press(town, ts, town.ben) == "Stopped: I have let go of your question here."
        assert town.states() == ["cancelled"] * 3
    assert len(town.assistant.journal) == 1


async def test_the_button_of_one_thread_reaches_no_other_whatever_its_value_says(town: Walk) -> None:
    async with town.run():
        ts = await waiting(town)
        other = await town.mention("who owns billing?")
        bens = await town.mention("who owns it?", user=town.ben)
        await town.answers(other)
        value = f"{town.general} {other} {bens} {town.ben}"
        assert await press(town, ts, town.ben, value=value) == NOTHING
        assert town.states() == ["accepted"] * 3
        assert await press(town, ts, town.ana, value=value) == "Stopped: I have let go of your question here."
        assert town.states() == ["accepted", "accepted", "cancelled"]


async def test_a_button_in_a_thread_we_do_not_know_stops_nothing(town: Walk) -> None:
    async with town.run():
        ts = await town.workspace.say(town.ben, town.general, "lunch?")
        await town.workspace.say(town.ben, town.general, "at noon?", thread=ts)
        interaction = await town.workspace.click(town.ana, town.general, ts, action_id=STOP)
        await town.workspace.until(lambda: interaction.replies)
        assert interaction.text == NOTHING


async def test_what_could_not_be_stopped_is_said_too(town: Walk) -> None:
    refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON deliveries BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    async with town.run():
        ts = await waiting(town)
        town.sql(refuse)
        assert (await press(town, ts, town.ana)).startswith("That did not work")
        town.sql("DROP TRIGGER refuse")
    assert town.states() == ["accepted"]


async def test_a_press_is_acknowledged_before_anything_is_done(town: Walk) -> None:
    async with town.run():
        ts = await waiting(town)
        presses = [town.workspace.click(town.ana, town.general, ts, action_id=STOP) for _ in range(3)]
        statuses = [press.status for press in await asyncio.gather(*presses)]
    assert statuses == [200] * 3
    assert town.states() == ["cancelled"]
