"""After a start: what was written while nobody listened is answered once, and nothing else is."""

import asyncio
from dataclasses import replace
from pathlib import Path

from bots.demo.slack import HttpError, RateLimited, Refuse
from tests.fixtures.program import environment, program
from tests.fixtures.walk import SHOP, Walk


async def begun(town: Walk) -> str:
    """Have a thread answered, and the channel linked, so that both are known after the next start."""
    async with town.run():
        await town.workspace.command(town.ana, town.general, "/threadline", f"link {SHOP}")
        await town.workspace.until(lambda: town.workspace.ephemerals(town.ana))
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
    town.slack.send_events_to("")
    return ts


async def caught_up(town: Walk, threads: int = 1) -> None:
    await town.until_called("conversations.replies", threads)
    await town.acknowledged()


async def test_what_was_missed_is_answered_once(town: Walk) -> None:
    ts = await begun(town)
    await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
    await town.workspace.say(town.ben, town.general, f"<@{town.ana}> lunch?", thread=ts)
    await town.workspace.say(town.ben, town.general, "lunch?")
    missed = await town.mention("who owns billing?")
    async with town.run():
        assert "order-service" in (await town.answers(ts, 2))[1]
        await town.answers(missed)
        await asyncio.gather(*(town.workspace.repeat_event(event, 1) for event in town.workspace.events))
    async with town.run():
        await town.until_called("conversations.replies", 3)
    assert len(town.assistant.journal) == 3
    assert (len(town.posted(ts)), len(town.posted(missed))) == (2, 1)
    assert town.states() == ["done"] * 3


async def test_talk_from_before_our_first_question_in_a_thread_is_not_ours(town: Walk) -> None:
    async with town.run():
        root = await town.workspace.say(town.ben, town.general, "billing is slow")
        await town.workspace.say(town.ben, town.general, "very slow", thread=root)
        await town.mention("who owns billing?", thread=root)
        await town.answers(root)
    async with town.run():
        await caught_up(town)
    async with town.run():
        await caught_up(town, 2)
    assert len(town.assistant.journal) == 1


async def test_direct_messages_are_caught_up_with_too(town: Walk) -> None:
    direct = town.workspace.direct_channel(town.ben)
    async with town.run():
        first = await town.workspace.direct_message(town.ben, "who consumes order.created?")
        await town.answers(first, channel=direct)
    town.slack.send_events_to("")
    await town.workspace.direct_message(town.ben, "and who publishes it?", thread=first)
    second = await town.workspace.direct_message(town.ben, "who owns billing?")
    async with town.run():
        await town.answers(first, 2, channel=direct)
        await town.answers(second, channel=direct)
    assert len(town.assistant.journal) == 3


async def test_slack_may_ask_for_patience(town: Walk) -> None:
    ts = await begun(town)
    town.workspace.faults.add("conversations.history", RateLimited(1))
    await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
    missed = await town.mention("who owns billing?")
    async with town.run():
        await town.answers(missed)
        await town.answers(ts, 2)
    *_, refused, read = town.calls("conversations.history")
    assert (read.at - refused.at).total_seconds() >= 1


async def test_a_channel_that_cannot_be_read_hides_no_other(town: Walk) -> None:
    random = town.workspace.add_channel("random")
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        other = await town.mention("who consumes order.created?", channel=random)
        await town.answers(other, channel=random)
    town.slack.send_events_to("")
    places = (town.general, random)
    missed = {channel: await town.mention("who owns billing?", channel=channel) for channel in places}
    town.workspace.faults.add("conversations.history", Refuse("channel_not_found"))
    async with town.run():
        await town.workspace.until(lambda: any(town.posted(missed[at], channel=at) for at in missed))
        await town.until_called("conversations.replies", 2)
    assert sum(len(town.posted(missed[at], channel=at)) for at in missed) == 1


