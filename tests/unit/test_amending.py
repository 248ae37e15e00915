"""Stories of questions that are edited, deleted or stopped: before, while and after they are asked."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from core.errors import PostRefused, RateLimited, StoreUnavailable, Unavailable
from core.model import Amendment, EventId, Mark, Outcome, Question, State, Working
from core.ports import UnitOfWork
from core.testing import MemoryStore
from tests.fixtures.world import ANA, BEN, World, channel

T = TypeVar("T")


def _edited(question: Question, text: str, second: int | None = None) -> Question:
    """Return a question as it reads after an edit, so many seconds after it was written if that is told."""
    told = None if second is None else question.asked_at + timedelta(seconds=second)
    event = EventId(f"{question.event}-edit-{second or 0}")
    return replace(question, event=event, text=text, edited_at=told)


async def _wait_behind_a_pause(world: World, question: Question) -> None:
    """Have a question wait: its lane is paused by another's 429."""
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    await world.ask("other", thread="elsewhere", author=BEN)
    await world.settle()
    assert await world.asking.accept(question) is Outcome.ACCEPTED


async def test_edited_before_it_is_asked_its_latest_text_is_sent(world: World) -> None:
    question = world.question("Who owns biling?")
    await _wait_behind_a_pause(world, question)
    assert await world.amending.edited(_edited(question, "Who owns billing?")) is Amendment.TAKEN
    assert await world.amending.edited(_edited(question, "Who owns billing?")) is Amendment.UNCHANGED
    await world.later(31)
    assert world.posted == ["Answer to: other", "Answer to: Who owns billing?"]
    assert world.poster.marks == []


@pytest.mark.parametrize("text", ["  ", "stop"])
async def test_edited_to_be_no_question_any_more_it_is_not_asked(world: World, text: str) -> None:
    question = world.question("Who?")
    await _wait_behind_a_pause(world, question)
    assert await world.amending.edited(_edited(question, text)) is Amendment.CANCELLED
    await world.later(31)
    assert world.posted == ["Answer to: other"]
    assert State.CANCELLED in await world.states()


async def test_edited_to_be_too_long_it_is_told_so_instead() -> None:
    world = World(budget=20)
    question = world.question("Who?")
    follow_up = world.question("And why?")
    await _wait_behind_a_pause(world, question)
    await world.asking.accept(follow_up)
    assert await world.amending.edited(_edited(follow_up, "why? " * 5)) is Amendment.TAKEN
    assert await world.amending.edited(_edited(question, "who? " * 5)) is Amendment.TAKEN
    await world.later(31)
    assert world.notices == ["too_long", "too_long"]
    assert world.posted == ["Answer to: other"]


async def test_edited_while_it_is_asked_the_answer_says_so_and_the_thread_keeps_what_was_asked(
    world: World,
) -> None:
    world.chat.hold = asyncio.Event()
    question = world.question("Who owns billing?")
    await world.asking.accept(question)
    await world.delivering.take_due()
    await world.until(lambda: world.chat.asked)
    assert await world.amending.edited(_edited(question, "Who owns orders?")) is Amendment.TAKEN
    world.chat.hold.set()
    await world.settle()
    assert world.posted == ["Answer to: Who owns billing?"]
    assert [(part, mark) for _, part, mark in world.poster.marks] == [(0, Mark.EDITED)]
    await world.ask("And why?")
    await world.settle()
    assert world.chat.asked[-1][1][0].text == "Who owns billing?"


async def test_edited_while_names_are_looked_up_its_latest_text_is_sent(world: World) -> None:
    await world.ask("first", author=BEN)
    await world.settle()
    world.poster.names_hold = asyncio.Event()
    question = world.question("secnd")
    await world.asking.accept(question)
    await world.delivering.take_due()
    for _ in range(5):
        await asyncio.sleep(0)
    await world.amending.edited(_edited(question, "second"))
    world.poster.names_hold.set()
    await world.settle()
    assert world.chat.asked[-1][1][-1].text == "Speaker 2: second"
    assert world.poster.marks == []


async def test_edited_between_two_attempts_the_second_has_the_latest_text(world: World) -> None:
    world.chat.script = [Unavailable()]
    question = world.question("Who?")
    await world.asking.accept(question)
    await world.settle()
    await world.amending.edited(_edited(question, "Why?"))
    await world.later(5)
    assert world.posted == ["Answer to: Why?"]
    assert world.poster.marks == []


