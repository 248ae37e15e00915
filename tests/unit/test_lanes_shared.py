"""Stories of lanes that other processes pause, between a claim of ours and its call."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from core.ports import UnitOfWork
from core.testing import MemoryStore
from tests.fixtures.world import BEN, LANE, World

T = TypeVar("T")


class _Late:
    """A store whose next answers come late, each after something else has happened."""

    def __init__(self) -> None:
        self.meanwhile: list[Callable[[], Awaitable[None]]] = []
        self.itself = MemoryStore()

    async def __call__(self, work: Callable[[UnitOfWork], T]) -> T:
        found = await self.itself(work)
        if self.meanwhile:
            await self.meanwhile.pop(0)()
        return found


class _Shared(World):
    """A world in which other processes are at work."""

    def __init__(self) -> None:
        self.late = _Late()
        super().__init__(transact=self.late, shared=True)

    async def paused_elsewhere(self) -> None:
        def pause(uow: UnitOfWork) -> None:
            now = self.clock.now()
            uow.lanes.save(uow.lanes.get(LANE).pause(now, now + timedelta(seconds=30), busy=1))

        await self.late.itself(pause)

    async def time_goes_by(self) -> None:
        self.clock.advance(0.2)

    async def much_happens(self) -> None:
        await self.paused_elsewhere()
        await self.time_goes_by()


async def test_what_was_claimed_is_not_asked_into_a_pause_that_another_process_has_stored_since() -> None:
    world = _Shared()
    await world.ask("1")
    assert await world.delivering.take_due() == 1
    await world.paused_elsewhere()
    await world.settle()
    assert world.chat.asked == []
    await world.later(29.9)
    assert world.chat.asked == []
    await world.later(0.1)
    assert world.posted == ["Answer to: 1"]


async def test_nor_is_it_where_names_were_looked_up_before() -> None:
    world = _Shared()
    await world.ask("1")
    await world.settle()
    await world.ask("2", author=BEN)
    assert await world.delivering.take_due() == 1
    await world.paused_elsewhere()
    await world.settle()
    assert len(world.chat.asked) == 1


async def test_a_look_at_the_lane_that_comes_back_late_is_made_again() -> None:
    world = _Shared()
    await world.ask("1")
    assert await world.delivering.take_due() == 1
    world.late.meanwhile = [world.much_happens]
    await asyncio.gather(*world.leases.tasks())
    assert not world.late.meanwhile
    assert world.chat.asked == []


async def test_where_all_looks_come_back_late_it_is_asked_in_the_end() -> None:
    world = _Shared()
    await world.ask("1")
    assert await world.delivering.take_due() == 1
    world.late.meanwhile = [world.time_goes_by] * 5
    await asyncio.gather(*world.leases.tasks())
    assert world.posted == ["Answer to: 1"]
