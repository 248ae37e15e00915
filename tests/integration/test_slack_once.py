"""Each question once, each thread in order, and none held up by another."""

import asyncio
from itertools import pairwise

from bots.demo.assistant.faults import hold
from tests.fixtures.walk import Walk


async def test_an_event_that_comes_many_times_at_once_is_one_question(town: Walk) -> None:
    async with town.run():
        town.slack.send_events_to("")  # nothing arrives the usual way
        ts = await town.mention("who consumes order.created?")
        events = list(town.workspace.events)
        assert len(events) == 2  # a mention is told twice, by `app_mention` and by `message`
        town.slack.send_events_to(town.events_url)
        attempts = await asyncio.gather(*(town.workspace.repeat_event(event, 3) for event in events))
        assert {attempt.status for many in attempts for attempt in many} == {200}
        await town.answers(ts)
        await town.workspace.repeat_event(events[0], 2)
    assert town.states() == ["done"]
    assert len(town.assistant.journal) == 1
    assert len(town.posted(ts)) == 1


async def test_a_question_whose_edits_come_before_it_and_in_another_order_is_asked_as_it_reads_now(
    town: Walk,
) -> None:
    async with town.run():
        town.slack.send_events_to("")
        ts = await town.mention("who consumes order.created?")
        for text in ("who publishes order.created?", "who publishes payment.captured?"):
            await town.workspace.edit(town.general, ts, f"<@{town.workspace.bot_user}> {text}")
        events = list(town.workspace.events)
        town.slack.send_events_to(town.events_url)
        for event in reversed(events):
            await town.workspace.repeat_event(event, 1)
        await town.answers(ts)
        await town.workspace.repeat_event(events[0], 2)
    (asked,) = town.assistant.journal
    assert asked.messages[-1][1] == "who publishes payment.captured?"
    assert (town.states(), town.marked(ts)) == (["done"], [])


async def test_twenty_messages_at_once_in_a_thread_are_answered_one_by_one_in_order(town: Walk) -> None:
    held = hold()
    async with town.run():
        ts = await town.mention("list all topics")
        await town.answers(ts)
        town.assistant.faults.add(held)
        texts = [f"question {number}: who consumes order.created?" for number in range(20)]
        await asyncio.gather(*(town.workspace.say(town.ben, town.general, text, thread=ts) for text in texts))
        await town.assistant.wait_for_calls(2)
        other = await town.mention("who publishes payment.captured?")
        await town.answers(other)  # while the first thread waits for its held answer
        assert len(town.posted(ts)) == 1
        assert len(town.assistant.journal) == 3
        held.release()
        await town.answers(ts, 21)
    mine = [call for call in town.assistant.journal if len(call.messages) > 1]
    assert [call.messages[-1][1].rpartition("question ")[2].partition(":")[0] for call in mine] == [
        str(number) for number in range(20)
    ]
    for earlier, later in pairwise(mine):
        assert earlier.finished_at is not None
        assert earlier.finished_at <= later.started_at
        assert len(later.messages) == len(earlier.messages) + 2
    assert town.states() == ["done"] * 22


async def test_a_thread_has_its_share_of_answers_for_an_hour_and_then_peace(town: Walk) -> None:
    async with town.run():
        ts = await town.mention("who owns billing?")
        for number in range(62):
            await town.workspace.say(town.ben, town.general, f"{number}?", thread=ts)
        await town.acknowledged()
        await town.answers(ts, 61)
        other = await town.mention("who owns billing?")
        await town.answers(other)
    posted = town.posted(ts)
    assert len(posted) == 61  # sixty answers, then one that says why there are no more
    assert sum("its share of answers" in text for text in posted) == 1
    assert "its share of answers" in posted[-1]
    assert len(town.assistant.journal) == 61


async def test_what_is_nobodys_question_is_left_alone(town: Walk) -> None:
    zapier = town.workspace.add_user("zapier", bot=True)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        await town.mention("who owns billing?", user=zapier)
        await town.workspace.say(zapier, town.general, "and me?", thread=ts)
        await town.workspace.say(town.ben, town.general, f"<@{town.ana}> do you know?", thread=ts)
        lunch = await town.workspace.say(town.ben, town.general, "lunch?")
        await town.workspace.say(town.ben, town.general, "at noon?", thread=lunch)
        await town.workspace.edit(town.general, ts, f"<@{town.workspace.bot_user}> who owns it?")
        await town.workspace.join(town.ben, town.general)
        await town.workspace.delete(town.general, lunch)
        await town.acknowledged()
    assert len(town.assistant.journal) == 1
    assert len([message for message in town.calls("chat.postMessage")]) == 1
    assert town.states() == ["done"]


async def test_each_direct_message_begins_a_thread_and_follow_ups_go_on_in_it(town: Walk) -> None:
    direct = town.workspace.direct_channel(town.ben)
    async with town.run():
        first = await town.workspace.direct_message(town.ben, "who consumes order.created?")
        second = await town.workspace.direct_message(town.ben, "who publishes it?")
        await town.answers(first, channel=direct)
        await town.answers(second, channel=direct)
        await town.workspace.direct_message(town.ben, "and who publishes it?", thread=first)
        assert "order-service" in (await town.answers(first, 2, channel=direct))[1]
    assert sorted(len(call.messages) for call in town.assistant.journal) == [1, 1, 3]
    assert "what **it** refers to" in town.posted(second, channel=direct)[0]