async def test_edited_after_it_was_answered_the_answer_says_so_once(world: World) -> None:
    world.poster.limit = 5
    question = world.question("Who?")
    await world.asking.accept(question)
    await world.settle()
    assert await world.amending.edited(_edited(question, "Why?")) is Amendment.MARKED
    assert await world.amending.edited(_edited(question, "How?")) is Amendment.UNCHANGED
    await world.settle()
    last = len(world.posted) - 1
    assert [(part, mark) for _, part, mark in world.poster.marks] == [(last, Mark.EDITED)]
    assert await world.amending.edited(_edited(question, "Where?")) is Amendment.UNCHANGED
    assert await world.amending.deleted(channel(), question.message) is Amendment.MARKED
    assert await world.amending.deleted(channel(), question.message) is Amendment.UNCHANGED
    await world.settle()
    assert [mark for _, _, mark in world.poster.marks] == [Mark.EDITED, Mark.DELETED]


async def test_what_only_had_a_notice_gets_no_mark(world: World) -> None:
    question = world.question("")
    await world.asking.accept(question)
    await world.settle()
    assert world.notices == ["empty"]
    assert await world.amending.edited(_edited(question, "Why?")) is Amendment.UNCHANGED
    assert await world.amending.deleted(channel(), question.message) is Amendment.UNCHANGED


async def test_deleted_before_it_is_asked_it_never_is_and_the_next_has_its_turn(world: World) -> None:
    question, follow_up = world.question("Who?"), world.question("And why?")
    await _wait_behind_a_pause(world, question)
    await world.asking.accept(follow_up)
    assert await world.amending.deleted(channel(), question.message) is Amendment.CANCELLED
    await world.later(31)
    assert [[turn.text for turn in turns] for _, turns in world.chat.asked[1:]] == [["other"], ["And why?"]]
    assert await world.asking.accept(question) is Outcome.DUPLICATE


async def test_deleted_while_it_waits_for_its_turn_nobody_overtakes_anybody(world: World) -> None:
    first, second, third = (world.question(text) for text in ("1", "2", "3"))
    world.chat.hold = asyncio.Event()
    for question in (first, second, third):
        await world.asking.accept(question)
    await world.delivering.take_due()
    await world.until(lambda: world.chat.asked)
    assert await world.amending.deleted(channel(), second.message) is Amendment.CANCELLED
    assert len(world.chat.asked) == 1
    world.chat.hold.set()
    await world.settle()
    assert world.posted == ["Answer to: 1", "Answer to: 3"]


async def test_deleted_while_it_is_asked_the_call_ends_and_nothing_is_shown(world: World) -> None:
    world.chat.hold = asyncio.Event()
    question = world.question("Who?")
    await world.asking.accept(question)
    await world.delivering.take_due()
    await world.until(lambda: world.chat.asked)
    (call,) = world.leases.tasks()
    assert await world.amending.deleted(channel(), question.message) is Amendment.CANCELLED
    await asyncio.wait([call])
    assert call.cancelled()
    world.chat.hold.set()
    await world.settle()
    assert (world.posted, world.notices) == ([], [])
    assert [state for _, state in world.poster.states][-1] is Working.IDLE
    assert await world.states() == [State.CANCELLED]


async def test_deleted_while_its_answer_waits_to_be_posted_that_is_not_shown(world: World) -> None:
    world.poster.script = [RateLimited(timedelta(seconds=30))]
    question = world.question("Who?")
    await world.asking.accept(question)
    await world.settle()
    assert await world.amending.deleted(channel(), question.message) is Amendment.CANCELLED
    await world.later(31)
    assert world.posted == []


async def test_deleted_when_half_of_its_answer_is_shown_the_rest_follows_and_says_so(world: World) -> None:
    world.poster.limit = 10
    world.poster.script = [None, RateLimited(timedelta(seconds=30))]
    question = world.question("Who?")
    await world.asking.accept(question)
    await world.settle()
    assert await world.amending.deleted(channel(), question.message) is Amendment.MARKED
    await world.later(31)
    assert "".join(world.posted) == "Answer to: Who?"
    assert [(part, mark) for _, part, mark in world.poster.marks] == [(1, Mark.DELETED)]


