"""Rows 21, 23, 29 and 30: replies that mean nothing, and refusals. Bounded, told once, in plain words."""

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bots.demo.assistant.faults import Fault, blank_content, extra_fields, hold, status, wrong_role
from bots.demo.slack import Refuse
from tests.faults.rows import Note, ahead, until_later
from tests.fixtures.guild import guild_walk
from tests.fixtures.walk import Walk, walk

QUESTIONS = 12
CONCURRENT = 8  #: of the installation
ATTEMPTS = 8  #: at a question, before it is given up
HALF_AN_HOUR = 30  #: minutes


@pytest.mark.parametrize(
    "fault",
    [blank_content(""), blank_content(), wrong_role("user"), wrong_role("system")],
    ids=["empty", "whitespace", "role user", "role system"],
)
async def test_row_21_what_is_no_answer_is_tried_again_within_bounds_and_then_told(
    town: Walk, fault: Fault, record_property: Note
) -> None:
    town.assistant.faults.add(*[fault] * 100)
    ahead(town)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await until_later(town, lambda: "buried" in town.states())
        told = town.posted(ts)
        assert "Reference" in told[-1]
        assert len(told) <= 2  # that it waits for minutes is worth a message, too
        assert not any("I am not the assistant" in text for text in told)
        assert town.workspace.status(town.general, ts) == ""
        town.assistant.faults.clear()
        await town.workspace.say(town.ben, town.general, "and who owns billing?", thread=ts)
        await until_later(town, lambda: "done" in town.states())
    assert 2 < len(town.assistant.journal) <= ATTEMPTS + 1
    assert town.states() == ["buried", "done"]
    record_property("row 21: calls for a question without an answer", len(town.assistant.journal) - 1)


async def test_row_21_a_blank_answer_once_is_not_seen_and_more_fields_are_ignored(town: Walk) -> None:
    town.assistant.faults.add(blank_content(), extra_fields())
    ahead(town)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await until_later(town, lambda: town.posted(ts))
    assert "billing" in town.posted(ts)[0]
    assert len(town.assistant.journal) == 2
    assert town.states() == ["done"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (status(401), "MICROVISUALIZER_API_KEY"),
        (status(403), "Reference"),
        (status(402, code="insufficient_ai_credits"), "no AI credits"),
        (status(404, code="project_not_found"), "workspace admin"),
        (status(409, code="insufficient_ai_credits"), "no AI credits"),
        (status(409), "Reference"),
        (status(400, code="never_heard_of"), "Reference"),
        (status(418, code="never_heard_of"), "Reference"),
        (status(422, body=b"no json at all"), "Reference"),
    ],
    ids=["401", "403", "402", "404", "409 credits", "409", "400 unknown", "418 unknown", "422 no json"],
)
async def test_row_23_a_refusal_is_one_call_and_one_notice(town: Walk, fault: Fault, words: str) -> None:
    town.assistant.faults.add(*[fault] * 100)
    clock = ahead(town)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        (told,) = await town.answers(ts)
        clock.advance(86_400)
        await town.answers(await town.mention(""))  # what was due has been looked for by now
    assert words in told
    assert len(town.assistant.journal) == 1
    assert len(town.posted(ts)) == 1
    assert town.states() == ["buried", "done"]


@pytest.mark.parametrize(
    "code", ["is_archived", "not_in_channel", "channel_not_found", "msg_too_long", "restricted_action"]
)
async def test_row_29_where_slack_will_not_have_it_the_asker_is_told_once_and_the_loop_ends(
    town: Walk, code: str, record_property: Note
) -> None:
    tries = 2 if code == "msg_too_long" else 1  # what is too long as blocks may fit as text
    town.workspace.faults.add("chat.postMessage", Refuse(code), times=tries)
    direct = town.workspace.direct_channel(town.ana)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.workspace.until(lambda: town.workspace.roots(direct))
        assert "may not write" in town.workspace.roots(direct)[0].text
        await town.workspace.say(town.ben, town.general, "and who owns billing?", thread=ts)
        await town.answers(ts)  # the thread goes on
    posts = [call.outcome for call in town.calls("chat.postMessage")]
    assert posts == [code] * tries + ["ok", "ok"]
    assert len(town.workspace.roots(direct)) == 1
    assert len(town.assistant.journal) == 2
    assert town.states() == ["buried", "done"]
    record_property(f"row 29: {code}: posts refused", tries)


@pytest.mark.parametrize("code", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_row_30_a_refused_token_pauses_the_workspace_is_said_once_and_costs_no_answer(
    tmp_path: Path, code: str, record_property: Note
) -> None:
    (tmp_path / "discord").mkdir()
    async with walk(tmp_path) as town, guild_walk(tmp_path / "discord") as guild:
        town.settings = replace(town.settings, discord=guild.settings.discord)
        held = hold()
        town.assistant.faults.add(*[held] * QUESTIONS)
        clock = town.clock = guild.clock
        with capture_logs() as told:
            async with town.run() as threadline:
                messages = [await town.mention("who consumes order.created?") for _ in range(QUESTIONS)]
                await town.assistant.wait_for_calls(CONCURRENT)
                for method in ("chat.postMessage", "assistant.threads.setStatus"):
                    town.workspace.faults.add(method, Refuse(code), times=10_000)
                held.release()
                await town.assistant.wait_for_finished(QUESTIONS)
                await town.workspace.until(lambda: _refused(town, code))
                for _ in range(HALF_AN_HOUR):
                    await until_later(town, lambda: not {"asking", "posting"} & {*town.states()})
                    clock.advance(60)
                refused = _refused(town, code)
                thread = await guild.thread(await guild.mention("who owns billing?"))
                assert await guild.answers(thread)  # the other platform runs on
                assert not any(task.done() for task in threadline.working)
                town.workspace.faults.clear()
                await until_later(town, lambda: all(town.posted(ts) for ts in messages))
        alerts = [one["event"] for one in told if one["log_level"] == "error"]
        assert alerts == ["slack refuses our token"]
        assert refused <= CONCURRENT + HALF_AN_HOUR // 10 + 1
        assert [len(town.posted(ts)) for ts in messages] == [1] * QUESTIONS
        assert len(town.assistant.journal) == QUESTIONS + 1
        assert town.states() == ["done"] * (QUESTIONS + 1)
        record_property(f"row 30: {code}: posts refused in 30 min, alerts", (refused, len(alerts)))


def _refused(town: Walk, code: str) -> int:
    return sum(call.outcome == code for call in town.calls("chat.postMessage"))
