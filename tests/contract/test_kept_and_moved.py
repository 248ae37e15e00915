"""What every store promises of threads that move, of receipts, and of answers kept to be fetched."""

from dataclasses import replace
from functools import partial

import pytest

from core.errors import LeaseLost
from core.model import NO_RECEIPT, SETTLED, Delivery, DeliveryId, Platform, Receipt, State, ThreadKey
from core.ports import Transact, UnitOfWork
from tests.fixtures.queued import (
    ANA,
    BEN,
    CHAT,
    NOW,
    OTHER,
    SHOP,
    at,
    claim,
    claim_one,
    enqueue,
    names,
    place,
    question,
    thread,
)

OLD, NEW = thread("old"), thread("new")


async def test_a_moved_thread_is_the_same_conversation_under_its_new_name(begin: Transact) -> None:
    opened = await begin(lambda uow: uow.conversations.open(OLD, SHOP))
    elsewhere = await begin(lambda uow: uow.conversations.open(thread("old", place("random")), SHOP))
    assert await begin(lambda uow: uow.conversations.move(OLD, "new"))
    assert await begin(lambda uow: uow.conversations.get(NEW)) == replace(opened, thread=NEW)
    assert await begin(lambda uow: uow.conversations.get(OLD)) is None
    assert await begin(lambda uow: uow.conversations.get(elsewhere.thread)) == elsewhere
    fresh = await begin(lambda uow: uow.conversations.open(OLD, SHOP))
    assert fresh.id not in {opened.id, elsewhere.id}


async def test_a_thread_is_not_moved_onto_another_nor_from_nowhere(begin: Transact) -> None:
    def prepare(uow: UnitOfWork) -> None:
        enqueue(uow, "here", OLD)
        enqueue(uow, "there", NEW)

    await begin(prepare)
    before = await begin(_seen)
    for source, target in ((OLD, "new"), (OLD, "old"), (thread("unknown"), "free")):
        assert not await begin(partial(_move, thread=source, to=target))
    assert await begin(_seen) == before
    assert await begin(lambda uow: uow.conversations.get(thread("free"))) is None


async def test_a_move_carries_all_deliveries_of_its_conversation_and_no_others(begin: Transact) -> None:
    def prepare(uow: UnitOfWork) -> None:
        enqueue(uow, "settled", OLD, asked=1)
        uow.deliveries.settle(claim_one(uow), State.KEPT, NOW)
        enqueue(uow, "first", OLD, asked=2)
        enqueue(uow, "waiting", OLD, asked=3, state=State.WAITING)
        enqueue(uow, "unlinked", OLD, asked=4, state=State.UNLINKED)
        enqueue(uow, "other", asked=5)
        assert uow.conversations.move(OLD, "new")

    await begin(prepare)
    moved = await begin(lambda uow: uow.conversations.get(NEW))
    assert moved is not None
    head = await begin(lambda uow: uow.deliveries.head(moved.id))
    following = await begin(lambda uow: uow.deliveries.next_waiting(moved.id))
    unlinked = await begin(lambda uow: uow.deliveries.unlinked(place()))
    kept = await begin(lambda uow: uow.deliveries.kept(CHAT, ANA))
    assert head is not None
    assert following is not None
    assert [one.thread for one in (head, following, *unlinked, *kept)] == [NEW] * 4
    assert {one.id: one.thread for one in await begin(claim)} == {
        "first": NEW,
        "unlinked": NEW,
        "other": thread("t-other"),
    }
    latest = await begin(lambda uow: uow.counts.latest(CHAT, NOW, 9))
    assert latest == {NEW: at(4), thread("t-other"): at(5)}
    assert await begin(lambda uow: uow.deliveries.known(question("first", OLD)))


async def test_who_holds_a_delivery_while_its_thread_moves_goes_on_and_does_not_move_it_back(
    begin: Transact,
) -> None:
    await begin(lambda uow: enqueue(uow, "one", OLD))
    await begin(lambda uow: enqueue(uow, "next", OLD, asked=1, state=State.WAITING))
    held = await begin(claim_one)
    assert held.thread == OLD
    assert await begin(lambda uow: uow.conversations.move(OLD, "new"))
    assert set(await begin(lambda uow: uow.deliveries.renew([held], at(20)))) == {"one"}
    await begin(lambda uow: uow.deliveries.save(replace(held, state=State.POSTING), lease=at(20)))
    head = await begin(lambda uow: uow.deliveries.head(held.conversation))
    assert head == replace(held, state=State.POSTING, thread=NEW)
    await begin(lambda uow: uow.deliveries.save(replace(held, state=State.ANSWERED, lane=OTHER), lease=None))
    await begin(lambda uow: uow.lanes.get(OTHER))
    again = await begin(lambda uow: claim_one(uow, 1))
    assert again == replace(held, state=State.POSTING, lane=OTHER, thread=NEW, fence=held.fence + 1)
    await begin(lambda uow: uow.deliveries.settle(replace(again, thread=OLD), State.KEPT, at(3)))
    following = await begin(lambda uow: uow.deliveries.next_waiting(held.conversation))
    assert following is not None
    assert [one.thread for one in await begin(lambda uow: uow.deliveries.kept(CHAT, ANA))] == [NEW]
    assert following.thread == NEW


async def test_a_move_keeps_lease_and_fence_and_a_dead_holders_delivery_comes_back_there(
    begin: Transact,
) -> None:
    await begin(lambda uow: enqueue(uow, "one", OLD))
    held = await begin(claim_one)
    await begin(lambda uow: uow.conversations.move(OLD, "new"))
    assert await begin(claim) == []
    assert await begin(lambda uow: uow.deliveries.release_expired(at(9), ())) == 0
    assert await begin(lambda uow: uow.deliveries.release_expired(at(10), ())) == 1
    again = await begin(lambda uow: claim_one(uow, 11))
    assert (again.thread, again.fence) == (NEW, held.fence + 2)
    with pytest.raises(LeaseLost):
        await begin(lambda uow: uow.deliveries.save(held, lease=None))


