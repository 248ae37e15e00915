"""What every queue promises: who may work on what, in which order, and who may write what of it."""

from dataclasses import replace
from functools import partial

import pytest

from core.errors import LeaseLost, StoreUnavailable
from core.model import Delivery, DeliveryId, Lane, LaneId, Notice, Reason, Receipt, State
from core.ports import Transact, UnitOfWork
from tests.fixtures.queued import (
    ANA,
    KEY,
    NOW,
    OTHER,
    SHOP,
    Work,
    at,
    claim,
    claim_one,
    enqueue,
    names,
    thread,
)


async def test_a_claimed_delivery_is_the_one_that_was_queued(begin: Transact) -> None:
    token = Receipt("token")
    conversation = await begin(lambda uow: enqueue(uow, "one", asked=-3, due=-1, told=True, receipt=token))
    claimed = await begin(claim_one)
    assert claimed == Delivery(
        id=DeliveryId("one"),
        conversation=conversation.id,
        thread=thread("t-one"),
        project=SHOP,
        author=ANA,
        lane=KEY,
        state=State.ASKING,
        asked_at=at(-3),
        accepted_at=NOW,
        ready_at=NOW,
        due_at=at(-1),
        paused_before=1.5,
        rank=0,
        attempt=0,
        maybe_charged=0,
        fence=1,
        has_files=False,
        told=True,
        doubtful=False,
        notice=None,
        receipt=token,
    )


async def test_nothing_is_leased_twice_nor_claimed_before_it_is_due(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "now"))
    await begin(lambda uow: enqueue(uow, "later", due=5))
    assert names(await begin(claim)) == ["now"]
    assert await begin(claim) == []
    assert names(await begin(lambda uow: claim(uow, 5))) == ["later"]


async def test_each_state_is_claimed_into_its_own(begin: Transact) -> None:
    notice = Notice(Reason.EMPTY, SHOP)
    await begin(lambda uow: enqueue(uow, "accepted"))
    await begin(lambda uow: enqueue(uow, "answered", state=State.ANSWERED, notice=notice))
    await begin(lambda uow: enqueue(uow, "unlinked", state=State.UNLINKED))
    await begin(lambda uow: enqueue(uow, "waiting", state=State.WAITING))
    claimed = {one.id: one for one in await begin(claim)}
    assert {name: one.state for name, one in claimed.items()} == {
        "accepted": State.ASKING,
        "answered": State.POSTING,
        "unlinked": State.UNLINKED,
    }
    assert {one.fence for one in claimed.values()} == {1}
    assert claimed[DeliveryId("answered")].notice == notice
    assert claimed[DeliveryId("unlinked")].project is None


async def test_what_is_due_first_is_claimed_first_and_no_more_than_the_limit(begin: Transact) -> None:
    for name, due in (("c", -1.0), ("b", -2.0), ("a", -1.0), ("d", -3.0)):
        await begin(partial(enqueue, name=name, due=due))
    assert await begin(lambda uow: claim(uow, limit=0)) == []
    assert names(await begin(lambda uow: claim(uow, limit=3))) == ["d", "b", "a"]
    assert names(await begin(claim)) == ["c"]


async def test_the_limit_counts_over_all_lanes_the_longest_due_before_others(
    begin: Transact,
) -> None:
    for name, lane, due in (("o1", OTHER, -9.0), ("k1", KEY, -1.0), ("k2", KEY, -2.0), ("o2", OTHER, -3.0)):
        await begin(partial(enqueue, name=name, lane=lane, due=due))
    assert names(await begin(lambda uow: claim(uow, limit=3))) == ["o1", "o2", "k2"]
    assert names(await begin(claim)) == ["k1"]


async def test_a_lane_is_claimed_from_as_far_as_it_has_room(begin: Transact) -> None:
    for name in "abcd":
        await begin(partial(enqueue, name=name))
    await begin(lambda uow: enqueue(uow, "other", lane=OTHER))
    assert names(await begin(lambda uow: claim(uow, concurrency=2))) == ["a", "b", "other"]
    assert await begin(lambda uow: claim(uow, concurrency=2)) == []
    await begin(lambda uow: uow.lanes.save(Lane(KEY, window=3)))
    assert names(await begin(claim)) == ["c"]
    await begin(lambda uow: uow.lanes.save(Lane(KEY, window=1)))
    assert await begin(claim) == []