async def test_deleted_after_it_was_answered_it_is_not_sent_along_any_more(world: World) -> None:
    question = world.question("a secret")
    await world.asking.accept(question)
    await world.settle()
    assert await world.amending.deleted(channel(), question.message) is Amendment.MARKED
    await world.ask("And why?")
    await world.settle()
    assert [turn.text for turn in world.chat.asked[-1][1]] == ["And why?"]
    assert [mark for _, _, mark in world.poster.marks] == [Mark.DELETED]


async def test_a_question_without_a_project_can_be_edited_and_deleted() -> None:
    world = World(default=None)
    question, other = world.question("Who?"), world.question("Why?")
    await world.asking.accept(question)
    await world.asking.accept(other)
    await world.settle()
    assert await world.amending.edited(_edited(question, "Where?")) is Amendment.TAKEN
    assert await world.amending.deleted(channel(), other.message) is Amendment.CANCELLED
    await world.linking.link(channel(), world.shop, ANA)
    await world.settle()
    assert world.posted == ["Answer to: Where?"]


async def test_an_edit_that_overtakes_its_message_is_taken_as_the_question(world: World) -> None:
    question = world.question("Who?")
    assert await world.amending.edited(_edited(question, "Why?")) is Amendment.TAKEN
    assert await world.asking.accept(question) is Outcome.DUPLICATE
    await world.settle()
    assert world.posted == ["Answer to: Why?"]


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (1, 2, 1), (2, 1, 2), (2, 2, 1, 1)])
@pytest.mark.parametrize("known", [True, False], ids=["before its edits", "after them"])
async def test_whatever_the_order_in_which_edits_come_the_latest_one_counts(
    world: World, order: tuple[int, ...], known: bool
) -> None:
    question = world.question("Who?")
    if known:
        await _wait_behind_a_pause(world, question)
    for number in order:
        await world.amending.edited(_edited(question, f"Who {number}?", number))
    if not known:
        assert await world.asking.accept(question) is Outcome.DUPLICATE
    await world.later(31)
    assert world.posted[-1:] == ["Answer to: Who 2?"]
    assert len(world.posted) == 1 + known


async def test_an_edit_that_comes_late_does_not_undo_that_the_first_words_are_back(world: World) -> None:
    question = world.question("Who?")
    await _wait_behind_a_pause(world, question)
    assert await world.amending.edited(_edited(question, "Who?", 2)) is Amendment.UNCHANGED
    assert await world.amending.edited(_edited(question, "Why?", 1)) is Amendment.UNCHANGED
    await world.later(31)
    assert world.posted[-1] == "Answer to: Who?"


async def test_an_edit_that_comes_late_brings_nothing_back_that_was_taken_back(world: World) -> None:
    question = world.question("Who?")
    await _wait_behind_a_pause(world, question)
    assert await world.amending.edited(_edited(question, "", 2)) is Amendment.CANCELLED
    assert await world.amending.edited(_edited(question, "Why?", 1)) is Amendment.UNCHANGED
    await world.later(31)
    assert world.posted == ["Answer to: other"]


async def test_an_edit_is_not_lost_to_its_message_that_comes_at_that_moment_elsewhere() -> None:
    store, came = MemoryStore(), list[Question]()

    async def between(work: Callable[[UnitOfWork], T]) -> T:
        done = await store(work)
        if came:
            await elsewhere.asking.accept(came.pop())
        return done

    world, elsewhere = World(transact=between), World(transact=store)
    question = world.question("Who?")
    came.append(question)
    assert await world.amending.edited(_edited(question, "Why?", 1)) is Amendment.TAKEN
    await elsewhere.settle()
    assert elsewhere.posted == ["Answer to: Why?"]


async def test_what_is_offered_as_a_question_when_it_is_edited_is_one_however_old_it_is(world: World) -> None:
    old = world.question("Who?", written=-601)
    assert await world.amending.edited(old, offered=True) is Amendment.TAKEN
    await world.settle()
    assert world.posted == ["Answer to: Who?"]


async def test_an_old_message_that_is_edited_is_no_question_and_one_that_is_not_for_us_neither(
    world: World,
) -> None:
    old = world.question("Who?", written=-601)
    assert await world.amending.edited(old) is Amendment.UNKNOWN
    assert await world.amending.edited(world.question("Hi", addressed=False)) is Amendment.UNCHANGED
    assert await world.states() == []


