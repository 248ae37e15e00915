"""Stories of asking, waiting, failing and answering."""

import asyncio
from datetime import timedelta

import pytest

from core.errors import (
    BrokenAnswer,
    CreditsSpent,
    EndpointMisplaced,
    KeyRefused,
    OutcomeUnknown,
    PostRefused,
    ProjectUnknown,
    QuestionRejected,
    RateLimited,
    StoreUnavailable,
    Unavailable,
    Unreachable,
)
from core.model import Delivery, DeliveryId, QueuedUntil, State, Working
from core.ports import UnitOfWork
from core.retry import Limits
from core.services.settling import cancel
from tests.fixtures.world import ANA, BEN, LANE, World


async def test_a_rate_limited_question_is_answered_after_its_wait_and_not_before(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    await world.ask("Who?")
    await world.settle()
    assert world.next_due == world.clock.now() + timedelta(seconds=30)
    await world.later(29.999)
    assert len(world.chat.asked) == 1
    await world.later(0.001)
    assert world.posted == ["Answer to: Who?"]


async def test_an_answer_is_stored_and_posted_without_what_no_database_takes(world: World) -> None:
    world.chat.script = ["no\0thing \ud800"]
    await world.ask("Who?")
    await world.settle()
    assert world.posted == ["nothing \ufffd"]
    await world.ask("Why?")
    await world.settle()
    assert [turn.text for turn in world.chat.asked[1][1]] == ["Who?", "nothing \ufffd", "Why?"]


async def test_a_429_pauses_every_question_of_its_key_then_lets_one_probe_through(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    await world.ask("first", thread="t0")
    await world.settle()
    for number in range(1, 9):
        await world.ask(f"q{number}", thread=f"t{number}")
    await world.later(29)
    assert len(world.chat.asked) == 1
    world.chat.hold = asyncio.Event()
    world.clock.advance(1)
    assert await world.delivering.take_due() == 1
    world.chat.hold.set()
    await world.settle()
    assert len(world.posted) == 9


async def test_after_a_probe_the_lane_widens_by_one_for_each_success(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(seconds=1))]
    await world.ask("first", thread="t0")
    await world.settle()
    for number in range(1, 9):
        await world.ask(f"q{number}", thread=f"t{number}")
    world.clock.advance(1)
    taken = []
    while count := await world.delivering.take_due():
        taken.append(count)
        await asyncio.gather(*world.leases.tasks())
    assert taken == [1, 2, 4, 2]


async def test_no_call_starts_once_a_429_has_come_not_even_one_already_claimed(world: World) -> None:
    world.poster.names_hold = asyncio.Event()
    await world.ask("one", thread="t1", author=BEN)
    await world.settle()
    await world.ask("two", thread="t1")
    await world.ask("elsewhere", thread="t2")
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    await world.delivering.take_due()
    held = {task.get_name(): task for task in world.leases.tasks()}
    await held["delivery d003"]
    world.poster.names_hold.set()
    await held["delivery d002"]
    assert len(world.chat.asked) == 2
    await world.later(29)
    assert len(world.chat.asked) == 2
    await world.later(1)
    assert len(world.posted) == 3


async def test_a_429_that_was_under_way_at_the_first_one_does_not_lengthen_the_pause(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(seconds=1)), RateLimited(timedelta(seconds=1))]
    world.chat.hold = asyncio.Event()
    for thread in ("t1", "t2"):
        await world.ask("Who?", thread=thread)
    await world.delivering.take_due()
    await world.until(lambda: len(world.chat.asked) == 2, step=0)
    world.chat.hold.set()
    await world.settle()
    lane = await world.store(lambda uow: uow.lanes.get(LANE))
    assert lane.paused_until == world.clock.now() + timedelta(seconds=1)
    await world.later(1)
    assert world.posted == ["Answer to: Who?"] * 2