async def test_of_many_lanes_each_is_claimed_from_and_those_with_no_room_are_stepped_over(
    begin: Transact,
) -> None:
    def fill(uow: UnitOfWork) -> None:
        for number in range(40):
            lane = LaneId(f"lane {number:02}")
            enqueue(uow, f"{number:02} a", lane=lane, rank=1)
            enqueue(uow, f"{number:02} b", lane=lane, rank=2)
            window = 0 if number % 5 == 1 else 1
            seen = Lane(lane, window=window)
            uow.lanes.save(seen.pause(NOW, at(60), busy=1) if number % 5 == 2 else seen)

    await begin(fill)
    open_ = [f"{number:02} a" for number in range(40) if number % 5 not in {1, 2}]
    assert names(await begin(lambda uow: claim(uow, limit=15))) == open_[:15]
    assert names(await begin(lambda uow: claim(uow, limit=15))) == open_[15:]
    assert await begin(claim) == []
    assert await begin(lambda uow: uow.deliveries.next_due(NOW)) == at(60)


async def test_what_is_due_longest_goes_first_though_many_lanes_come_before_its_own(begin: Transact) -> None:
    def fill(uow: UnitOfWork) -> None:
        for number in range(80):
            enqueue(uow, f"{number:02}", lane=LaneId(f"a {number:02}"), due=1.0)
        enqueue(uow, "longest", lane=LaneId("z"), due=0.0)

    await begin(fill)
    assert names(await begin(lambda uow: claim(uow, 2.0, limit=1))) == ["longest"]
    assert names(await begin(lambda uow: claim(uow, 2.0, limit=2))) == ["00", "01"]
    assert len(await begin(lambda uow: claim(uow, 2.0))) == 78


async def test_a_paused_lane_is_not_claimed_from_until_its_pause_ends(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "paused"))
    await begin(lambda uow: enqueue(uow, "open", lane=OTHER))
    await begin(lambda uow: uow.lanes.save(Lane(KEY).pause(NOW, at(30), busy=1)))
    assert names(await begin(lambda uow: claim(uow, 29.9))) == ["open"]
    assert names(await begin(lambda uow: claim(uow, 30))) == ["paused"]


async def test_a_lease_is_renewed_by_its_holder_alone(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one"))
    held = await begin(claim_one)
    stranger = replace(held, fence=held.fence - 1)
    unknown = replace(held, id=DeliveryId("unknown"))
    assert set(await begin(lambda uow: uow.deliveries.renew([held, unknown], at(20)))) == {"one"}
    assert set(await begin(lambda uow: uow.deliveries.renew([stranger], at(99)))) == set()
    assert set(await begin(lambda uow: uow.deliveries.renew([], at(99)))) == set()
    assert await begin(lambda uow: uow.deliveries.release_expired(at(19), ())) == 0
    assert await begin(lambda uow: uow.deliveries.release_expired(at(20), ())) == 1
    assert set(await begin(lambda uow: uow.deliveries.renew([held], at(30)))) == set()


async def test_expired_leases_are_released_except_those_that_are_held(begin: Transact) -> None:
    for name in ("dead", "alive"):
        await begin(partial(enqueue, name=name))
    await begin(claim)
    assert await begin(lambda uow: uow.deliveries.release_expired(at(10), {DeliveryId("alive")})) == 1
    (again,) = await begin(lambda uow: claim(uow, 11))
    assert (again.id, again.state, again.fence) == ("dead", State.ASKING, 3)


async def test_a_post_whose_holder_died_is_doubtful_and_an_asking_is_not(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "asked"))
    await begin(lambda uow: enqueue(uow, "posted", state=State.ANSWERED))
    await begin(lambda uow: enqueue(uow, "unlinked", state=State.UNLINKED))
    await begin(claim)
    assert await begin(lambda uow: uow.deliveries.release_expired(at(10), ())) == 3
    tally = await begin(lambda uow: uow.deliveries.tally(at(10)))
    assert tally.by_state == {State.ACCEPTED: 1, State.ANSWERED: 1, State.UNLINKED: 1}
    again = await begin(lambda uow: claim(uow, 11))
    assert {one.id: one.doubtful for one in again} == {"asked": False, "posted": True, "unlinked": True}
    assert await begin(lambda uow: uow.deliveries.release_expired(at(21), ())) == 3
    assert {one.id: one.doubtful for one in await begin(lambda uow: claim(uow, 22))}[DeliveryId("posted")]


