"""What people see while they wait: a status that comes, and goes with whatever ends the wait."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from bots.demo.assistant.faults import Latency, hold, rate_limited, status
from bots.demo.slack import HttpError, Refuse
from core.services.showing import AT_ONCE
from tests.fixtures.walk import SHOP, Walk, walk


@pytest_asyncio.fixture
async def unlinked(tmp_path: Path) -> AsyncIterator[Walk]:
    async with walk(tmp_path, default=None) as whole:
        yield whole


async def test_it_is_shown_while_the_assistant_thinks_and_gone_with_the_answer(town: Walk) -> None:
    held = hold()
    town.assistant.faults.add(held)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.workspace.until(
            lambda: "looking at the project" in town.workspace.status(town.general, ts)
        )
        held.release()
        await town.answers(ts)
        assert town.workspace.status(town.general, ts) == ""


async def test_it_is_gone_with_a_notice(town: Walk) -> None:
    held = hold(status(404, code="project_not_found"))
    town.assistant.faults.add(held)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.workspace.until(lambda: town.workspace.status(town.general, ts))
        held.release()
        await town.answers(ts)
        assert town.workspace.status(town.general, ts) == ""


async def test_without_the_scope_for_it_there_is_none_and_nothing_else_is_missing(town: Walk) -> None:
    town.workspace.faults.add("assistant.threads.setStatus", Refuse("missing_scope"))
    async with town.run():
        ts = await _asked_for_a_while(town, "who consumes order.created?")
        await _asked_for_a_while(town, "and who publishes it?", ts)
    assert len(town.calls("assistant.threads.setStatus")) == 1  # asked for once, then never again


async def test_a_status_that_fails_otherwise_is_tried_again_next_time(town: Walk) -> None:
    town.workspace.faults.add("assistant.threads.setStatus", HttpError(500), Refuse("invalid_thread_ts"))
    async with town.run():
        ts = await _asked_for_a_while(town, "who consumes order.created?")
        await _asked_for_a_while(town, "and who publishes it?", ts)
        await _asked_for_a_while(town, "and who owns billing?", ts)
    assert [call.outcome for call in town.calls("assistant.threads.setStatus")][-1] == "ok"


async def test_people_are_named_when_several_ask_and_one_unknown_hides_nobody(town: Walk) -> None:
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        town.workspace.faults.add("users.info", Refuse("user_not_found"))
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        await town.answers(ts, 2)
        await town.workspace.say(town.ben, town.general, "and who owns billing?", thread=ts)
        await town.answers(ts, 3)
        town.workspace.faults.add("users.info", HttpError(500))
    once, again = (call.messages for call in town.assistant.journal[1:])
    assert "ben" in once[-1][1]
    assert "ana" in again[0][1]
    assert len(town.calls("users.info")) == 3  # the others are remembered


async def test_an_answer_is_not_taken_for_posted_because_its_channel_was_told_how_to_link(
    unlinked: Walk,
) -> None:
    async with unlinked.run():
        ts = await unlinked.mention("who consumes order.created?")
        await unlinked.answers(ts)
        unlinked.workspace.faults.add("chat.postMessage", HttpError(500))
        await unlinked.workspace.command(unlinked.ana, unlinked.general, "/threadline", f"link {SHOP}")
        assert "billing" in (await unlinked.answers(ts, 2))[1]
    assert unlinked.states() == ["done"]


async def test_a_long_wait_is_a_message_because_a_status_would_lapse(town: Walk) -> None:
    town.assistant.faults.add(rate_limited("90"))
    async with town.run():
        short = await town.mention("who consumes order.created?")
        await town.workspace.until(lambda: "next try at" in town.workspace.status(town.general, short))
    assert town.posted(short) == []


async def _asked_for_a_while(town: Walk, question: str, thread: str | None = None) -> str:
    """Have a question answered by an assistant that takes so long that a status is due; return its thread."""
    town.assistant.faults.add(Latency(2 * AT_ONCE))
    ts = await town.mention(question, thread=thread)
    before = len(town.posted(thread or ts))
    await town.answers(thread or ts, before + 1)
    return thread or ts