async def test_a_deletion_that_overtakes_its_message_has_it_never_asked(world: World) -> None:
    question = world.question("Who?")
    assert await world.amending.deleted(channel(), question.message, question) is Amendment.CANCELLED
    assert await world.amending.deleted(channel(), question.message, question) is Amendment.UNCHANGED
    assert await world.asking.accept(question) is Outcome.DUPLICATE
    await world.settle()
    assert (world.chat.asked, world.posted) == ([], [])


async def test_a_deleted_message_that_is_none_of_ours_leaves_no_trace(world: World) -> None:
    chatter = world.question("Hi", addressed=False)
    assert await world.amending.deleted(channel(), chatter.message, chatter) is Amendment.UNKNOWN
    assert await world.amending.deleted(channel(), chatter.message) is Amendment.UNKNOWN
    assert await world.states() == []


@pytest.mark.parametrize("word", ["stop", "Stop!", " cancel. "])
async def test_stop_ends_what_its_author_has_asked_in_the_thread_and_nothing_else(
    world: World, word: str
) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("1")
    await world.ask("2")
    await world.ask("theirs", author=BEN)
    await world.ask("elsewhere", thread="t2")
    await world.delivering.take_due()
    await world.until(lambda: len(world.chat.asked) == 2)
    assert await world.ask(word) is Outcome.STOPPED
    world.chat.hold.set()
    await world.settle()
    assert sorted(world.posted) == ["Answer to: elsewhere", "Answer to: theirs"]
    assert world.notices == ["stopped"]
    assert await world.ask(word) is Outcome.STOPPED
    await world.settle()
    assert world.notices == ["stopped", "nothing_to_stop"]


async def test_stop_is_a_question_where_it_is_not_all_that_is_said(world: World) -> None:
    assert await world.ask("stop what?") is Outcome.ACCEPTED
    await world.settle()
    assert world.posted == ["Answer to: stop what?"]


async def test_a_buttons_press_stops_as_the_word_does(world: World) -> None:
    question = world.question("Who?")
    await _wait_behind_a_pause(world, question)
    assert await world.stopping.stop(question.thread, BEN) == 0
    assert await world.stopping.stop(question.thread, ANA) == 1
    assert await world.stopping.stop(replace(question.thread, thread="unknown"), ANA) == 0
    await world.later(31)
    assert world.posted == ["Answer to: other"]


async def test_a_mark_that_cannot_be_made_now_is_made_later_and_one_that_never_can_is_let_go(
    world: World,
) -> None:
    questions = [world.question(text, thread=text) for text in ("1", "2")]
    for question in questions:
        await world.asking.accept(question)
    await world.settle()
    world.poster.mark_error = RateLimited(timedelta(seconds=90))
    await world.amending.edited(_edited(questions[0], "one"))
    await world.settle()
    world.poster.mark_error = None
    await world.later(89)
    assert world.poster.marks == []
    await world.later(1)
    assert [mark for _, _, mark in world.poster.marks] == [Mark.EDITED]
    world.poster.mark_error = PostRefused()
    await world.amending.edited(_edited(questions[1], "two"))
    await world.settle()
    world.poster.mark_error = None
    await world.later(3600)
    assert len(world.poster.marks) == 1


async def test_a_mark_that_is_made_but_not_recorded_is_made_again(world: World) -> None:
    question = world.question("Who?")
    await world.asking.accept(question)
    await world.settle()
    await world.amending.edited(_edited(question, "Why?"))
    marking = world.marking
    owed = await world.store(marking.due)
    world.poster.mark_error = Unavailable()
    world.store.failing = 1
    await marking.make(owed)
    world.poster.mark_error = None
    await world.settle()
    assert world.poster.marks == []  # as another process may be making it
    await world.later(60)
    assert [mark for _, _, mark in world.poster.marks] == [Mark.EDITED]


async def test_an_amendment_that_is_not_stored_is_not_taken(world: World) -> None:
    question = world.question("Who?")
    await _wait_behind_a_pause(world, question)
    world.store.failing = 1
    with pytest.raises(StoreUnavailable):
        await world.amending.edited(_edited(question, "Why?"))
    world.store.failing = 1
    with pytest.raises(StoreUnavailable):
        await world.amending.deleted(channel(), question.message)
    await world.later(31)
    assert world.posted[-1] == "Answer to: Who?"
