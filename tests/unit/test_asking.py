"""Stories of taking questions in."""

import asyncio
from datetime import timedelta

from core.errors import RateLimited, Unavailable
from core.model import Outcome, Reason, Receipt, Role, State
from tests.fixtures.world import ANA, CHAT, SHOP, World, channel


async def test_a_mention_is_accepted_asked_and_answered_in_its_thread(world: World) -> None:
    assert await world.ask("Who calls billing?") is Outcome.ACCEPTED
    assert world.woken == 1
    await world.settle()
    assert world.posted == ["Answer to: Who calls billing?"]
    assert world.poster.posted[0][0].thread.thread == "t1"
    assert await world.states() == [State.DONE]


async def test_the_same_event_again_is_a_duplicate(world: World) -> None:
    assert await world.ask("Who?", event="e", message="m") is Outcome.ACCEPTED
    assert await world.ask("Who?", event="e", message="m") is Outcome.DUPLICATE
    await world.settle()
    assert len(world.chat.asked) == len(world.posted) == 1


async def test_the_twin_of_a_mention_under_another_event_is_a_duplicate(world: World) -> None:
    await world.ask("Who?", event="mention", message="m")
    assert await world.ask("Who?", event="message", message="m") is Outcome.DUPLICATE


async def test_a_message_in_a_thread_that_is_not_ours_is_ignored(world: World) -> None:
    assert await world.ask("Lunch?", addressed=False) is Outcome.IGNORED
    assert await world.asking.ledger(CHAT, world.clock.now()) == {}
    assert await world.states() == []


async def test_a_follow_up_needs_no_mention_and_carries_the_earlier_turns(world: World) -> None:
    await world.ask("Who publishes order.created?")
    await world.settle()
    assert await world.ask("And who consumes it?", addressed=False) is Outcome.ACCEPTED
    assert [one.thread for one in await world.asking.ledger(CHAT, world.clock.now())] == ["t1"]
    await world.settle()
    _, turns = world.chat.asked[1]
    assert [(turn.role, turn.text) for turn in turns] == [
        (Role.USER, "Who publishes order.created?"),
        (Role.ASSISTANT, "Answer to: Who publishes order.created?"),
        (Role.USER, "And who consumes it?"),
    ]


async def test_nuls_and_lone_surrogates_are_made_harmless(world: World) -> None:
    await world.ask("a\x00b \ud800 \u202eright to left")
    await world.settle()
    assert world.chat.asked[0][1][0].text == "ab \ufffd \u202eright to left"


async def test_an_empty_mention_gets_a_hint_and_the_thread_is_ours(world: World) -> None:
    assert await world.ask("   ") is Outcome.ACCEPTED
    await world.settle()
    assert world.notices == ["empty"]
    assert await world.ask("who owns web?", addressed=False) is Outcome.ACCEPTED
    await world.settle()
    assert [turn.text for turn in world.chat.asked[0][1]] == ["who owns web?"]


async def test_files_alone_get_a_notice_and_with_text_a_remark(world: World) -> None:
    await world.ask("", files=True)
    await world.ask("what is this?", files=True)
    await world.settle()
    assert world.notices == ["only_files"]
    assert world.posted == ["Answer to: what is this? [files_unread]"]


async def test_what_the_adapter_objects_to_is_told_and_not_asked(world: World) -> None:
    await world.ask("Who?", objection=Reason.EXTERNAL)
    await world.settle()
    assert world.notices == ["external"]
    assert world.chat.asked == []
    assert await world.states() == [State.DONE]


async def test_a_question_longer_than_the_budget_is_told_so_and_not_asked() -> None:
    world = World(budget=20)
    await world.ask("x" * 21)
    await world.settle()
    assert world.notices == ["too_long"]
    assert world.chat.asked == []


async def test_a_thread_over_its_ceiling_is_told_once_and_then_left_alone() -> None:
    world = World(ceiling=2)
    outcomes = [await world.ask(f"question {number}") for number in range(4)]
    assert outcomes == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.REFUSED]
    await world.settle()
    assert world.notices == ["too_many"]
    await world.later(3601)
    assert await world.ask("an hour later") is Outcome.ACCEPTED


