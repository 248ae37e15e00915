"""Rows 17 and 18: waits that the assistant and Slack ask for are kept, whatever they look like, by all."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bots.demo.assistant.faults import ABSENT, rate_limited
from bots.demo.slack import RateLimited
from tests.faults.rows import Note, ahead
from tests.fixtures.walk import Walk

IN_500_SECONDS = "<date>"
ABSURD = "9" * 400


@pytest.mark.parametrize(
    ("header", "body", "least", "most"),
    [
        (None, ABSENT, 30, 30),
        ("-5", ABSENT, 1, 1),
        ("0", ABSENT, 1, 1),
        ("1.5", ABSENT, 1.5, 1.5),
        ("soon", ABSENT, 30, 30),
        (IN_500_SECONDS, ABSENT, 400, 500),
        ("Wed, 21 Oct 2015 07:28:00 GMT", ABSENT, 1, 1),
        ("2", 90, 90, 90),
        ("90", 2, 90, 90),
        ("3", -1, 3, 3),
        ("3", "tomorrow", 3, 3),
        (None, 7.5, 7.5, 7.5),
    ],
    ids=lambda value: "absent" if value is ABSENT else str(value)[:12],
)
async def test_row_17_a_wait_is_kept_whatever_it_is_written_like(
    town: Walk, header: str | None, body: object, least: float, most: float
) -> None:
    if header == IN_500_SECONDS:
        header = format_datetime(datetime.now(UTC) + timedelta(seconds=500), usegmt=True)
    town.assistant.faults.add(rate_limited(header, body))
    clock = ahead(town)
    async with town.run() as threadline:
        before = clock.now()
        ts = await town.mention("who consumes order.created?")
        await town.workspace.until(lambda: _told_to_wait(town, ts))
        (until,) = (await threadline.tally()).paused.values()
        assert before + timedelta(seconds=least) <= until <= clock.now() + timedelta(seconds=most)
        other = await town.mention("who owns billing?")
        if least > 5:
            await town.acknowledged()
            assert len(town.assistant.journal) == 1
            clock.advance((until - clock.now()).total_seconds())
        else:
            await town.assistant.wait_for_calls(2)
            assert town.assistant.journal[1].started_at >= until  # nobody was early
        await town.workspace.until(lambda: "billing" in "".join(town.posted(ts)) and town.posted(other))
    assert len(town.assistant.journal) == 3
    assert town.states() == ["done", "done"]


def _told_to_wait(town: Walk, ts: str) -> bool:
    """Tell whether a thread shows until when it waits: in its status, or in a message if it is long."""
    return "next try at" in town.workspace.status(town.general, ts) or bool(town.posted(ts))


@pytest.mark.parametrize("header", ["100000000", ABSURD], ids=["1e8", "400 digits"])
async def test_row_17_a_wait_beyond_a_day_is_told_at_once_and_costs_nobody_else_his_answer(
    town: Walk, header: str
) -> None:
    town.assistant.faults.add(rate_limited(header))
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        assert "more than a day" in (await town.answers(ts))[0]
        other = await town.mention("who owns billing?")
        await town.answers(other)
    assert town.states() == ["buried", "done"]


async def test_row_18_questions_of_every_channel_wait_for_the_same_end_and_all_are_answered(
    town: Walk, record_property: Note
) -> None:
    channels = [town.workspace.add_channel(f"channel-{number}") for number in range(6)]
    town.assistant.faults.add(rate_limited("2"))
    async with town.run():
        first = await town.mention("who consumes order.created?", channel=channels[0])
        await town.assistant.wait_for_finished(1)
        begun = town.clock.monotonic()
        asked = [
            (one, await town.mention("who owns billing?", channel=one)) for one in channels for _ in "ab"
        ]
        for channel, ts in [(channels[0], first), *asked]:
            await town.answers(ts, channel=channel)
        took = town.clock.monotonic() - begun
    refused, *answered = town.assistant.journal
    assert refused.finished_at is not None
    assert min(call.started_at for call in answered) - refused.finished_at >= timedelta(seconds=2)
    assert len(answered) == len(asked) + 1
    assert town.states() == ["done"] * len(answered)
    record_property("row 18: last of 13 answered s after a 429 of 2 s", round(took, 2))


async def test_row_18_a_429_while_posting_in_one_channel_delays_all_and_starves_none(town: Walk) -> None:
    channels = [town.workspace.add_channel(f"channel-{number}") for number in range(6)]
    town.workspace.faults.add("chat.postMessage", RateLimited(1))
    async with town.run():
        asked = [
            (one, await town.mention("who owns billing?", channel=one)) for one in channels for _ in "ab"
        ]
        for channel, ts in asked:
            assert len(await town.answers(ts, channel=channel)) == 1
    refused = [call for call in town.calls("chat.postMessage") if call.outcome == "http 429"]
    assert len(refused) == 1
    assert len(town.assistant.journal) == len(asked)  # nothing was asked again for it
    assert town.states() == ["done"] * len(asked)
