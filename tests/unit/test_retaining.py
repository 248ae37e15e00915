"""Stories of conversations that nobody goes on with: they are forgotten, and nothing else is."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from core.errors import CreditsSpent, StoreUnavailable
from core.model import Outcome, State
from core.ports import Transact, UnitOfWork
from core.services.retaining import Retaining
from tests.fixtures.world import BEN, World

T = TypeVar("T")
DAY = timedelta(days=1).total_seconds()


async def _forgotten(world: World, days: float = 30, store: Transact | None = None) -> int:
    """Have what is older than that forgotten; return how many conversations were."""
    retaining = Retaining(store or world.store, world.clock, keep=timedelta(days=days))
    forgetting = asyncio.create_task(retaining.forget_outlived())
    await world.until(forgetting.done, step=0.05)
    return forgetting.result()


async def test_a_conversation_goes_so_many_days_after_its_last_question(world: World) -> None:
    await world.ask("long ago", thread="t1")
    await world.ask("then, too", thread="t2")
    await world.settle()
    await world.later(20 * DAY)
    await world.ask("and on", thread="t2", author=BEN)
    await world.settle()
    assert await _forgotten(world) == 0
    await world.later(11 * DAY)
    assert await _forgotten(world) == 1
    assert await world.states() == [State.DONE, State.DONE]
    await world.later(20 * DAY)
    assert await _forgotten(world) == 1
    assert await world.states() == []


async def test_who_goes_on_after_that_begins_anew(world: World) -> None:
    await world.ask("long ago")
    await world.settle()
    await world.later(31 * DAY)
    await _forgotten(world)
    assert await world.ask("no mention", addressed=False) is Outcome.IGNORED
    assert await world.ask("a mention") is Outcome.ACCEPTED
    await world.settle()
    assert [[turn.text for turn in turns] for _, turns in world.chat.asked] == [["long ago"], ["a mention"]]


async def test_what_is_still_owed_is_not_forgotten_however_old(world: World) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    await world.until(lambda: world.chat.asked)
    world.clock.advance(31 * DAY)
    assert await _forgotten(world) == 0
    world.chat.hold.set()
    await world.settle()
    assert world.posted == ["Answer to: Who?"]
    assert await _forgotten(world) == 1


class Failing:
    """A database that is away after so many transactions."""

    def __init__(self, store: Transact, after: int) -> None:
        self._store = store
        self.left = after

    async def __call__(self, work: Callable[[UnitOfWork], T]) -> T:
        if not self.left:
            raise StoreUnavailable("away")
        self.left -= 1
        return await self._store(work)


async def test_many_are_forgotten_a_few_at_a_time_and_what_is_left_the_next_time(world: World) -> None:
    for number in range(250):
        await world.ask("q", thread=f"t{number}")
    await world.settle()
    await world.later(31 * DAY)
    assert await _forgotten(world, store=Failing(world.store, after=2)) == 200
    whole = Failing(world.store, after=9)
    assert await _forgotten(world, store=whole) == 50
    assert whole.left == 8


async def test_what_an_operator_revived_keeps_none_that_began_later(world: World) -> None:
    world.chat.script = [CreditsSpent()]
    for number in range(150):
        await world.ask("q", thread=f"t{number}")
    await world.settle()
    await world.later(31 * DAY)
    await world.reviewing.post_again(world.id(1))
    await world.settle()
    assert await _forgotten(world) == 149
    assert await world.states() == [State.DONE]