async def test_a_database_that_is_away_for_one_question_hides_no_other(town: Walk) -> None:
    await begun(town)
    town.sql(
        "CREATE TRIGGER refuse BEFORE INSERT ON deliveries WHEN NEW.author = '"
        + town.ben
        + "' BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    await town.mention("who owns billing?", user=town.ben)
    missed = await town.mention("who owns billing?")
    async with town.run():
        await town.answers(missed)
    assert len(town.posted(missed)) == 1


async def test_a_channel_shared_with_strangers_stays_without_answers(town: Walk) -> None:
    shared = town.workspace.add_channel("partners")
    async with town.run():
        ts = await town.mention("who consumes order.created?", channel=shared)
        await town.answers(ts, channel=shared)
    town.slack.send_events_to("")
    town.workspace.channels[shared] = replace(town.workspace.channels[shared], is_shared=True)
    await town.workspace.say(town.ben, shared, "and who publishes it?", thread=ts)
    missed = await town.mention("who owns billing?", channel=shared)
    async with town.run():
        assert "shared with another organisation" in (await town.answers(ts, 2, channel=shared))[1]
        assert "shared with another organisation" in (await town.answers(missed, channel=shared))[0]
    assert len(town.assistant.journal) == 1


async def test_where_slack_does_not_say_whether_it_is_shared_nothing_is_taken_up(town: Walk) -> None:
    ts = await begun(town)
    await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
    town.workspace.faults.add("conversations.info", HttpError(500), HttpError(500))
    async with town.run():
        await town.until_called("conversations.info", 2)
    assert len(town.assistant.journal) == 1


async def test_missed_follow_ups_are_answered_as_they_were_written(town: Walk) -> None:
    ts = await begun(town)
    for text in ("and who publishes it?", "who owns billing?", "who owns inventory?"):
        await town.workspace.say(town.ben, town.general, text, thread=ts)
    async with town.run():
        await town.answers(ts, 4)
    asked = [call.messages[-1][1] for call in town.assistant.journal[1:]]
    assert [text.partition(": ")[2] or text for text in asked] == [
        "and who publishes it?",
        "who owns billing?",
        "who owns inventory?",
    ]


async def test_a_channel_that_lives_by_the_default_project_is_caught_up_with(town: Walk) -> None:
    town.slack.send_events_to("")
    missed = await town.mention("who owns billing?")
    async with town.run():
        assert "Payments" in (await town.answers(missed))[0]


async def test_a_thread_that_began_while_nobody_listened_is_read_too(town: Walk, tmp_path: Path) -> None:
    root = await town.mention("who consumes order.created?")
    await town.mention("who owns billing?", user=town.ben, thread=root)
    async with program("run", env=environment(town), folder=str(tmp_path)):
        assert "Payments" in (await town.answers(root, 2))[1]


async def test_so_is_one_that_others_began_from_where_we_were_asked(town: Walk) -> None:
    town.slack.send_events_to("")
    root = await town.workspace.say(town.ben, town.general, "billing is slow")
    await town.workspace.say(town.ben, town.general, "very slow", thread=root)
    await town.mention("who owns billing?", thread=root)
    await town.workspace.say(town.ben, town.general, "and who owns inventory?", thread=root)
    silent = await town.workspace.say(town.ben, town.general, "lunch?")
    await town.workspace.say(town.ana, town.general, "yes", thread=silent)
    async with town.run():
        await town.answers(root, 2)
        await town.until_called("conversations.replies", 2)
    async with town.run():
        await town.until_called("conversations.replies", 4)
    assert len(town.assistant.journal) == 2
    assert town.states() == ["done"] * 2
    assert not town.posted(silent)


async def test_a_question_that_a_later_one_overtook_is_found(town: Walk) -> None:
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        town.slack.send_events_to("")
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        town.slack.send_events_to(town.events_url)
        await town.workspace.say(town.ben, town.general, "who owns billing?", thread=ts)
        await town.answers(ts, 2)
    town.slack.send_events_to("")
    async with town.run():
        assert "order-service" in (await town.answers(ts, 3))[2]
    assert len(town.assistant.journal) == 3