async def test_no_call_starts_between_a_429_and_its_commit(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    world.chat.hold = asyncio.Event()
    await world.ask("one", thread="t1")
    await world.delivering.take_due()
    await world.until(lambda: world.chat.asked)
    await world.ask("two", thread="t2")
    world.store.failing = 1
    world.chat.hold.set()
    await world.until(lambda: not world.store.failing, step=0)
    assert await world.delivering.take_due() == 1
    await world.until(lambda: not world.leases.tasks())
    assert len(world.chat.asked) == 1
    await world.later(30)
    await world.later(1)
    assert world.posted == ["Answer to: one", "Answer to: two"]


async def test_a_pause_by_another_process_is_seen_by_what_looked_up_names_first(world: World) -> None:
    await world.ask("Who?")
    await world.settle()
    await world.ask("And who else?", author=BEN)
    await world.delivering.take_due()
    now = world.clock.now()
    until = now + timedelta(seconds=30)
    await world.store(lambda uow: uow.lanes.save(uow.lanes.get(LANE).pause(now, until, busy=1)))
    await world.settle()
    assert len(world.chat.asked) == 1
    await world.later(30)
    assert len(world.posted) == 2


async def test_after_a_long_wait_was_told_a_short_one_is_not_and_a_long_one_is_again(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(minutes=minutes)) for minutes in (10, 9, 360)]
    await world.ask("Who?")
    await world.settle()
    await world.later(600)
    assert [state for _, state in world.poster.states][-1] is Working.IDLE
    await world.later(540)
    assert [state for _, state in world.poster.states][-1] == QueuedUntil(
        world.clock.now() + timedelta(hours=6)
    )


async def test_a_429_of_more_than_a_day_buries_its_question_and_holds_up_no_other(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(days=3650))]
    await world.ask("one", thread="t1")
    await world.settle()
    await world.ask("two", thread="t2")
    await world.settle()
    assert world.notices == ["wait_too_long"]
    assert world.posted == ["Answer to: two"]


async def test_a_429_that_ends_its_question_pauses_the_others_all_the_same(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(hours=24)), RateLimited(timedelta(hours=1))]
    await world.ask("one", thread="t1")
    await world.settle()
    await world.later(24 * 3600)
    assert world.notices == ["gave_up"]
    await world.ask("two", thread="t2")
    await world.later(3599)
    assert len(world.chat.asked) == 2
    await world.later(1)
    assert world.posted == ["Answer to: two"]


async def test_a_slow_status_call_never_has_a_question_asked_again_and_again(world: World) -> None:
    world.chat.script = [Unavailable()]
    world.jitter = 0.0
    world.poster.state_hold = asyncio.Event()
    await world.ask("Who?")
    running = asyncio.create_task(world.delivering.run())
    await world.until(lambda: world.clock.monotonic() > 5)
    world.poster.state_hold.set()
    await world.until(lambda: len(world.chat.asked) == 2)
    await world.until(lambda: world.posted)
    world.delivering.stop()
    await running
    assert len(world.chat.asked) == 2
    assert world.posted == ["Answer to: Who?"]


async def test_an_answer_is_stored_before_a_slow_status_call_returns(world: World) -> None:
    world.poster.state_hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    (delivery,) = world.leases.tasks()
    states: list[State] = []
    while State.POSTING not in states:
        states = await world.states()
    assert world.posted == []
    world.poster.state_hold.set()
    await delivery
    assert world.posted == ["Answer to: Who?"]


async def test_what_is_cut_off_twice_during_a_slow_status_call_is_not_shown_for_ever(world: World) -> None:
    """Each heartbeat cuts off what lost its lease, until it has ended."""
    world.poster.state_hold, world.chat.hold = asyncio.Event(), asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    await world.chat.reached.wait()
    (task,) = world.leases.tasks()
    await world.store(lambda uow: cancel(uow, _known(uow, world.id(1)), world.clock.now()))
    for _ in range(2):
        await world.leases.beat()
        await asyncio.sleep(0)
    await asyncio.wait([task])
    world.poster.state_hold.set()
    shown = []
    for _ in range(3):
        for _ in range(10):
            await asyncio.sleep(0)
        shown.append(len(world.poster.states))
        world.clock.advance(90)
    assert shown == [shown[0]] * 3


async def test_a_bug_in_splitting_does_not_have_the_answer_paid_for_twice(world: World) -> None:
    world.poster.limit = -1
    world.chat.script = ["x" * 2000]
    await world.ask("Who?")
    await world.settle()
    assert world.posted == ["x" * 1500, "x" * 500]
    assert len(world.chat.asked) == 1


async def test_a_question_that_ends_every_process_that_asks_it_is_given_up(world: World) -> None:
    await world.ask("Who?")
    for _ in range(8):
        await world.store(lambda uow: uow.deliveries.claim(world.clock.now(), world.leases.end(), 8, 10))
        world.clock.advance(11)
        assert await world.leases.sweep() == 1
    await world.settle()
    assert world.chat.asked == []
    assert world.notices == ["gave_up"]


async def test_an_answer_of_which_nothing_can_be_shown_is_posted_as_it_is(world: World) -> None:
    world.poster.limit = 0
    world.chat.script = ["\u200b"]
    await world.ask("Who?")
    await world.settle()
    assert world.posted == ["\u200b"]


