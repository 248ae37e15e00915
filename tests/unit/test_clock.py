"""The steady clock: the time of day is read once, and an hour set forward or back moves nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from core.clock import SystemClock
from core.errors import RateLimited
from core.model import State
from tests.fixtures.world import LANE, World

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


class Hands:
    """A machine's wall clock, and the seconds that have truly passed."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.set_by = 0.0

    def wall(self) -> float:
        return NOON.timestamp() + self.passed + self.set_by


@pytest.mark.parametrize("hour", [-3600, 3600])
def test_an_hour_that_the_wall_clock_is_set_is_no_hour_that_has_passed(hour: int) -> None:
    hands = Hands()
    clock = SystemClock(wall=hands.wall, passed=lambda: hands.passed)
    hands.passed, hands.set_by = 30.0, hour
    assert clock.now() == NOON + timedelta(seconds=30)
    due = clock.now() + timedelta(minutes=5)
    assert clock.wall(due) == NOON + timedelta(seconds=330 + hour)


def test_it_shows_what_another_clock_shows_and_people_go_on_to_see_the_machines() -> None:
    hands = Hands()
    clock = SystemClock(wall=hands.wall, passed=lambda: hands.passed)
    clock.set(NOON - timedelta(hours=2), begins=True)
    hands.passed = 30.0
    assert clock.now() == NOON - timedelta(hours=2) + timedelta(seconds=30)
    assert clock.wall(clock.now()) == NOON + timedelta(seconds=30)
    clock.set(NOON)
    assert clock.now() == NOON


def test_a_little_ahead_of_it_it_stands_still_and_never_runs_backwards() -> None:
    hands = Hands()
    clock = SystemClock(wall=hands.wall, passed=lambda: hands.passed)
    clock.set(NOON - timedelta(seconds=5))
    hands.passed = 4.0
    assert clock.now() == NOON
    hands.passed = 7.0
    assert clock.now() == NOON + timedelta(seconds=2)


def test_far_ahead_of_it_it_is_set_back_or_nothing_would_fall_due_for_hours() -> None:
    hands = Hands()
    clock = SystemClock(wall=hands.wall, passed=lambda: hands.passed)
    clock.set(NOON - timedelta(hours=1))
    assert clock.now() == NOON - timedelta(hours=1)


def test_a_machine_that_has_slept_knows_that_time_has_passed() -> None:
    before = SystemClock()
    after = SystemClock(passed=lambda: 0.0)
    assert abs(before.now() - after.now()) < timedelta(seconds=5)
    assert abs(before.wall(before.now()) - datetime.now(UTC)) < timedelta(seconds=5)


async def test_a_start_with_a_clock_set_back_by_an_hour_strands_nothing(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    await world.ask("1", thread="t1")
    await world.settle()
    await world.ask("2", thread="t2")
    assert await world.restart(world.clock.now() - timedelta(hours=1)) == 0
    await world.later(29)
    assert world.posted == []
    await world.later(2)
    assert sorted(world.posted) == ["Answer to: 1", "Answer to: 2"]


async def test_a_start_with_a_clock_set_forward_asks_what_is_due_by_it_and_nothing_twice(
    world: World,
) -> None:
    world.chat.script = [RateLimited(timedelta(minutes=30))]
    await world.ask("1", thread="t1")
    await world.settle()
    await world.restart(world.clock.now() + timedelta(hours=1))
    await world.settle()
    assert world.posted == ["Answer to: 1"]
    assert await world.states() == [State.DONE]


async def test_a_start_finds_its_own_times_as_they_were(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    await world.ask("1", thread="t1")
    await world.settle()
    before = await world.store(lambda uow: uow.lanes.get(LANE))
    await world.restart(world.clock.now() + timedelta(seconds=5))
    assert await world.store(lambda uow: uow.lanes.get(LANE)) == before


async def test_an_hour_that_the_wall_clock_is_set_ends_no_pause_and_strands_nobody(world: World) -> None:
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    await world.ask("1", thread="t1")
    await world.settle()
    for hour in (3600, -7200):
        before = world.clock.wall(world.clock.now())
        world.clock.jump(hour)
        assert world.clock.wall(world.clock.now()) - before == timedelta(seconds=hour)
        await world.settle()
        assert len(world.chat.asked) == 1
    await world.later(30)
    assert world.posted == ["Answer to: 1"]
