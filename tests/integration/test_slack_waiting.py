"""When the assistant asks us to wait: nobody asks early, and the asker is told."""

from datetime import timedelta

from bots.demo.assistant.faults import rate_limited
from core.model import Reason
from tests.fixtures.walk import Walk


async def test_a_question_is_asked_again_after_the_wait_and_not_before(town: Walk) -> None:
    town.assistant.faults.add(rate_limited("2"))
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.workspace.until(lambda: "next try at" in town.workspace.status(town.general, ts))
        (answer,) = await town.answers(ts)
        assert "billing" in answer
        assert town.workspace.status(town.general, ts) == ""
    early, late = town.assistant.journal
    assert early.finished_at is not None
    assert late.started_at - early.finished_at >= timedelta(seconds=2)
    assert len(town.calls("chat.postMessage")) == 1  # a short wait is not worth a message


async def test_the_wait_holds_for_every_question_under_the_same_key(town: Walk) -> None:
    town.assistant.faults.add(rate_limited("1"))
    async with town.run():
        first = await town.mention("who consumes order.created?")
        await town.assistant.wait_for_finished(1)
        second = await town.mention("who publishes order.created?")
        await town.answers(first)
        await town.answers(second)
    refused, *asked = town.assistant.journal
    assert refused.finished_at is not None
    assert len(asked) == 2
    assert all(call.started_at - refused.finished_at >= timedelta(seconds=1) for call in asked)


async def test_a_long_wait_is_told_once_with_its_time_and_the_question_is_kept(town: Walk) -> None:
    town.assistant.faults.add(rate_limited("3600"))
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        (told,) = await town.answers(ts)
        assert "try again at" in told
        assert "<!date^" in told
        assert "UTC>" in told
        assert town.workspace.status(town.general, ts) == ""
    assert town.states() == ["accepted"]
    assert town.workspace.pings == []


async def test_a_wait_of_more_than_a_day_ends_the_question_at_once(town: Walk) -> None:
    town.assistant.faults.add(rate_limited("100000"))
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        assert "more than a day" in (await town.answers(ts))[0]
    assert town.states() == ["buried"]
    assert town.sql("SELECT notice FROM deliveries") == [(Reason.WAIT_TOO_LONG.value,)]
