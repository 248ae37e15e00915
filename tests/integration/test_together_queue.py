"""Several processes over one PostgreSQL database take from one queue: each thing once, never too many."""

import asyncio
import threading
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import pytest_asyncio

from core.errors import RateLimited
from core.model import Delivery, DeliveryId, Lane, LaneId, Mark, State, posting_lane
from core.ports import Transact, UnitOfWork
from core.retry import Limits
from core.services.failing import close, expire
from core.services.purging import Purging
from core.services.settling import succeeded
from tests.fixtures.queued import CHAT, KEY, NOW, OTHER, TEAM, at, claim, enqueue, names, thread
from tests.fixtures.together import Process, Together, together

_ROUNDS = 8
POSTING = posting_lane(CHAT, TEAM)


@pytest_asyncio.fixture
async def two(postgres_url: str) -> AsyncIterator[Together]:
    async with together(postgres_url) as both:
        yield both


@pytest_asyncio.fixture
async def four(postgres_url: str) -> AsyncIterator[Together]:
    async with together(postgres_url, 4) as all_:
        yield all_


def _queue(uow: UnitOfWork, count: int, *, lane: LaneId = KEY, prefix: str = "q") -> None:
    for number in range(count):
        enqueue(uow, f"{prefix}{number:02}", lane=lane, rank=number)


async def test_four_claimers_together_hold_as_much_of_a_lane_as_it_allows_and_no_more(four: Together) -> None:
    async def take(process: Transact) -> list[Delivery]:
        return await process(lambda uow: claim(uow, concurrency=8))

    for number in range(_ROUNDS):
        lane = LaneId(f"lane {number}")
        await four[0](lambda uow: _queue(uow, 20, lane=lane, prefix=lane))
        room = 8 if number % 2 else 3
        await four[0](lambda uow: uow.lanes.save(replace(uow.lanes.get(lane), window=room)))
        taken = [some for some in await four.at_once(take, take, take, take) if isinstance(some, list)]
        assert [len(set(all_)) for all_ in [names([one for some in taken for one in some])]] == [room]
        assert await four[0](lambda uow: uow.lanes.busy(lane)) == room
        for one in [one for some in taken for one in some]:
            await four[0](partial(_settle, held=one))
        await four[0](lambda uow: uow.lanes.save(uow.lanes.get(lane).pause(NOW, at(600), busy=1)))


class _Claim:
    """A claim that is not committed before it is `let_go`."""

    def __init__(self) -> None:
        self._claimed, self._go = threading.Event(), threading.Event()

    def __call__(self, uow: UnitOfWork) -> list[str]:
        found = names(claim(uow))
        self._claimed.set()
        assert self._go.wait(10)
        return found

    async def begun(self, process: Process) -> "asyncio.Future[list[str]]":
        """Have a process claim; return once it has, in a transaction that is still open."""
        claiming = asyncio.ensure_future(process(self))
        assert await asyncio.to_thread(self._claimed.wait, 10)
        return claiming

    def let_go(self) -> None:
        self._go.set()


async def test_a_claimer_that_finds_its_lane_taken_waits_for_it_and_looks_anew(two: Together) -> None:
    """What was accepted since the other looked would otherwise wait for the next sweep."""
    await two[0](lambda uow: _queue(uow, 1))
    held = _Claim()
    one = await held.begun(two[0])
    await two[1](lambda uow: enqueue(uow, "new"))
    other = asyncio.ensure_future(two[1](claim))
    held.let_go()
    assert (await one, names(await other)) == (["q00"], ["new"])


async def test_what_was_accepted_during_a_purge_is_claimed_all_the_same(two: Together) -> None:
    """The purge has deleted the lane's row meanwhile: nothing would look there before the next message."""
    read, purged = threading.Event(), threading.Event()

    def accept(uow: UnitOfWork) -> None:
        uow.lanes.get(POSTING)
        read.set()
        assert purged.wait(10)
        enqueue(uow, "told", lane=POSTING, state=State.ANSWERED)

    await two[0](lambda uow: uow.lanes.get(POSTING))
    accepting = asyncio.ensure_future(two[0](accept))
    assert await asyncio.to_thread(read.wait, 10)
    await Purging(two[1], purged=lambda *_: None).purge(CHAT, TEAM)
    purged.set()
    await accepting
    await two[0](lambda uow: _queue(uow, 2))  # a lane that is full hides nothing
    assert names(await two[0](lambda uow: claim(uow, concurrency=1))) == ["q00"]
    assert names(await two[0](lambda uow: claim(uow, concurrency=1))) == ["told"]


async def test_a_lane_that_another_claims_from_holds_up_no_other_lane(two: Together) -> None:
    await two[0](lambda uow: _queue(uow, 1))
    held = _Claim()
    one = await held.begun(two[0])
    await two[1](lambda uow: _queue(uow, 1, lane=OTHER, prefix="o"))
    assert names(await two[1](claim)) == ["o00"]
    held.let_go()
    assert await one == ["q00"]


async def test_a_question_is_accepted_while_its_lane_is_locked(two: Together) -> None:
    locked, accepted = threading.Event(), threading.Event()

    def hold(uow: UnitOfWork) -> Lane:
        lane = uow.lanes.locked(KEY)
        locked.set()
        assert accepted.wait(10)
        return lane

    await two[0](lambda uow: uow.lanes.get(KEY))
    holding = asyncio.ensure_future(two[0](hold))
    assert await asyncio.to_thread(locked.wait, 10)
    await two[1](lambda uow: enqueue(uow, "new"))
    accepted.set()
    assert await holding == Lane(KEY)


