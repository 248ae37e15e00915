"""Rows 36 and 44 over the real walk: questions edited and deleted at any time, and a workspace purged."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bots import texts
from bots.demo.assistant import faults
from bots.demo.slack import Hold, Message
from bots.slack.inbound import SLACK, to_ts
from core.model import Mark, WorkspaceId, posting_lane
from tests.fixtures.walk import SHOP, Walk

EDITED, DELETED = texts.mark(Mark.EDITED), texts.mark(Mark.DELETED)


def asked(town: Walk) -> list[str]:
    """Return the question of each chat call."""
    return [call.messages[-1][1] for call in town.assistant.journal]


async def written(town: Walk, text: str, *, thread: str | None = None) -> Message:
    """Have a message written of which Slack does not tell us."""
    told, town.workspace.subscriptions = town.workspace.subscriptions, set()
    ts = await town.workspace.say(town.ana, town.general, text, thread=thread)
    town.workspace.subscriptions = told
    message = town.workspace.message(town.general, ts)
    assert message is not None
    return message


@asynccontextmanager
async def asking(town: Walk) -> AsyncIterator[tuple[str, faults.Hold]]:
    """Run Threadline, and hold back the answer to the first question of a thread until that is released."""
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.assistant.wait_for_calls(1)
        yield ts, held


async def elsewhere(town: Walk) -> None:
    """Have another question answered: what was to come of all before it has come by then."""
    await town.acknowledged()
    await town.answers(await town.mention("who publishes order.created?", user=town.ben))


# --- before ------------------------------------------------------------------------------------


async def test_edited_before_it_is_asked_its_latest_text_is_sent(town: Walk) -> None:
    async with asking(town) as (ts, held):
        next_ = await town.workspace.say(town.ana, town.general, "and who publsihes it?", thread=ts)
        await town.workspace.edit(town.general, next_, "and who publishes it?")
        await town.acknowledged()
        held.release()
        assert len(await town.answers(ts, 2)) == 2
        await elsewhere(town)
    assert asked(town)[1] == "and who publishes it?"
    assert town.marked(ts) == []
    assert town.states() == ["done"] * 3


async def test_deleted_before_it_is_asked_it_is_not(town: Walk) -> None:
    async with asking(town) as (ts, held):
        next_ = await town.workspace.say(town.ana, town.general, "and who publishes it?", thread=ts)
        await town.acknowledged()
        await town.workspace.delete(town.general, next_)
        await town.acknowledged()
        held.release()
        await town.answers(ts)
        await town.mention("who owns billing?", thread=ts)
        await town.answers(ts, 2)
    assert asked(town) == ["who consumes order.created?", "who owns billing?"]
    assert "publishes" not in str(town.assistant.journal[1].messages[:-1])
    assert town.states() == ["cancelled", "done", "done"]


@pytest.mark.parametrize(
    "edit", ["and who owns it, <@{ben}>?", "<@{ben}> do you know?"], ids=["beside", "instead"]
)
async def test_edited_to_address_somebody_else_it_is_not_asked(town: Walk, edit: str) -> None:
    async with asking(town) as (ts, held):
        next_ = await town.workspace.say(town.ana, town.general, "and who owns it?", thread=ts)
        await town.acknowledged()
        await town.workspace.edit(town.general, next_, edit.format(ben=town.ben))
        await town.acknowledged()
        held.release()
        await elsewhere(town)
        await town.answers(ts)
    assert asked(town) == ["who consumes order.created?", "who publishes order.created?"]
    assert town.states() == ["cancelled", "done", "done"]


async def test_an_edit_that_overtakes_its_message_is_the_question_and_asked_once(town: Walk) -> None:
    bot = f"<@{town.workspace.bot_user}>"
    async with town.run():
        first = await written(town, f"{bot} who consumes ordr.created?")
        await town.workspace.edit(town.general, first.ts, f"{bot} who consumes order.created?")
        await town.answers(first.ts)
        town.workspace.publish_message(first)
        await elsewhere(town)
    assert asked(town) == ["who consumes order.created?", "who publishes order.created?"]
    assert len(town.posted(first.ts)) == 1


async def test_a_deletion_that_overtakes_its_message_keeps_it_from_being_asked(town: Walk) -> None:
    async with town.run():
        first = await written(town, f"<@{town.workspace.bot_user}> who consumes order.created?")
        await town.workspace.delete(town.general, first.ts)
        await town.acknowledged()
        town.workspace.publish_message(first)
        await elsewhere(town)
    assert asked(town) == ["who publishes order.created?"]
    assert town.states() == ["cancelled", "done"]


async def test_an_earlier_edit_that_comes_again_does_not_undo_a_later_one(town: Walk) -> None:
    async with asking(town) as (ts, held):
        next_ = await town.workspace.say(town.ana, town.general, "and who owns it?", thread=ts)
        await town.workspace.edit(town.general, next_, "and who publsihes it?")
        await town.acknowledged()
        earlier = list(town.workspace.events)[-1]
        await town.workspace.edit(town.general, next_, "and who publishes it?")
        await town.acknowledged()
        await town.workspace.repeat_event(earlier)
        held.release()
        await town.answers(ts, 2)
    assert asked(town)[1] == "and who publishes it?"


async def test_who_is_mentioned_by_an_edit_is_asked(town: Walk) -> None:
    bot = f"<@{town.workspace.bot_user}>"
    async with town.run():
        ts = await town.workspace.say(town.ana, town.general, "who consumes order.created?")
        await town.acknowledged()
        await town.workspace.edit(town.general, ts, f"{bot} who consumes order.created?")
        await town.answers(ts)
        hours_ago = to_ts(town.clock.now() - timedelta(hours=2))
        old = Message(town.general, hours_ago, town.ana, "who owns it?")
        town.workspace.keep(old)
        await town.workspace.edit(town.general, old.ts, f"{bot} who owns billing?")
        await town.answers(old.ts)
        await elsewhere(town)
    assert asked(town)[:2] == ["who consumes order.created?", "who owns billing?"]
    assert len(town.posted(ts)) == len(town.posted(old.ts)) == 1


# --- during ------------------------------------------------------------------------------------


async def test_edited_while_it_is_asked_the_answer_says_so(town: Walk) -> None:
    async with asking(town) as (ts, held):
        await town.workspace.edit(town.general, ts, f"<@{town.workspace.bot_user}> who owns billing?")
        await town.acknowledged()
        held.release()
        (answer,) = await town.answers(ts)
        assert await town.changed(ts) == [EDITED]
    assert "billing" in answer
    assert asked(town) == ["who consumes order.created?"]
    assert len(town.calls("chat.postMessage")) == 1
    assert town.workspace.status(town.general, ts) == ""


async def test_edited_twice_and_deleted_while_it_is_posted_the_answer_says_that(town: Walk) -> None:
    held = Hold()
    town.workspace.faults.add("chat.postMessage", held)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.workspace.say(town.ben, town.general, f"<@{town.ana}> well asked", thread=ts)
        await held.held.wait()
        for text in ("who owns billing?", "who owns it?"):
            await town.workspace.edit(town.general, ts, f"<@{town.workspace.bot_user}> {text}")
        await town.workspace.delete(town.general, ts)
        await town.acknowledged()
        held.release()
        await town.answers(ts)
        assert await town.changed(ts) == [DELETED]
    assert len(town.posted(ts)) == 1
    assert asked(town) == ["who consumes order.created?"]


async def test_deleted_while_it_is_asked_nothing_is_posted(town: Walk) -> None:
    async with asking(town) as (ts, held):
        await town.workspace.delete(town.general, ts)
        await town.acknowledged()
        await elsewhere(town)
        held.release()
    assert town.states() == ["cancelled", "done"]
    assert town.posted(ts) == []
    assert len(town.calls("chat.postMessage")) == 1
    assert town.workspace.status(town.general, ts) == ""


async def test_where_the_root_is_deleted_while_it_is_asked_what_was_asked_after_it_is_answered(
    town: Walk,
) -> None:
    async with asking(town) as (ts, held):
        await town.workspace.say(town.ben, town.general, "who owns billing?", thread=ts)
        await town.acknowledged()
        await town.workspace.delete(town.general, ts)
        await town.answers(ts)
        held.release()
    assert asked(town)[1:] == ["who owns billing?"]
    assert len(town.assistant.journal[1].messages) == 1
    assert town.states() == ["cancelled", "done"]


# --- after -------------------------------------------------------------------------------------


async def test_edited_or_deleted_after_its_answer_the_answer_says_so_once(town: Walk) -> None:
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        for text in ("who owns billing?", "who owns it?", ""):
            await town.workspace.edit(town.general, ts, f"<@{town.workspace.bot_user}> {text}")
        assert await town.changed(ts) == [EDITED]
        await elsewhere(town)
        assert len(town.calls("chat.update")) == 1
        await town.workspace.delete(town.general, ts)
        await town.workspace.until(lambda: town.marked(ts) == [DELETED])
        await elsewhere(town)
    assert len(town.calls("chat.update")) == 2
    assert len(town.posted(ts)) == 1
    assert asked(town)[0] == "who consumes order.created?"
    assert town.workspace.pings == []


async def test_what_was_deleted_is_not_in_the_history_of_what_is_asked_later(town: Walk) -> None:
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        await town.workspace.delete(town.general, ts)
        await town.changed(ts)
        await town.workspace.say(town.ben, town.general, "who owns billing?", thread=ts)
        await town.answers(ts, 2)
    assert [role for role, _ in town.assistant.journal[1].messages] == ["user"]


async def test_a_preview_and_a_bots_own_changes_are_no_edits(town: Walk) -> None:
    zapier = town.workspace.add_user("zapier", bot=True)
    bot = f"<@{town.workspace.bot_user}>"
    async with town.run():
        ts = await town.mention("what of <https://example.org/page>?")
        await town.answers(ts)
        await town.workspace.unfurl(town.general, ts, "https://example.org/page")
        robot = await town.workspace.say(zapier, town.general, "build 7 failed", thread=ts)
        await town.workspace.edit(town.general, robot, f"{bot} build 7 passed")
        await town.workspace.unfurl(town.general, robot, "https://example.org/7")
        await town.workspace.delete(town.general, robot)
        await elsewhere(town)
    assert len(town.assistant.journal) == 2
    assert town.calls("chat.update") == []
    assert town.states() == ["done", "done"]


# --- purged ------------------------------------------------------------------------------------


def of_its_own(town: Walk, rows: Mapping[str, int]) -> dict[str, int]:
    """Return the tables with rows of the workspace: of the lanes, only the assistant's key has one still."""
    lanes = [lane for (lane,) in town.sql("SELECT id FROM lanes")]
    assert posting_lane(SLACK, WorkspaceId(town.workspace.team)) not in lanes
    return {name: many for name, many in rows.items() if many and name not in {"lanes", "departures"}}


