"""What people may write, and what they are told when it cannot be answered."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bots.demo.assistant.faults import Fault, says, status
from bots.settings import ChatSettings
from core.model import ProjectId
from tests.fixtures.signed import send
from tests.fixtures.walk import SHOP, Walk, walk


@pytest_asyncio.fixture
async def unlinked(tmp_path: Path) -> AsyncIterator[Walk]:
    async with walk(tmp_path, default=None) as whole:
        yield whole


async def test_a_bare_mention_gets_a_hint_and_costs_nothing(town: Walk) -> None:
    async with town.run():
        ts = await town.mention("")
        assert "Ask me about" in (await town.answers(ts))[0]
    assert town.assistant.journal == []
    assert town.states() == ["done"]


async def test_files_alone_get_a_notice_and_beside_a_text_a_remark(town: Walk) -> None:
    mention = f"<@{town.workspace.bot_user}>"
    async with town.run():
        alone = await town.workspace.say(town.ana, town.general, mention, files=True)
        assert "cannot read attachments" in (await town.answers(alone))[0]
        text = f"{mention} who consumes order.created?"
        beside = await town.workspace.say(town.ana, town.general, text, files=True)
        (answer,) = await town.answers(beside)
    assert "billing" in answer
    assert "this answers your text alone" in answer
    assert len(town.assistant.journal) == 1


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("x" * 20_000, "x" * 20_000),
        ("who \x00owns\x00 billing?", "who owns billing?"),
        ("\u202ewho owns billing?\u202c \u05e9\u05dc\u05d5\u05dd", "who owns billing?"),
        ("\U0001f469\u200d\U0001f4bb owns billing?", "\U0001f469\u200d\U0001f4bb owns billing?"),
        ("&lt;b&gt; &amp; `a`?", "<b> & `a`?"),
    ],
    ids=["long", "nul", "right to left", "joined", "escaped"],
)
async def test_any_text_reaches_the_assistant_as_it_was_meant(town: Walk, written: str, asked: str) -> None:
    async with town.run():
        ts = await town.mention(written)
        await town.answers(ts)
    ((_, content),) = town.assistant.journal[0].messages
    assert asked in content
    assert "\x00" not in content


async def test_half_a_sign_does_no_harm(town: Walk) -> None:
    async with town.run():
        ts = await town.mention("lunch")
        await town.answers(ts)
        envelope = json.loads(json.dumps(next(iter(town.workspace.events.values()))))
        words = f"<@{town.workspace.bot_user}> who owns billing\ud800?"
        other = f"{int(ts.partition('.')[0]) - 1}.000001"
        envelope["event_id"] = "Ev-half"
        envelope["event"] |= {"ts": other, "text": words, "type": "app_mention"}
        assert (await send(town.events_url, envelope))[0] == 200
        await town.assistant.wait_for_calls(2)
    ((_, content),) = town.assistant.journal[1].messages
    assert content.startswith("who owns billing")


async def test_a_question_beyond_all_bounds_is_not_asked(town: Walk) -> None:
    town.settings = replace(town.settings, history_characters=1000)
    async with town.run():
        ts = await town.mention("y" * 1001)
        assert "too long" in (await town.answers(ts))[0]
    assert town.assistant.journal == []


async def test_an_unlinked_channel_is_told_how_and_answered_once_linked(unlinked: Walk) -> None:
    async with unlinked.run():
        ts = await unlinked.mention("who consumes order.created?")
        assert "/threadline link" in (await unlinked.answers(ts))[0]
        await unlinked.workspace.command(unlinked.ana, unlinked.general, "/threadline", f"link {SHOP}")
        assert "billing" in (await unlinked.answers(ts, 2))[1]
    assert unlinked.states() == ["done"]


async def test_a_channel_shared_with_another_organisation_gets_no_answer(town: Walk) -> None:
    shared = town.workspace.add_channel("partners", shared=True)
    async with town.run():
        ts = await town.mention("who consumes order.created?", channel=shared)
        (told,) = await town.answers(ts, channel=shared)
    assert "shared with another organisation" in told
    assert town.assistant.journal == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (status(401), ("Whoever runs Threadline", "MICROVISUALIZER_API_KEY")),
        (status(403), ("Reference",)),
        (status(404, code="project_not_found"), ("workspace admin", str(SHOP))),
        (status(402, code="insufficient_ai_credits"), ("no AI credits", "plan")),
        (status(409, code="insufficient_ai_credits"), ("no AI credits",)),
        (status(400), ("put it differently",)),
    ],
    ids=["401", "403", "404", "402", "409", "400"],
)
async def test_a_refusal_is_told_in_plain_words_with_who_can_mend_it(
    town: Walk, fault: Fault, words: tuple[str, ...]
) -> None:
    town.assistant.faults.add(fault)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        (told,) = await town.answers(ts)
        assert all(word in told for word in words), told
        assert town.workspace.status(town.general, ts) == ""
    assert town.states() == ["buried"]
    assert len(town.assistant.journal) == 1


async def test_a_project_that_does_not_exist_is_named(town: Walk) -> None:
    town.settings = replace(town.settings, default_project=ProjectId("no-such-project-1"))
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        assert "no-such-project-1" in (await town.answers(ts))[0]


async def test_a_wrong_key_is_told_without_being_shown(town: Walk) -> None:
    town.settings = replace(town.settings, chat=ChatSettings(town.assistant.url, SecretStr("sk-canary-4711")))
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        (told,) = await town.answers(ts)
    assert "API key" in told
    assert "canary" not in told


async def test_an_answer_that_is_nothing_once_it_is_harmless_is_still_answered(town: Walk) -> None:
    town.assistant.faults.add(says("\x00"), says("<!-- nothing -->"))
    async with town.run():
        for question in ("one?", "two?"):
            ts = await town.mention(question)
            (told,) = await town.answers(ts)
            assert told.strip()