async def test_a_moved_thread_that_waits_for_a_link_is_bound(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one", OLD, state=State.UNLINKED))
    (waiting,) = await begin(lambda uow: uow.deliveries.unlinked(place()))
    await begin(lambda uow: uow.conversations.move(OLD, "new"))
    bound = await begin(lambda uow: uow.deliveries.bind(waiting, SHOP))
    conversation = await begin(lambda uow: uow.conversations.get(NEW))
    assert conversation is not None
    assert (bound.thread, bound.project, conversation.project) == (NEW, SHOP, SHOP)


@pytest.mark.parametrize("state", sorted(SETTLED))
async def test_a_receipt_comes_back_with_each_claim_until_its_question_is_settled(
    begin: Transact, state: State
) -> None:
    token = Receipt("token")
    await begin(lambda uow: enqueue(uow, "one", receipt=token))
    await begin(lambda uow: enqueue(uow, "none"))
    none, one = await begin(claim)
    assert (one.receipt, none.receipt) == (token, NO_RECEIPT)
    await begin(lambda uow: uow.deliveries.save(replace(one, state=State.ANSWERED), lease=None))
    (again,) = await begin(claim)
    assert again.receipt == token
    await begin(lambda uow: uow.deliveries.settle(again, state, at(3)))
    # Of all that tells of a settled delivery, binding alone does so in every state.
    settled = await begin(lambda uow: uow.deliveries.bind(again, SHOP))
    assert (settled.state, settled.receipt) == (state, NO_RECEIPT)


async def test_what_is_kept_is_found_by_platform_and_author_alone_oldest_first(begin: Transact) -> None:
    alien = thread("t-alien", place(platform=Platform("other")))
    abroad = thread("t-abroad", place(workspace="another"))
    await begin(lambda uow: enqueue(uow, "late", asked=9))
    await begin(lambda uow: enqueue(uow, "early", asked=1))
    await begin(lambda uow: enqueue(uow, "alike", asked=1))
    await begin(lambda uow: enqueue(uow, "abroad", abroad, asked=5))
    await begin(lambda uow: enqueue(uow, "alien", alien, asked=2))
    await begin(lambda uow: enqueue(uow, "bens", asked=3, author=BEN))
    await begin(_keep_all)
    for state in sorted(SETTLED - {State.KEPT}):
        await begin(partial(enqueue, name=state.value))
        await begin(partial(_settle, state=state))
    await begin(lambda uow: enqueue(uow, "open"))
    assert names(await begin(_kept)) == ["alike", "early", "abroad", "late"]
    assert names(await begin(lambda uow: list(uow.deliveries.kept(CHAT, BEN)))) == ["bens"]
    assert names(await begin(lambda uow: list(uow.deliveries.kept(Platform("other"), ANA)))) == ["alien"]
    assert await begin(lambda uow: list(uow.deliveries.kept(Platform("other"), BEN))) == []


async def test_what_is_kept_is_fetched_once_and_nothing_else_is_touched(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one", asked=1))
    await begin(lambda uow: enqueue(uow, "two", asked=2))
    await begin(_keep_all)
    await begin(lambda uow: enqueue(uow, "open", asked=3))
    for name in ("one", "one", "open", "unknown"):
        await begin(partial(_fetch, name=name))
    assert names(await begin(_kept)) == ["two"]
    tally = await begin(lambda uow: uow.deliveries.tally(NOW))
    assert tally.by_state == {State.DONE: 1, State.KEPT: 1, State.ACCEPTED: 1}


async def test_what_is_kept_holds_up_nobody_and_nobody_writes_to_it_again(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one", OLD))
    held = await begin(claim_one)
    await begin(lambda uow: uow.deliveries.settle(held, State.KEPT, at(3)))
    assert await begin(lambda uow: uow.deliveries.head(held.conversation)) is None
    for write in (_save, partial(_settle_one, state=State.DONE)):
        with pytest.raises(LeaseLost):
            await begin(partial(write, one=held))
    assert await begin(lambda uow: uow.deliveries.release_expired(at(99), ())) == 0
    assert await begin(lambda uow: claim(uow, 99)) == []
    await begin(lambda uow: enqueue(uow, "two", OLD))
    assert names(await begin(claim)) == ["two"]


def _move(uow: UnitOfWork, thread: ThreadKey, to: str) -> bool:
    return uow.conversations.move(thread, to)


def _seen(uow: UnitOfWork) -> object:
    found = [uow.conversations.get(OLD), uow.conversations.get(NEW)]
    return found, [uow.deliveries.head(one.id) for one in found if one is not None]


def _keep_all(uow: UnitOfWork) -> None:
    for one in claim(uow):
        uow.deliveries.settle(one, State.KEPT, NOW)


def _settle(uow: UnitOfWork, state: State) -> None:
    uow.deliveries.settle(claim_one(uow), state, NOW)


def _settle_one(uow: UnitOfWork, one: Delivery, state: State) -> None:
    uow.deliveries.settle(one, state, NOW)


def _save(uow: UnitOfWork, one: Delivery) -> None:
    uow.deliveries.save(one, lease=None)


def _kept(uow: UnitOfWork) -> list[Delivery]:
    return list(uow.deliveries.kept(CHAT, ANA))


def _fetch(uow: UnitOfWork, name: str) -> None:
    uow.deliveries.fetched(DeliveryId(name))