@pytest.mark.parametrize("tokens_first", [False, True], ids=["uninstalled first", "tokens first"])
@pytest.mark.parametrize("stage", ["asking", "posting", "queued"])
async def test_a_workspace_that_removes_us_mid_question_is_forgotten(
    town: Walk, stage: str, tokens_first: bool
) -> None:
    asking, posting = faults.hold(), Hold()
    if stage == "posting":
        town.workspace.faults.add("chat.postMessage", posting)
    else:
        town.assistant.faults.add(asking if stage == "asking" else faults.rate_limited("30"))
    with capture_logs() as logs:
        async with town.run():
            await town.workspace.command(town.ana, town.general, "/threadline", f"link {SHOP}")
            ts = await town.mention("who consumes order.created?")
            await town.assistant.wait_for_calls(1)
            await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
            if stage == "posting":
                await posting.held.wait()
            await town.acknowledged()
            await town.workspace.until(lambda: town.rows()["links"])
            before = {name for name, many in town.rows().items() if many}
            await town.workspace.uninstall(tokens_first=tokens_first)
            await town.acknowledged()
            assert of_its_own(town, town.rows()) == {}
            asking.release()
            posting.release()
        assert of_its_own(town, town.rows()) == {}
    assert before >= {"links", "conversations", "turns", "deliveries"}
    assert [call for call in town.calls("chat.postMessage") if call.outcome == "ok"] == []
    assert town.posted(ts) == []
    purged = [line for line in logs if line["event"] == "workspace purged"]
    assert [line["conversations"] for line in purged] == [1, 0]
    assert {line["workspace"] for line in purged} == {town.workspace.team}
    assert "order.created" not in str(purged)
