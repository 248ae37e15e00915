"""In a rush questions are taken in before any is answered; but not for ever."""

import asyncio
from contextlib import ExitStack

from core.model import State
from core.services.rush import LONGEST, MANY, Rush
from core.testing import SettableClock
from tests.fixtures.world import World


def test_a_rush_is_many_at_once_and_lasts_no_longer_than_platforms_wait() -> None:
    clock = SettableClock()
    rush = Rush(clock)
    seen = []
    with ExitStack() as one_after_the_other:
        for _ in range(MANY - 1):
            one_after_the_other.enter_context(rush.taking_in())
        seen.append(rush.is_on)
        with rush.taking_in():
            seen.append(rush.is_on)
            clock.advance(LONGEST)
            seen.append(rush.is_on)
        seen.append(rush.is_on)
        with rush.taking_in():
            seen.append(rush.is_on)
    assert [*seen, rush.is_on] == [False, True, False, False, True, False]


def test_a_rush_that_abates_for_a_moment_each_time_does_not_hold_answering_up_for_ever() -> None:
    """Many commits come together, and as many questions with the next turn of the loop."""
    clock = SettableClock()
    rush = Rush(clock)
    seen = []
    with ExitStack() as most:
        for _ in range(MANY - 1):
            most.enter_context(rush.taking_in())
        for _ in range(5):
            with rush.taking_in():
                seen.append(rush.is_on)
                clock.advance(LONGEST / 2)
    assert seen == [True, True, False, False, False]


async def test_nothing_is_begun_in_a_rush_and_all_is_answered_after_it(world: World) -> None:
    running = asyncio.create_task(world.delivering.run())
    with ExitStack() as rush:
        for _ in range(MANY):
            rush.enter_context(world.delivering.rush.taking_in())
        await world.ask("Who?")
        world.delivering.wake()
        for _ in range(20):
            await asyncio.sleep(0)
        assert await world.states() == [State.ACCEPTED]
    world.delivering.wake()
    await world.until(lambda: world.posted)
    world.delivering.stop()
    await running
    assert world.posted == ["Answer to: Who?"]