async def test_a_long_wait_is_told_once_in_the_thread_and_to_those_who_wait_behind_it(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(minutes=10)), RateLimited(timedelta(minutes=9))]
    await world.ask("first", thread="t0")
    await world.settle()
    await world.ask("second", thread="t1")
    await world.settle()
    queued = [
        (to.thread.thread, state.at) for to, state in world.poster.states if isinstance(state, QueuedUntil)
    ]
    until = world.clock.now() + timedelta(minutes=10)
    assert queued == [("t0", until), ("t1", until)]
    await world.later(600)
    await world.later(540)
    assert len([state for _, state in world.poster.states if isinstance(state, QueuedUntil)]) == 2
    assert len(world.posted) == 2


async def test_time_in_a_pause_does_not_count_towards_the_deadline(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(hours=3)), Unavailable(), RateLimited(timedelta(hours=2))]
    await world.ask("Who?")
    await world.settle()
    for seconds in (3 * 3600, 60, 2 * 3600):
        await world.later(seconds)
    assert world.posted == ["Answer to: Who?"]


async def test_a_wait_of_a_day_is_kept_exactly(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(hours=24))]
    await world.ask("Who?")
    await world.settle()
    await world.later(24 * 3600 - 1)
    assert len(world.chat.asked) == 1
    await world.later(1)
    assert world.posted == ["Answer to: Who?"]


async def test_a_wait_beyond_a_day_buries_the_question_at_once_with_a_notice(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(hours=24, seconds=1))]
    await world.ask("Who?")
    await world.settle()
    assert world.notices == ["wait_too_long"]
    assert await world.states() == [State.BURIED]


async def test_rate_limited_for_more_than_a_day_it_gives_up(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(hours=13))] * 3
    await world.ask("Who?")
    await world.settle()
    await world.later(13 * 3600)
    await world.later(13 * 3600)
    assert world.notices == ["gave_up"]


async def test_a_question_that_waited_more_than_a_day_behind_others_is_not_asked(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(hours=13)), RateLimited(timedelta(hours=13))]
    await world.ask("first", thread="t0")
    await world.settle()
    await world.ask("second", thread="t1")
    await world.later(13 * 3600)
    await world.later(13 * 3600)
    assert len(world.chat.asked) == 2
    assert world.notices == ["gave_up", "gave_up"]


@pytest.mark.parametrize("error", [Unavailable(), Unreachable(), BrokenAnswer()])
async def test_a_passing_fault_is_tried_again_with_backoff(world: World, error: Exception) -> None:
    world.chat.script = [error, error]
    await world.ask("Who?")
    await world.settle()
    assert world.next_due == world.clock.now() + timedelta(seconds=1)
    await world.later(1)
    assert world.next_due == world.clock.now() + timedelta(seconds=2)
    await world.later(2)
    assert world.posted == ["Answer to: Who?"]


async def test_a_fault_that_does_not_pass_ends_in_one_notice(world: World) -> None:
    world.chat.script = [BrokenAnswer() for _ in range(100)]
    await world.ask("Who?")
    for _ in range(20):
        await world.later(90)
    assert world.notices == ["gave_up"]
    assert len(world.chat.asked) == 8
    assert await world.states() == [State.BURIED]


async def test_the_deadline_ends_it_before_the_attempts_do() -> None:
    world = World(limits=Limits(attempts=1000, deadline=timedelta(minutes=30)))
    world.chat.script = [Unavailable() for _ in range(100)]
    start = world.clock.now()
    await world.ask("Who?")
    while not world.notices:
        await world.later(10)
    assert timedelta(minutes=25) < world.clock.now() - start <= timedelta(minutes=30, seconds=10)


async def test_an_attempt_that_may_have_been_charged_is_repeated_once(world: World) -> None:
    world.chat.script = [OutcomeUnknown(), OutcomeUnknown(), "never asked for"]
    await world.ask("Who?")
    await world.settle()
    await world.later(5)
    await world.later(500)
    assert len(world.chat.asked) == 2
    assert world.notices == ["maybe_charged"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyRefused(), "key_refused"),
        (ProjectUnknown(), "project_unknown"),
        (CreditsSpent(), "credits_spent"),
        (QuestionRejected(), "rejected"),
        (EndpointMisplaced(), "misplaced"),
    ],
)
async def test_what_only_people_can_mend_is_told_at_once(world: World, error: Exception, reason: str) -> None:
    world.chat.script = [error]
    await world.ask("Who?")
    await world.ask("next", addressed=False)
    await world.settle()
    assert world.notices == [reason]
    assert world.posted == ["Answer to: next"]


async def test_a_bug_of_ours_ends_in_a_notice_and_never_in_silence(world: World) -> None:
    world.chat.script = [ZeroDivisionError() for _ in range(8)]
    await world.ask("Who?")
    for _ in range(20):
        await world.later(90)
    assert world.notices == ["gave_up"]


