"""Rows 14 and 15: a thread's questions are asked one after the other, as they were written."""

import asyncio
from itertools import pairwise

from bots.demo.assistant import ReceivedCall
from bots.demo.assistant.faults import hold
from tests.faults.rows import Note, percentile
from tests.fixtures.signed import send
from tests.fixtures.walk import Walk

QUESTIONS = 20


def _numbers(calls: list[ReceivedCall]) -> list[int]:
    return [int(call.messages[-1][1].rpartition("number ")[2].partition(":")[0]) for call in calls]


def _serial(calls: list[ReceivedCall]) -> bool:
    """Tell whether each call began after the one before had ended, with its answer in the history."""
    return all(
        earlier.finished_at is not None
        and earlier.finished_at <= later.started_at
        and len(later.messages) == len(earlier.messages) + 2
        for earlier, later in pairwise(calls)
    )


async def test_row_14_messages_that_arrive_in_reverse_are_asked_as_they_were_written(town: Walk) -> None:
    held = hold()
    town.assistant.faults.add(held)
    async with town.run():
        ts = await town.mention("number -1: who owns billing?")
        await town.assistant.wait_for_calls(1)
        await town.acknowledged()
        before = set(town.workspace.events)
        town.slack.send_events_to("")
        for number in range(QUESTIONS):
            await town.workspace.say(town.ben, town.general, f"number {number}: who owns it?", thread=ts)
        events = [event for event in town.workspace.events if event not in before]
        assert len(events) == QUESTIONS
        for event in reversed(events):
            assert (await send(town.events_url, town.workspace.events[event]))[0] == 200
        held.release()
        await town.answers(ts, QUESTIONS + 1)
    assert _numbers(town.assistant.journal) == [*range(-1, QUESTIONS)]
    assert _serial(town.assistant.journal)
    assert town.states() == ["done"] * (QUESTIONS + 1)


async def test_row_14_two_mentions_that_swap_places_before_either_is_asked_are_put_right(town: Walk) -> None:
    blocker = hold()
    town.assistant.faults.add(*[blocker] * town.settings.concurrency)
    town.workspace.subscriptions -= {"message.channels"}
    async with town.run():
        for _ in range(town.settings.concurrency):
            await town.mention("number 9: who owns billing?")
        await town.assistant.wait_for_calls(town.settings.concurrency)
        town.slack.send_events_to("")
        known = set(town.workspace.events)
        ts = await town.mention("number 0: who consumes order.created?")
        await town.mention("number 1: and who publishes it?", thread=ts)
        first, second = (body for event, body in town.workspace.events.items() if event not in known)
        assert (await send(town.events_url, second))[0] == 200
        assert (await send(town.events_url, first))[0] == 200
        blocker.release()
        await town.answers(ts, 2)
    mine = [call for call in town.assistant.journal if "number 9" not in call.messages[-1][1]]
    assert _numbers(mine) == [0, 1]
    assert _serial(mine)


async def test_row_15_twenty_at_once_in_a_thread_are_strictly_serial_and_hold_up_no_other(
    town: Walk, record_property: Note
) -> None:
    town.assistant.latency = 0.1
    async with town.run():
        ts = await town.mention("number -1: who owns billing?")
        await town.answers(ts)
        asked_at = town.clock.now()
        texts = [f"number {number}: who owns it?" for number in range(QUESTIONS)]
        await asyncio.gather(*(town.workspace.say(town.ben, town.general, text, thread=ts) for text in texts))
        others = []
        for _ in range(5):
            begun = town.clock.monotonic()
            await town.answers(await town.mention("who publishes payment.captured?"))
            others.append(town.clock.monotonic() - begun)
        assert len(town.posted(ts)) < QUESTIONS  # the others did not wait for it
        await town.answers(ts, QUESTIONS + 1)
    mine = [call for call in town.assistant.journal if "number" in call.messages[-1][1]]
    assert _numbers(mine) == [*range(-1, QUESTIONS)]
    assert _serial(mine)
    assert town.states() == ["done"] * (QUESTIONS + 6)
    waits = [(call.started_at - asked_at).total_seconds() for call in mine[1:]]
    assert max(others) < percentile(waits, 95)
    record_property("row 15: wait p95 s of 20 in one thread", round(percentile(waits, 95), 2))
    record_property("row 15: slowest answer s in other threads", round(max(others), 2))
