"""Stories of holders that live, stall and die; and of the loop that drives them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from core.errors import LeaseLost
from core.model import State
from core.ports import UnitOfWork
from core.services.leases import LEASE
from core.testing import MemoryStore
from tests.fixtures.world import LANE, SHOP, World

T = TypeVar("T")


class _Stalling:
    """A store whose process is stopped once, after a commit and before it hears of it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def __call__(self, work: Callable[[UnitOfWork], T]) -> T:
        result = await self.store(work)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return result


async def test_a_holder_that_died_while_asking_is_followed_by_one_that_asks_again(world: World) -> None:
    await world.ask("Who?")
    await _die_holding(world)
    assert await world.leases.sweep() == 0
    world.clock.advance(11)
    assert await world.leases.sweep() == 1
    await world.settle()
    assert world.posted == ["Answer to: Who?"]


async def test_a_holder_that_died_between_post_and_record_is_followed_by_no_second_post(
    world: World,
) -> None:
    world.poster.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    await world.poster.reached.wait()
    (task,) = world.leases.tasks()
    world.store.failing = 100
    world.poster.hold.set()
    await _let_go(world, 15)
    assert task.done()
    world.store.failing = 0
    world.clock.advance(30)
    await world.leases.sweep()
    await world.settle()
    assert world.posted == ["Answer to: Who?"]
    assert await world.states() == [State.DONE]


async def test_a_holder_that_died_after_telling_how_to_link_is_not_followed_by_a_second_telling() -> None:
    world = World(default=None)
    await world.ask("Who?")
    world.poster.hold = asyncio.Event()
    await world.delivering.take_due()
    await world.poster.reached.wait()
    world.store.failing = 100
    world.poster.hold.set()
    await _let_go(world, 30)
    world.store.failing = 0
    await world.leases.sweep()
    await world.settle()
    assert world.notices == ["not_linked"]
    assert await world.states() == [State.UNLINKED]


async def test_a_live_holder_keeps_its_lease_however_slow_the_assistant_is(world: World) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    for _ in range(40):
        world.clock.advance(3)
        await world.leases.beat()
        assert await world.leases.sweep() == 0
    world.chat.hold.set()
    await world.settle()
    assert len(world.chat.asked) == 1
    assert world.posted == ["Answer to: Who?"]


async def test_a_sweep_never_takes_what_a_live_task_of_its_own_process_holds(world: World) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    world.clock.jump(3600)
    assert await world.leases.sweep() == 0
    world.chat.hold.set()
    await world.settle()
    assert len(world.chat.asked) == 1


async def test_the_task_of_a_lost_lease_is_cancelled_at_the_next_beat(world: World) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    (task,) = world.leases.tasks()
    await asyncio.sleep(0)
    await _take_over(world)
    await world.leases.beat()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def test_a_holder_that_slept_past_its_lease_posts_nothing(world: World) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    await asyncio.sleep(0)
    await _take_over(world)
    world.clock.advance(20)
    world.chat.hold.set()
    await asyncio.gather(*world.leases.tasks())
    assert world.posted == []
    await world.settle()
    assert world.posted == ["Answer to: Who?"]


async def test_a_lease_that_is_old_is_renewed_before_the_deed(world: World) -> None:
    world.poster.hold = asyncio.Event()
    await world.ask("Who?")
    await world.ask("", thread="t2")
    await world.delivering.take_due()
    world.clock.advance(6)
    world.poster.hold.set()
    await world.settle()
    assert world.posted == ["Answer to: Who?"]


async def test_a_holder_whose_lease_passed_on_learns_it_before_it_acts(world: World) -> None:
    world.poster.hold = asyncio.Event()
    world.poster.limit = 10
    world.chat.script = ["0123456789abc"]
    await world.ask("Who?")
    await world.delivering.take_due()
    await world.poster.reached.wait()
    (task,) = world.leases.tasks()
    await _take_over(world)
    world.clock.advance(6)
    world.poster.hold.set()
    await asyncio.gather(task)
    assert world.posted == ["0123456789"]


async def test_a_holder_that_was_stopped_between_claim_and_call_asks_nothing(world: World) -> None:
    await world.ask("Who?")
    await world.delivering.take_due()
    world.clock.advance(6)
    await _take_over(world)
    await asyncio.gather(*world.leases.tasks())
    assert world.chat.asked == []
    await world.settle()
    assert world.posted == ["Answer to: Who?"]


async def test_a_holder_that_was_stopped_before_it_heard_of_its_claim_asks_and_tells_nothing() -> None:
    """What was read with the claim is old then, and so is the lease."""
    for default, notices in ((SHOP, []), (None, ["not_linked"])):
        stalling = _Stalling()
        world = World(default=default, transact=stalling)

        async def passes_on(world: World = world, stalling: _Stalling = stalling) -> None:
            world.clock.advance(11)
            released = await stalling.store(lambda uow: uow.deliveries.release_expired(world.clock.now(), ()))
            assert released == 1

        await world.ask("Who?")
        stalling.meanwhile = passes_on
        await world.delivering.take_due()
        await asyncio.gather(*world.leases.tasks())
        assert (world.chat.asked, world.notices) == ([], [])
        await world.settle()
        assert (len(world.chat.asked), world.notices) == (1 - len(notices), notices)


