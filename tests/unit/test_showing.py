"""What shows that a question is worked on has ended when that work has, however often it is cut off."""

import asyncio

import pytest

from core.model import Address, State, ThreadState
from core.services.showing import AT_ONCE, Showing
from core.testing import RecordingPoster
from tests.fixtures.world import CHAT, World


class _Lagging(RecordingPoster):
    """Begins to show a state, and takes a moment more to end once it is cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.ended = False

    async def show_state(self, address: Address, state: ThreadState) -> None:
        await super().show_state(address, state)
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended = True


async def test_work_that_is_cut_off_twice_leaves_nothing_that_goes_on_showing(world: World) -> None:
    await world.ask("q")
    (found,) = await world.store(lambda uow: uow.deliveries.claim(world.clock.now(), world.clock.now(), 1, 1))
    assert found.state is State.ASKING
    poster = _Lagging()
    showing = Showing({CHAT: poster}, world.clock)

    async def work() -> None:
        async with showing.working(found):
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    world.clock.advance(AT_ONCE)
    await poster.begun.wait()
    working.cancel()
    await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert poster.ended
