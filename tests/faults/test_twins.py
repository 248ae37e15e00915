"""Rows 10 to 12: however often and in whatever guise an event comes, it is one question."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.faults.rows import Note, acked_after, percentile
from tests.fixtures.program import environment, program
from tests.fixtures.signed import sealed, send
from tests.fixtures.walk import Walk

QUESTIONS = 20


async def _written_unheard(town: Walk, many: int) -> tuple[list[str], list[str]]:
    """Have mentions written of which no event arrives; return their messages, and the events by message."""
    town.slack.send_events_to("")
    messages = [await town.mention("who consumes order.created?") for _ in range(many)]
    town.slack.send_events_to(town.events_url)
    return messages, list(town.workspace.events)


async def test_row_10_three_deliveries_of_each_event_at_once_are_one_row_and_one_call(
    town: Walk, record_property: Note
) -> None:
    town.workspace.subscriptions -= {"message.channels"}
    async with town.run():
        messages, events = await _written_unheard(town, QUESTIONS)
        attempts = await asyncio.gather(*(town.workspace.repeat_event(event, 3) for event in events))
        for ts in messages:
            await town.answers(ts)
        again = await asyncio.gather(*(town.workspace.repeat_event(event, 1) for event in events))
    assert [one.status for many in (*attempts, *again) for one in many] == [200] * 4 * QUESTIONS
    assert town.states() == ["done"] * QUESTIONS
    assert [len(town.posted(ts)) for ts in messages] == [1] * QUESTIONS
    assert len(town.assistant.journal) == QUESTIONS
    record_property("row 10: N, calls", (QUESTIONS, len(town.assistant.journal)))
    record_property("row 10: ack p99 s", round(percentile(acked_after(town), 99), 3))


async def test_row_10_a_second_process_does_not_start_and_the_first_answers_on(
    town: Walk, tmp_path: Path
) -> None:
    env = environment(town)
    async with program("run", env=env, folder=str(tmp_path)) as first:
        await town.workspace.until(lambda: town.slack.socket_connections)
        async with program("run", env=env, folder=str(tmp_path)) as second:
            assert second.stderr is not None
            said = (await second.stderr.read()).decode()
            assert await second.wait() == 2
        assert "another Threadline works on this database already" in said
        assert town.slack.socket_connections == 1
        await town.answers(await town.mention("who consumes order.created?"))
        first.send_signal(signal.SIGTERM)
        assert await first.wait() == 0
    assert town.states() == ["done"]
    assert len(town.assistant.journal) == 1


@pytest.mark.parametrize("order", ["mention first", "message first", "at once"])
async def test_row_11_a_mention_and_its_twin_with_another_event_id_are_one_answer(
    town: Walk, order: str
) -> None:
    async with town.run():
        messages, events = await _written_unheard(town, QUESTIONS)
        twins = [town.workspace.events[event] for event in events]
        assert len({twin["event_id"] for twin in twins}) == 2 * QUESTIONS
        by_kind = {kind: [one for one in twins if one["event"]["type"] == kind] for kind in _KINDS}
        if order == "at once":
            replies = await asyncio.gather(*(send(town.events_url, twin) for twin in twins))
        else:
            kinds = _KINDS if order == "mention first" else _KINDS[::-1]
            replies = [await send(town.events_url, one) for kind in kinds for one in by_kind[kind]]
        assert [status for status, _ in replies] == [200] * 2 * QUESTIONS
        for ts in messages:
            await town.answers(ts)
    assert town.states() == ["done"] * QUESTIONS
    assert [len(town.posted(ts)) for ts in messages] == [1] * QUESTIONS
    assert len(town.assistant.journal) == QUESTIONS


_KINDS = ("app_mention", "message")


@pytest.mark.parametrize("reason", ["http_timeout", "http_error", "connection_failed"])
async def test_row_12_a_retry_of_an_event_that_never_came_is_answered(town: Walk, reason: str) -> None:
    town.workspace.subscriptions -= {"message.channels"}
    async with town.run():
        messages, events = await _written_unheard(town, 3)
        for number, event in enumerate(events, start=1):
            raw = json.dumps(town.workspace.events[event]).encode()
            retry = {"x-slack-retry-num": str(number), "x-slack-retry-reason": reason}
            assert (await send(town.events_url, raw, headers=sealed(raw) | retry))[0] == 200
        for ts in messages:
            await town.answers(ts)
    assert town.states() == ["done"] * 3
    assert len(town.assistant.journal) == 3