async def test_a_bug_while_posting_is_bounded_too(world: World) -> None:
    world.poster.script = [ZeroDivisionError()]
    await world.ask("Who?")
    await world.settle()
    assert await world.states() == [State.ANSWERED]
    await world.later(5)
    assert len(world.chat.asked) == 1
    assert world.posted == ["Answer to: Who?"]


async def test_a_bug_while_the_database_is_away_is_left_to_the_next_holder(world: World) -> None:
    world.chat.hold = asyncio.Event()
    world.chat.script = [ZeroDivisionError()]
    await world.ask("Who?")
    await world.delivering.take_due()
    await world.chat.reached.wait()
    world.store.failing = 100
    world.chat.hold.set()
    await _let_time_pass(world, 30)
    world.store.failing = 0
    assert await world.states() == [State.ASKING]
    world.clock.advance(10)
    await world.leases.sweep()
    await world.settle()
    assert world.posted == ["Answer to: Who?"]


async def test_working_is_shown_while_asking_and_again_before_it_lapses(world: World) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    (task,) = world.leases.tasks()
    await world.chat.reached.wait()
    await _let_time_pass(world, 1)
    for _ in range(2):
        await _let_time_pass(world, 90)
    world.chat.hold.set()
    await task
    assert [state for _, state in world.poster.states] == [Working.ASKING] * 3


async def test_an_answer_that_comes_at_once_is_not_announced(world: World) -> None:
    await world.ask("Who?")
    await world.settle()
    await _let_time_pass(world, 1)
    assert world.posted == ["Answer to: Who?"]
    assert world.poster.states == []


async def test_a_state_that_cannot_be_shown_holds_up_nothing(world: World) -> None:
    world.poster.state_error = PostRefused()
    world.chat.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    await world.chat.reached.wait()
    await _let_time_pass(world, 1)
    world.chat.hold.set()
    await world.settle()
    assert world.posted == ["Answer to: Who?"]


async def test_speakers_are_named_where_a_thread_has_several(world: World) -> None:
    world.poster.known = {ANA: "Ana"}
    await world.ask("one")
    await world.ask("two", author=BEN)
    await world.settle()
    assert [turn.text for turn in world.chat.asked[1][1]] == ["Ana: one", "Answer to: one", "Speaker 2: two"]


async def test_names_that_cannot_be_had_are_numbers(world: World) -> None:
    world.poster.names_error = Unavailable()
    await world.ask("one")
    await world.ask("two", author=BEN)
    await world.settle()
    assert world.chat.asked[1][1][0].text == "Speaker 1: one"


async def test_a_thread_is_told_once_that_older_turns_are_left_out() -> None:
    world = World(budget=60)
    for number in range(4):
        await world.ask(f"question number {number}")
        await world.settle()
    remarked = [text.endswith("[older_turns_left_out]") for text in world.posted]
    assert remarked == [False, True, False, False]


async def test_a_stored_answer_survives_a_short_absence_of_the_database(world: World) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    await world.chat.reached.wait()
    world.store.failing = 3
    world.chat.hold.set()
    await _let_time_pass(world, 3)
    await world.settle()
    assert world.posted == ["Answer to: Who?"]
    assert len(world.chat.asked) == 1


async def test_an_accept_that_the_database_refuses_is_not_acknowledged(world: World) -> None:
    world.store.failing = 1
    with pytest.raises(StoreUnavailable):
        await world.ask("Who?", event="e", message="m")
    await world.ask("Who?", event="e", message="m")
    await world.settle()
    assert world.posted == ["Answer to: Who?"]


async def test_lanes_of_asking_are_counted_while_they_ask() -> None:
    world = World(concurrency=2)
    world.chat.hold = asyncio.Event()
    for number in range(5):
        await world.ask(f"q{number}", thread=f"t{number}")
    assert await world.delivering.take_due() == 2
    assert await world.delivering.take_due() == 0
    assert len(world.leases) == 2
    world.chat.hold.set()
    await world.settle()
    assert len(world.posted) == 5
    assert LANE not in {to.thread.thread for to, _ in world.poster.posted}


async def _let_time_pass(world: World, seconds: float) -> None:
    """Move the clock in small steps, letting whoever it wakes go on."""
    for _ in range(20):
        await asyncio.sleep(0)
        world.clock.advance(seconds / 20)
    for _ in range(20):
        await asyncio.sleep(0)


def _known(uow: UnitOfWork, delivery: DeliveryId) -> Delivery:
    found = uow.deliveries.get(delivery)
    assert found is not None
    return found