async def test_a_doubt_outlives_the_holder_that_had_it(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "unlinked", state=State.UNLINKED))
    held = await begin(claim_one)
    await begin(lambda uow: uow.deliveries.save(replace(held, doubtful=True), lease=at(10)))
    await begin(lambda uow: uow.deliveries.release_expired(at(10), ()))
    assert (await begin(lambda uow: claim_one(uow, 11))).doubtful


async def test_a_holder_writes_all_that_may_change(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one"))
    held = await begin(claim_one)
    changed = replace(
        held,
        state=State.ANSWERED,
        lane=OTHER,
        ready_at=at(1),
        due_at=at(2),
        paused_before=7.25,
        attempt=3,
        maybe_charged=1,
        told=True,
        doubtful=True,
        notice=Notice(Reason.GAVE_UP, SHOP),
    )
    await begin(lambda uow: uow.deliveries.save(changed, lease=None))
    assert await begin(lambda uow: uow.deliveries.head(held.conversation)) == changed
    await begin(lambda uow: uow.lanes.get(OTHER))
    assert await begin(lambda uow: claim(uow, 1)) == []
    assert await begin(lambda uow: claim(uow, 2)) == [
        replace(changed, state=State.POSTING, fence=held.fence + 1)
    ]


async def test_a_delivery_saved_with_a_lease_stays_held(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one"))
    held = await begin(claim_one)
    await begin(lambda uow: uow.deliveries.save(replace(held, state=State.POSTING), lease=at(15)))
    assert await begin(claim) == []
    assert set(await begin(lambda uow: uow.deliveries.renew([held], at(15)))) == {"one"}


async def test_a_holder_whose_fence_has_passed_writes_nothing(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one"))
    old = await begin(claim_one)
    await begin(lambda uow: uow.deliveries.release_expired(at(10), ()))
    new = await begin(lambda uow: claim_one(uow, 11))
    for refused in (_saving(old), _settling(old), _saving(replace(old, id=DeliveryId("unknown")))):
        with pytest.raises(LeaseLost):
            await begin(refused)
    assert await begin(lambda uow: uow.deliveries.head(new.conversation)) == new


async def test_what_is_settled_stays_as_it_is(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one"))
    held = await begin(claim_one)
    await begin(_settling(held))
    assert await begin(lambda uow: uow.deliveries.head(held.conversation)) is None
    for refused in (_saving(held), _settling(held)):
        with pytest.raises(LeaseLost):
            await begin(refused)
    assert await begin(lambda uow: uow.deliveries.release_expired(at(99), ())) == 0
    tally = await begin(lambda uow: uow.deliveries.tally(at(99)))
    assert tally.by_state == {State.DONE: 1}


async def test_a_saved_delivery_cannot_become_a_second_head(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "first", thread("t1")))
    conversation = await begin(lambda uow: enqueue(uow, "second", thread("t1"), state=State.WAITING))
    second = await begin(lambda uow: uow.deliveries.next_waiting(conversation.id))
    assert second is not None
    with pytest.raises(StoreUnavailable):
        await begin(_saving(replace(second, state=State.ACCEPTED)))


def _saving(delivery: Delivery) -> Work[None]:
    return lambda uow: uow.deliveries.save(delivery, lease=None)


def _settling(delivery: Delivery) -> Work[None]:
    def work(uow: UnitOfWork) -> None:
        uow.deliveries.settle(delivery, State.DONE, at(3))

    return work
