"""Answers arrive once and whole, whatever Slack does to the posting of them."""

import asyncio
from typing import Any

import pytest
from slack_sdk.models.blocks import Block, MarkdownBlock

from bots.demo.assistant.faults import says
from bots.demo.slack import Hold, HttpError, RateLimited, Refuse, Reset
from bots.demo.slack.faults import Fault
from tests.fixtures.walk import Walk

LONG = "\n\n".join(f"Paragraph {number}: " + "word " * 60 for number in range(120))
TABLE = "| Service | Team |\n| --- | --- |\n" + "\n".join(f"| s{n} | t{n} |" for n in range(150))
CODE = "Look:\n\n```python\n" + "\n".join(f"line_{n} = {n}" for n in range(1500)) + "\n```"
PINGS = (
    "<!channel> <@U0USER0001> <!subteam^S1> @everyone [x](https://evil.example) ![p](https://evil.example/p)"
)


@pytest.mark.parametrize(
    "fault",
    [
        RateLimited(1),
        HttpError(500),
        HttpError(502, after=True),
        Reset(),
        Reset(after=True),
        Refuse("internal_error"),
        Refuse("service_unavailable"),
    ],
    ids=lambda fault: f"{type(fault).__name__} {getattr(fault, 'after', '')}",
)
async def test_a_fault_while_posting_leaves_exactly_one_message(town: Walk, fault: Fault) -> None:
    town.workspace.faults.add("chat.postMessage", fault)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        first, second = await town.answers(ts, 2)
    assert "billing" in first
    assert "order-service" in second
    assert len(town.posted(ts)) == 2
    assert len(town.assistant.journal) == 2
    assert town.states() == ["done", "done"]


async def test_a_post_is_not_repeated_before_the_wait_that_slack_asks_for(town: Walk) -> None:
    town.workspace.faults.add("chat.postMessage", RateLimited(1))
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
    refused, posted = town.calls("chat.postMessage")
    assert refused.outcome == "http 429"
    assert (posted.at - refused.at).total_seconds() >= 1


async def test_a_post_that_cannot_be_looked_for_is_left_to_a_human_and_the_thread_goes_on(town: Walk) -> None:
    town.workspace.scopes -= {"channels:history"}
    town.workspace.faults.add("chat.postMessage", HttpError(500, after=True))
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.until_called("conversations.replies")
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        await town.answers(ts, 2)
    assert len(town.posted(ts)) == 2
    assert town.states() == ["ambiguous", "done"]
    assert town.workspace.status(town.general, ts) == ""


@pytest.mark.parametrize("away", ["not_in_channel", "is_archived", "restricted_action"])
async def test_who_asked_where_we_may_not_write_is_told_directly(town: Walk, away: str) -> None:
    held = Hold()
    town.workspace.faults.add("chat.postMessage", held, Refuse(away))
    direct = town.workspace.direct_channel(town.ana)
    async with town.run():
        first = await town.mention("who owns billing?", user=town.ben)  # holds up nobody else
        await held.held.wait()
        ts = await town.mention("who consumes order.created?")
        await town.until_called("chat.postMessage")
        (told,) = await _roots(town, direct)
        assert "may not write" in told
        assert "Reference" in told
        assert town.workspace.status(town.general, ts) == ""
        held.release()
        await town.answers(first)
    assert town.posted(ts) == []
    assert town.states() == ["buried", "done"]


async def test_the_direct_word_survives_a_fault_too(town: Walk) -> None:
    direct = town.workspace.direct_channel(town.ana)
    town.workspace.faults.add("chat.postMessage", Refuse("not_in_channel"), HttpError(500))
    town.workspace.faults.add("conversations.replies", Refuse("not_in_channel"))
    async with town.run():
        await town.mention("who consumes order.created?")
        (told,) = await _roots(town, direct)
    assert "may not write" in told
    assert town.states() == ["buried"]


@pytest.mark.parametrize("refusal", ["invalid_blocks", "msg_blocks_too_long"])
async def test_blocks_that_slack_will_not_show_are_posted_as_text_whole(town: Walk, refusal: str) -> None:
    answer = "**Bold** & <tag>\n\n" + "word " * 1000 + "end"
    town.assistant.faults.add(says(answer))
    town.workspace.faults.add("chat.postMessage", Refuse(refusal))
    async with town.run():
        ts = await town.mention("tell me all")
        (text,) = await town.answers(ts)
    assert text.startswith("**Bold** &amp; &lt;tag&gt;")
    assert text.endswith("end")
    assert text.count("word") == 1000


@pytest.mark.parametrize("answer", [LONG, TABLE, CODE, PINGS], ids=["long", "table", "code", "pings"])
async def test_long_and_odd_answers_arrive_whole_in_order_and_harmless(town: Walk, answer: str) -> None:
    town.assistant.faults.add(says(answer))
    async with town.run():
        ts = await town.mention("tell me all")
        await town.answers(ts)
    calls = town.calls("chat.postMessage")
    assert {call.outcome for call in calls} == {"ok"}
    for number, call in enumerate(calls):
        sent = call.arguments
        assert (sent["channel"], sent["thread_ts"]) == (town.general, ts)
        assert (sent["unfurl_links"], sent["unfurl_media"]) in {(False, False), ("0", "0")}
        assert sent["metadata"]["event_payload"]["part"] == number
        assert sent["text"].strip()
        for block in Block.parse_all(sent["blocks"]):
            assert isinstance(block, MarkdownBlock)
            block.validate_json()
    whole = "\n".join(town.posted(ts))
    numbers = [whole.find(mark) for mark in _marks(answer)]
    assert -1 not in numbers
    assert numbers == sorted(numbers)
    assert town.workspace.pings == []
    assert town.states() == ["done"]


async def test_a_part_in_the_middle_that_may_have_arrived_is_not_sent_twice(town: Walk) -> None:
    town.assistant.faults.add(says(LONG))
    held = Hold()
    town.workspace.faults.add("chat.postMessage", held, HttpError(500, after=True))
    async with town.run():
        ts = await town.mention("tell me all")
        await held.held.wait()
        held.release()
        await town.answers(ts, 4)
    posted = town.posted(ts)
    assert len(posted) == len(set(posted)) == 4
    assert len(town.assistant.journal) == 1


def _marks(answer: str) -> list[str]:
    lines = [line for line in answer.splitlines() if line.startswith(("Paragraph", "| s", "line_"))]
    return [line[:14].rsplit("|", 1)[0] for line in lines]


async def _roots(town: Walk, channel: str) -> list[str]:
    def said() -> list[Any]:
        return [message for message in town.workspace.roots(channel)]

    async with asyncio.timeout(10):
        await town.workspace.until(said)
    return [message.text for message in said()]