async def test_a_pause_and_a_success_at_once_leave_the_lane_paused(two: Together) -> None:
    for number in range(_ROUNDS):
        lane = LaneId(f"lane {number}")
        await two[0](lambda uow: uow.lanes.save(Lane(lane, window=3, strikes=1)))
        held = await two[0](partial(_one, name=f"q{number}", lane=lane))
        error = RateLimited(timedelta(seconds=60))
        await two.at_once(
            lambda one: one(lambda uow: succeeded(uow, lane, NOW)),
            lambda other: other(lambda uow: close(uow, held, error, NOW, 0.0)),
        )
        after = await two[0](lambda uow: uow.lanes.get(lane))
        assert after.is_paused(at(59))
        assert (after.window, after.probing) == (1, True)


async def test_each_expired_lease_is_released_once_and_no_renewed_one_is(four: Together) -> None:
    await four[0](lambda uow: _queue(uow, 40))
    held = await four[0](lambda uow: claim(uow, concurrency=40))
    assert len(held) == 40

    async def renew(process: Transact) -> Collection[DeliveryId]:
        return await process(lambda uow: uow.deliveries.renew(list(reversed(held[20:])), at(30)))

    async def release(process: Transact) -> int:
        return await process(lambda uow: uow.deliveries.release_expired(at(10), ()))

    kept, *released = await four.at_once(renew, release, release, release)
    assert isinstance(kept, Collection)
    assert sum(many for many in released if isinstance(many, int)) + len(kept) == 40
    fences = await four[0](lambda uow: [uow.deliveries.get(one.id) for one in held])
    assert [one.fence for one in fences if one is not None and one.id in kept] == [1] * len(kept)
    assert [one.fence for one in fences if one is not None and one.id not in kept] == [2] * (40 - len(kept))


async def test_each_thread_is_told_once_of_a_pause_and_given_up_once_behind_it(four: Together) -> None:
    def shut(uow: UnitOfWork) -> None:
        _queue(uow, 30)
        lane = uow.lanes.get(KEY).pause(NOW, at(600), busy=1)
        uow.lanes.save(replace(lane, paused_since=None, away_since=NOW))

    async def tell(process: Transact) -> list[str]:
        told = await process(lambda uow: uow.deliveries.tell_paused(at(60), at(60), at(30), 12))
        return names([one for one, _ in told])

    async def give_up(process: Transact) -> int:
        return await process(lambda uow: expire(uow, Limits(deadline=timedelta(seconds=90)), at(100)))

    await four[0](shut)
    told = await four.at_once(tell, tell, tell, tell)
    all_ = [name for some in told if isinstance(some, list) for name in some]
    assert sorted(all_) == sorted(set(all_))
    assert len(all_) >= 12
    assert sum(many for many in await four.at_once(*[give_up] * 4) if isinstance(many, int)) == 30


async def test_each_mark_is_made_by_one(four: Together) -> None:
    def posted(uow: UnitOfWork) -> None:
        _queue(uow, 20)
        for one in claim(uow, concurrency=20):
            uow.deliveries.settle(one, State.DONE, NOW)
            uow.marks.put(one.id, Mark.EDITED, NOW)

    async def take(process: Transact) -> Sequence[tuple[Delivery, Mark]]:
        return await process(lambda uow: uow.marks.due(NOW, at(60), 8))

    await four[0](posted)
    taken = await four.at_once(take, take, take, take)
    all_ = [one.id for some in taken if isinstance(some, list) for one, _ in some]
    assert sorted(all_) == sorted(set(all_))
    assert len(all_) >= 8


async def test_a_deadlock_is_no_failure_the_work_is_run_again(two: Together) -> None:
    await two[0](lambda uow: (uow.lanes.get(KEY), uow.lanes.get(OTHER)))
    crossing = threading.Barrier(2, timeout=10)
    begun: list[LaneId] = []

    async def cross(process: Transact, first: LaneId, second: LaneId) -> None:
        def work(uow: UnitOfWork) -> None:
            lane = uow.lanes.locked(first)
            begun.append(first)
            if begun.count(first) == 1:
                crossing.wait()
            uow.lanes.save(replace(lane, strikes=lane.strikes + 1))
            other = uow.lanes.locked(second)
            uow.lanes.save(replace(other, strikes=other.strikes + 1))

        await process(work)

    done = await two.at_once(
        lambda one: cross(one, KEY, OTHER),
        lambda other: cross(other, OTHER, KEY),
    )
    assert done == [None, None]
    assert len(begun) == 3
    assert [await two[0](partial(_strikes, lane=lane)) for lane in (KEY, OTHER)] == [2, 2]


@pytest.mark.parametrize("lane", [KEY, LaneId("never seen")])
async def test_a_lane_that_two_make_at_once_is_made_once(two: Together, lane: LaneId) -> None:
    made = await two.at_once(
        lambda one: one(lambda uow: uow.lanes.get(lane)), lambda other: other(lambda uow: uow.lanes.get(lane))
    )
    assert made == [Lane(lane), Lane(lane)]


def _one(uow: UnitOfWork, name: str, lane: LaneId) -> Delivery:
    enqueue(uow, name, thread(name), lane=lane)
    (held,) = claim(uow)
    return held


def _settle(uow: UnitOfWork, held: Delivery) -> None:
    uow.deliveries.settle(held, State.DONE, NOW)


def _strikes(uow: UnitOfWork, lane: LaneId) -> int:
    return uow.lanes.get(lane).strikes