async def test_a_pause_before_a_holder_hears_of_its_claim_is_kept() -> None:
    stalling = _Stalling()
    world = World(transact=stalling)

    async def another_process_is_told_to_wait() -> None:
        world.clock.advance(4)
        now = world.clock.now()
        until = now + timedelta(seconds=60)
        await stalling.store(lambda uow: uow.lanes.save(uow.lanes.get(LANE).pause(now, until, busy=1)))

    await world.ask("Who?")
    stalling.meanwhile = another_process_is_told_to_wait
    await world.delivering.take_due()
    await world.settle()
    assert world.chat.asked == []
    await world.later(60)
    assert world.posted == ["Answer to: Who?"]


async def test_a_holder_that_was_stopped_before_telling_tells_nothing() -> None:
    world = World(default=None)
    await world.ask("Who?")
    await world.ask("", thread="t2")
    await world.delivering.take_due()
    world.clock.advance(6)
    await _take_over(world)
    await asyncio.gather(*world.leases.tasks())
    assert world.notices == []
    await world.settle()
    assert sorted(world.notices) == ["empty", "not_linked"]


async def test_an_old_lease_is_renewed_before_a_deed_or_found_to_be_lost(world: World) -> None:
    await world.ask("Who?")
    (held,) = await world.store(
        lambda uow: uow.deliveries.claim(world.clock.now(), world.leases.end(), 8, 10)
    )
    walking = asyncio.create_task(asyncio.sleep(0))
    world.leases.hold(held, walking, since=world.clock.monotonic())
    world.clock.advance(6)
    await world.leases.check(held)
    world.clock.advance(6)
    await _take_over(world)
    with pytest.raises(LeaseLost):
        await world.leases.check(held)
    world.leases.drop(held)
    with pytest.raises(LeaseLost):
        await world.leases.check(held)


async def test_a_delivery_that_ends_while_leases_are_renewed_is_left_in_peace(world: World) -> None:
    await world.ask("Who?")
    await world.delivering.take_due()
    for _ in range(20):
        await world.leases.beat()
    assert world.posted == ["Answer to: Who?"]


async def test_the_loop_answers_what_it_is_woken_for_and_sweeps_by_itself(world: World) -> None:
    running = asyncio.create_task(world.delivering.run())
    await world.ask("Who?")
    world.delivering.wake()
    await world.until(lambda: world.posted, step=0)
    world.store.failing = 4
    world.delivering.wake()
    await world.until(lambda: not world.store.failing)
    await world.ask("Next?")
    await world.until(lambda: len(world.posted) == 2)
    assert world.posted == ["Answer to: Who?", "Answer to: Next?"]
    world.delivering.stop()
    await running
    assert await world.delivering.drain(1) == 0


async def test_the_loop_lives_through_an_absence_of_the_database(world: World) -> None:
    world.store.failing = 10
    running = asyncio.create_task(world.delivering.run())
    await world.until(lambda: not world.store.failing)
    await world.ask("Who?")
    await world.until(lambda: world.posted)
    world.delivering.stop()
    await running
    assert world.posted == ["Answer to: Who?"]


async def test_the_loop_renews_the_leases_of_slow_questions(world: World) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("Who?")
    running = asyncio.create_task(world.delivering.run())
    await world.until(lambda: world.clock.monotonic() > 60)
    world.chat.hold.set()
    await world.until(lambda: world.posted)
    world.delivering.stop()
    await running
    assert len(world.chat.asked) == 1


async def test_draining_waits_for_what_is_under_way_and_cuts_off_the_rest(world: World) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    assert await world.delivering.drain(0.01) == 1
    assert len(world.leases) == 0
    assert await world.states() == [State.ASKING]


async def test_draining_lets_quick_work_end(world: World) -> None:
    await world.ask("Who?")
    await world.delivering.take_due()
    assert await world.delivering.drain(5) == 0
    assert world.posted == ["Answer to: Who?"]


def test_leases_are_short_enough_to_recover_quickly() -> None:
    assert timedelta(seconds=5) <= LEASE <= timedelta(seconds=15)


async def _die_holding(world: World) -> None:
    """Claim what is due as a process that then dies does."""
    await world.store(lambda uow: uow.deliveries.claim(world.clock.now(), world.leases.end(), 8, 10))


async def _take_over(world: World) -> None:
    """Let every lease end, as another process sees it."""
    far = world.clock.now() + timedelta(days=1)
    await world.store(lambda uow: uow.deliveries.release_expired(far, ()))


async def _let_go(world: World, seconds: float) -> None:
    for _ in range(30):
        await asyncio.sleep(0)
        world.clock.advance(seconds / 30)
    for _ in range(30):
        await asyncio.sleep(0)