async def test_questions_of_one_thread_are_answered_in_order_and_others_are_not_held_up(world: World) -> None:
    for number in range(20):
        await world.ask(f"q{number}")
    await world.ask("elsewhere", thread="t2")
    assert (await world.states()).count(State.WAITING) == 19
    await world.settle()
    answers = [text for to, text in world.poster.posted if to.thread.thread == "t1"]
    assert answers == [f"Answer to: q{number}" for number in range(20)]
    assert world.posted.index("Answer to: elsewhere") < 2


async def test_messages_that_arrive_in_the_wrong_order_are_asked_as_they_were_written(world: World) -> None:
    await world.ask("second", written=2)
    await world.ask("first", written=1)
    await world.ask("third", written=3)
    await world.settle()
    assert [turns[-1].text for _, turns in world.chat.asked] == ["first", "second", "third"]
    assert [turn.text for turn in world.chat.asked[2][1]] == [
        "first",
        "Answer to: first",
        "second",
        "Answer to: second",
        "third",
    ]


async def test_a_late_message_does_not_overtake_one_that_was_tried_already(world: World) -> None:
    world.chat.script = [Unavailable()]
    await world.ask("second", written=2)
    await world.settle()
    await world.ask("first", written=1)
    await world.later(60)
    assert [turns[-1].text for _, turns in world.chat.asked] == ["second", "second", "first"]


async def test_a_late_message_goes_before_what_waited_for_a_link_or_was_put_back_untried() -> None:
    world = World(default=None)
    await world.ask("second", written=2)
    await world.settle()
    await world.linking.link(channel(), SHOP, ANA)
    await world.ask("first", written=1)
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    await world.settle()
    await world.ask("nought", written=0)
    await world.later(31)
    assert [turns[-1].text for _, turns in world.chat.asked] == ["first", "nought", "first", "second"]


async def test_a_receipt_comes_back_wherever_something_is_shown_for_its_question(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(seconds=3))]
    await world.ask("Who?", receipt=Receipt("token"))
    await world.ask("", receipt=Receipt("another"))
    await world.settle()
    await world.later(3)
    assert [to.receipt for to, _ in world.poster.posted] == ["token"]
    assert {to.receipt for to, _ in world.poster.states} == {"token"}
    assert [to.receipt for to, _ in world.poster.notices] == ["another"]


async def test_a_thread_that_is_moved_is_answered_where_it_went_and_goes_on_there(world: World) -> None:
    question = world.question("first")
    await world.asking.accept(question)
    await world.ask("second")
    assert await world.move(question.thread, "opened")
    assert not await world.move(question.thread, "elsewhere")
    assert await world.asking.accept(question) is Outcome.DUPLICATE
    assert await world.ask("not ours", addressed=False) is Outcome.IGNORED
    assert await world.ask("third", thread="opened", addressed=False) is Outcome.ACCEPTED
    await world.settle()
    assert {to.thread.thread for to, _ in world.poster.posted} == {"opened"}
    assert [turns[-1].text for _, turns in world.chat.asked] == ["first", "second", "third"]
    assert len(world.chat.asked[2][1]) == 5
    assert [one.thread for one in await world.asking.ledger(CHAT, question.asked_at)] == ["opened"]


async def test_a_thread_that_moves_while_its_answer_is_on_the_way_goes_on_where_it_went(
    world: World,
) -> None:
    world.chat.hold = asyncio.Event()
    question = world.question("first")
    await world.asking.accept(question)
    await world.delivering.take_due()
    await world.chat.reached.wait()
    assert await world.move(question.thread, "opened")
    world.chat.hold.set()
    await world.settle()
    assert await world.states() == [State.DONE]
    await world.ask("second", thread="opened", addressed=False)
    await world.settle()
    assert world.poster.posted[1][0].thread.thread == "opened"
    assert [turn.text for turn in world.chat.asked[1][1]] == ["first", "Answer to: first", "second"]
