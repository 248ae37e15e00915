"""Stories of an assistant, or a platform, that is away for a while."""

import asyncio
from datetime import timedelta

import pytest

from core.errors import AccountRefused, OutcomeUnknown, RateLimited, Unavailable, Unreachable
from core.model import AssistantAway, State
from core.services.failing import TOKEN_WAIT
from tests.fixtures.world import LANE, World


async def _ask_many(world: World, many: int) -> None:
    for number in range(many):
        await world.ask(f"q{number}", thread=f"t{number}")


async def _pass(world: World, seconds: int) -> None:
    for _ in range(seconds):
        await world.later(1)


@pytest.mark.parametrize("error", [Unavailable(), Unreachable()])
async def test_an_assistant_that_is_away_is_probed_by_one_call_at_a_time_and_all_is_answered(
    world: World, error: Exception
) -> None:
    world.chat.script = [error] * 1_000
    await _ask_many(world, 100)
    await _pass(world, 600)
    during = len(world.chat.asked)
    assert during <= 8 + 5 + 16
    assert (world.posted, world.notices) == ([], [])
    world.chat.script = []
    await _pass(world, 90)
    assert sorted(world.posted) == sorted(f"Answer to: q{number}" for number in range(100))
    assert await world.states() == [State.DONE] * 100


async def test_once_it_is_back_a_few_go_first_and_then_more(world: World) -> None:
    world.chat.script = [Unavailable()] * 1_000
    await _ask_many(world, 50)
    await _pass(world, 30)
    world.chat.script = []
    world.clock.advance(60)
    taken = []
    while count := await world.delivering.take_due():
        taken.append(count)
        await asyncio.gather(*world.leases.tasks())
    assert taken[:4] == [1, 2, 4, 8]


async def test_each_asker_is_told_of_an_outage_once_also_who_asks_meanwhile(world: World) -> None:
    began = world.clock.now()
    world.chat.script = [Unavailable()] * 1_000
    await _ask_many(world, 3)
    await _pass(world, 300)
    await world.ask("late", thread="late")
    await _pass(world, 600)
    told = [
        (to.thread.thread, state.until)
        for to, state in world.poster.states
        if isinstance(state, AssistantAway)
    ]
    assert sorted(thread for thread, _ in told) == ["late", "t0", "t1", "t2"]
    assert {until for thread, until in told if thread != "late"} == {began + timedelta(minutes=30, seconds=1)}


async def test_who_waits_beyond_their_time_behind_an_outage_is_told_so(world: World) -> None:
    world.chat.script = [Unavailable()] * 10_000
    await _ask_many(world, 20)
    for _ in range(33):
        await world.later(60)
    assert world.notices == ["gave_up"] * 20
    assert await world.states() == [State.BURIED] * 20


async def test_a_pause_that_the_assistant_asked_for_does_not_count_towards_that_time(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(hours=2))]
    await _ask_many(world, 20)
    for _ in range(130):
        await world.later(60)
    assert world.notices == []
    assert len(world.posted) == 20


async def test_nor_does_it_where_the_question_had_failed_before(world: World) -> None:
    world.chat.script = [Unavailable(), RateLimited(timedelta(hours=2))]
    await world.ask("1")
    await world.settle()
    for _ in range(130):
        await world.later(60)
    assert world.notices == []
    assert world.posted == ["Answer to: 1"]


async def test_a_day_behind_pauses_is_too_much_whatever_they_are(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(hours=23))] * 3
    await world.ask("1", thread="t1")
    await world.settle()
    await world.later(23 * 3600)
    await world.ask("2", thread="t2")
    await world.later(2 * 3600)
    assert world.notices == ["gave_up"]


async def test_a_reply_that_never_comes_twice_ends_a_question_also_in_an_outage(world: World) -> None:
    world.chat.script = [Unavailable(), *[Unavailable()] * 4, OutcomeUnknown(), OutcomeUnknown()]
    await world.ask("Who?")
    await _pass(world, 300)
    assert world.notices == ["maybe_charged"]


async def test_a_success_ends_an_outage_for_whoever_waits(world: World) -> None:
    world.chat.script = [Unavailable()] * 5
    await _ask_many(world, 1)
    await _pass(world, 120)
    lane = await world.store(lambda uow: uow.lanes.get(LANE))
    assert (lane.away_since, lane.failures) == (None, 0)
    tally = await world.store(lambda uow: uow.deliveries.tally(world.clock.now()))
    assert tally.lanes == {}


async def test_a_platform_that_refuses_our_account_is_left_alone_for_a_while(world: World) -> None:
    world.poster.script = [AccountRefused()] * 50
    await _ask_many(world, 3)
    await world.settle()
    first = 50 - len(world.poster.script)
    assert 1 <= first <= 3
    await _pass(world, int(TOKEN_WAIT.total_seconds()) - 1)
    assert 50 - len(world.poster.script) == first
    await world.later(1 + TOKEN_WAIT.total_seconds() / 4)
    assert 50 - len(world.poster.script) == first + 1
    world.poster.script = []
    await world.later(2 * TOKEN_WAIT.total_seconds())
    await world.later(60)
    assert len(world.posted) == 3
    assert await world.states() == [State.DONE] * 3
