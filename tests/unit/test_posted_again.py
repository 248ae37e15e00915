"""Stories of what is edited, deleted or stopped when an operator has, or may have, it answered again."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from core.errors import CannotLook, CreditsSpent, PostRefused, RateLimited
from core.model import Amendment, Mark, Question, State
from core.services.reviewing import NotToBeRevived
from tests.fixtures.world import ANA, BEN, World, channel


async def _owed_a_notice(world: World) -> Question:
    """Have a question refused, and the notice of it wait behind a pause."""
    question = world.question("Who?")
    world.chat.script = [CreditsSpent()]
    world.poster.script = [RateLimited(timedelta(seconds=30))]
    await world.asking.accept(question)
    await world.settle()
    return question


async def test_a_question_that_was_edited_while_its_notice_waited_is_asked_again_as_it_is_now(
    world: World,
) -> None:
    question = await _owed_a_notice(world)
    assert await world.states() == [State.ANSWERED]
    await world.amending.edited(replace(question, text="Why?"))
    await world.later(31)
    assert world.notices == ["credits_spent"]
    await world.reviewing.post_again(world.id(1))
    await world.settle()
    assert world.posted == ["Answer to: Why?"]


@pytest.mark.parametrize("text", ["", "stop", "x" * 100_000])
async def test_what_cannot_be_asked_any_more_leaves_its_thread_and_is_not_asked_again(
    world: World, text: str
) -> None:
    question = await _owed_a_notice(world)
    await world.amending.edited(replace(question, text=text))
    await world.later(31)
    assert world.notices == ["credits_spent"]
    await world.ask("And?")
    await world.settle()
    assert [[turn.text for turn in turns] for _, turns in world.chat.asked] == [["Who?"], ["And?"]]
    with pytest.raises(NotToBeRevived):
        await world.reviewing.post_again(world.id(1))


async def _half_shown(world: World) -> Question:
    """Have an answer of which one half is shown wait to be posted again, behind another's question."""
    world.poster.limit = 10
    world.poster.script = [None, PostRefused(), PostRefused()]
    question = world.question("Who?")
    await world.asking.accept(question)
    await world.settle()
    world.poster.limit = 100
    await _revived_behind_another(world)
    return question


async def _revived_behind_another(world: World) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("And?", author=BEN)
    await world.delivering.take_due()
    await world.until(lambda: len(world.chat.asked) == 2)
    assert (await world.reviewing.post_again(world.id(1))).state is State.WAITING


async def _goes_on(world: World) -> None:
    assert world.chat.hold is not None
    world.chat.hold.set()
    await world.settle()
    await world.later(60)
    assert (world.posted[0], world.posted[2:]) == ("Answer to:", [" Who?"])
    assert await world.states() == [State.DONE, State.DONE]


async def test_stop_does_not_end_an_answer_of_which_one_half_is_shown(world: World) -> None:
    question = await _half_shown(world)
    assert await world.stopping.stop(question.thread, ANA) == 0
    await _goes_on(world)
    assert world.poster.marks == []


@pytest.mark.parametrize(
    ("text", "mark"), [(None, Mark.DELETED), ("Why?", Mark.EDITED), ("stop", Mark.EDITED)]
)
async def test_an_answer_that_waits_to_be_posted_again_says_what_became_of_its_question(
    world: World, text: str | None, mark: Mark
) -> None:
    question = await _half_shown(world)
    if text is None:
        assert await world.amending.deleted(channel(), question.message) is Amendment.MARKED
    else:
        assert await world.amending.edited(replace(question, text=text)) is Amendment.MARKED
    await _goes_on(world)
    assert [made for _, _, made in world.poster.marks] == [mark]


async def test_deleted_when_nothing_of_it_is_shown_an_answer_that_waits_to_be_posted_is_not(
    world: World,
) -> None:
    world.poster.lost = 1
    world.poster.find_error = CannotLook()
    question = world.question("Who?")
    await world.asking.accept(question)
    await world.settle()
    await world.later(5)
    await _revived_behind_another(world)
    assert await world.amending.deleted(channel(), question.message) is Amendment.CANCELLED
    assert world.chat.hold is not None
    world.chat.hold.set()
    await world.settle()
    assert await world.states() == [State.CANCELLED, State.DONE]
