"""What every `Transact` promises: all or nothing, each event once, and threads, lanes and links kept."""

from dataclasses import replace

import pytest

from core.errors import StoreUnavailable
from core.model import (
    AuthorId,
    ConversationId,
    DeliveryId,
    Lane,
    Link,
    Platform,
    ProjectId,
    Role,
    State,
    ThreadKey,
    Turn,
)
from core.ports import Transact, UnitOfWork
from core.testing import MemoryStore
from tests.fixtures.queued import (
    ANA,
    BUDGET,
    CHAT,
    KEY,
    NOW,
    SHOP,
    at,
    claim_one,
    enqueue,
    place,
    question,
    thread,
)

LINK = Link(place(), SHOP, ANA, NOW)


class Spilt(Exception):
    """What a piece of work may raise."""


async def test_work_returns_its_result_and_later_work_sees_what_it_did(begin: Transact) -> None:
    opened = await begin(lambda uow: uow.conversations.open(thread("t1"), SHOP))
    assert await begin(lambda uow: uow.conversations.get(thread("t1"))) == opened


async def test_after_an_exception_nothing_remains(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "kept"))
    await begin(lambda uow: uow.deliveries.store_parts(DeliveryId("kept"), ["one"]))

    def spill(uow: UnitOfWork) -> None:
        uow.links.put(LINK)
        uow.lanes.save(Lane(KEY).pause(NOW, at(60), busy=1))
        enqueue(uow, "lost")
        uow.conversations.append(claim_one(uow, 61).conversation, DeliveryId("lost"), _said("never"))
        uow.deliveries.record(DeliveryId("kept"), 0, "posted")
        raise Spilt

    def spill_late(uow: UnitOfWork) -> None:
        enqueue(uow, "lost")
        raise Spilt

    before = await begin(_all)
    for work in (spill, spill_late):
        with pytest.raises((Spilt, ValueError)):
            await begin(work)
    assert await begin(_all) == before


async def test_an_event_and_its_twin_by_message_are_known_once_one_of_them_is_stored(begin: Transact) -> None:
    asked = question("one")
    assert not await begin(lambda uow: uow.deliveries.known(asked))
    await begin(lambda uow: enqueue(uow, "one"))
    twin = question("two", asked.thread, message=asked.message)
    again = question("two", asked.thread, event=asked.event)
    elsewhere = question("two", thread("t-one", place("random")), message=asked.message)
    abroad = question("one", thread("t-one", place(workspace="another")))
    alien = question("one", thread("t-one", place(platform=Platform("other"))))
    offered = (asked, twin, again, elsewhere, abroad, alien)
    known = await begin(lambda uow: [uow.deliveries.known(one) for one in offered])
    assert known == [True, True, True, False, False, False]


async def test_the_store_itself_refuses_an_event_twice(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one"))
    with pytest.raises(StoreUnavailable):
        await begin(lambda uow: enqueue(uow, "one", thread("another")))


async def test_the_store_itself_refuses_two_heads_in_a_thread(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "first", thread("t1")))
    with pytest.raises(StoreUnavailable):
        await begin(lambda uow: enqueue(uow, "second", thread("t1"), state=State.ANSWERED))
    await begin(lambda uow: enqueue(uow, "third", thread("t1"), state=State.WAITING))


async def test_a_thread_is_unknown_until_it_is_opened_and_then_keeps_its_project(begin: Transact) -> None:
    assert await begin(lambda uow: uow.conversations.get(thread("t1"))) is None
    opened = await begin(lambda uow: uow.conversations.open(thread("t1"), SHOP))
    again = await begin(lambda uow: uow.conversations.open(thread("t1"), ProjectId("another-project")))
    unbound = await begin(lambda uow: uow.conversations.open(thread("t2"), None))
    assert (opened.thread, opened.project) == (thread("t1"), SHOP)
    assert again == opened
    assert unbound.project is None
    assert unbound.id != opened.id


async def test_turns_are_in_the_order_their_questions_were_written(begin: Transact) -> None:
    """A question that arrives late but was written earlier goes before, with its answer."""
    there = thread("t1")

    def talk(uow: UnitOfWork) -> None:
        here = enqueue(uow, "b-first", there, asked=1).id
        enqueue(uow, "z-late", there, asked=0, state=State.WAITING)
        enqueue(uow, "c-next", there, asked=2, state=State.WAITING)
        enqueue(uow, "a-same", there, asked=2, state=State.WAITING)
        other = enqueue(uow, "elsewhere", thread("t2"), asked=0).id
        uow.conversations.append(other, DeliveryId("elsewhere"), _said("elsewhere"))
        for name in ("b-first", "z-late", "c-next", "a-same"):
            uow.conversations.append(here, DeliveryId(name), _said(f"{name}?"))
        uow.conversations.append(here, DeliveryId("b-first"), Turn(Role.ASSISTANT, None, "b-first!"))
        uow.conversations.append(here, DeliveryId("z-late"), Turn(Role.ASSISTANT, None, "z-late!"))

    await begin(talk)
    first = await begin(lambda uow: uow.deliveries.head(_id(uow, there)))
    late = await begin(lambda uow: uow.deliveries.next_waiting(_id(uow, there)))
    assert first is not None
    assert late is not None
    same = replace(late, id=DeliveryId("a-same"), asked_at=at(2))
    last = replace(late, id=DeliveryId("c-next"), asked_at=at(2))
    seen = await begin(
        lambda uow: [
            [turn.text for turn in uow.conversations.turns(one, BUDGET)] for one in (late, first, same, last)
        ]
    )
    assert seen[0] == ["z-late?", "z-late!"]
    assert seen[1] == ["z-late?", "z-late!", "b-first?", "b-first!"]
    assert seen[2] == [*seen[1], "a-same?"]
    assert seen[3] == [*seen[2], "c-next?"]
    turns = await begin(lambda uow: uow.conversations.turns(late, BUDGET))
    assert turns[0] == Turn(Role.USER, ANA, "z-late?")
    assert turns[1] == Turn(Role.ASSISTANT, None, "z-late!")


async def test_a_thread_is_told_of_left_out_turns_once(begin: Transact) -> None:
    here = await begin(lambda uow: uow.conversations.open(thread("t1"), SHOP))
    other = await begin(lambda uow: uow.conversations.open(thread("t2"), SHOP))
    assert await begin(lambda uow: uow.conversations.told_trimmed(here.id))
    assert not await begin(lambda uow: uow.conversations.told_trimmed(here.id))
    assert await begin(lambda uow: uow.conversations.told_trimmed(other.id))


async def test_a_lane_is_made_when_first_asked_for_and_keeps_its_pause(begin: Transact) -> None:
    assert await begin(lambda uow: uow.lanes.get(KEY)) == Lane(KEY)
    paused = replace(Lane(KEY).pause(NOW, at(60), busy=1), paused_before=12.5)
    await begin(lambda uow: uow.lanes.save(paused))
    assert await begin(lambda uow: uow.lanes.get(KEY)) == paused


async def test_a_lane_can_be_saved_that_was_never_asked_for(begin: Transact) -> None:
    paused = Lane(KEY).pause(NOW, at(60), busy=1)
    await begin(lambda uow: uow.lanes.save(paused))
    assert await begin(lambda uow: uow.lanes.get(KEY)) == paused


async def test_links_are_set_replaced_and_taken_away(begin: Transact) -> None:
    assert await begin(lambda uow: uow.links.get(place())) is None
    await begin(lambda uow: uow.links.put(LINK))
    assert await begin(lambda uow: uow.links.get(place())) == LINK
    assert await begin(lambda uow: uow.links.get(place(""))) is None
    other = Link(place(), ProjectId("another-project"), AuthorId("ben"), at(5))
    await begin(lambda uow: uow.links.put(other))
    assert await begin(lambda uow: uow.links.get(place())) == other
    assert await begin(lambda uow: uow.links.remove(place()))
    assert not await begin(lambda uow: uow.links.remove(place()))
    assert await begin(lambda uow: uow.links.get(place())) is None


async def test_a_link_tells_whether_its_channel_answers_everything(begin: Transact) -> None:
    await begin(lambda uow: uow.links.put(replace(LINK, answers_all=True)))
    await begin(lambda uow: uow.links.put(replace(LINK, at=place("random"))))
    assert [one.answers_all for one in await begin(lambda uow: uow.links.all(CHAT))] == [True, False]
    assert await begin(lambda uow: uow.links.get(place())) == replace(LINK, answers_all=True)
    await begin(lambda uow: uow.links.put(LINK))
    assert await begin(lambda uow: uow.links.get(place())) == LINK


async def test_all_links_of_a_platform_are_told_in_the_order_of_their_places(begin: Transact) -> None:
    general, random, whole = LINK, replace(LINK, at=place("random")), replace(LINK, at=place(""))
    alien = replace(LINK, at=place(platform=Platform("other")))

    def put(uow: UnitOfWork) -> None:
        for link in (random, alien, general, whole):
            uow.links.put(link)

    await begin(put)
    assert list(await begin(lambda uow: uow.links.all(CHAT))) == [whole, general, random]


async def test_the_twin_refuses_when_it_is_told_to() -> None:
    store = MemoryStore()
    store.failing = 1
    with pytest.raises(StoreUnavailable):
        await store(lambda uow: uow.links.put(LINK))
    assert await store(lambda uow: uow.links.get(place())) is None


def _said(words: str) -> Turn:
    return Turn(Role.USER, ANA, words)


def _id(uow: UnitOfWork, there: ThreadKey) -> ConversationId:
    conversation = uow.conversations.get(there)
    assert conversation is not None
    return conversation.id


def _all(uow: UnitOfWork) -> tuple[object, ...]:
    """Return what can be seen of a store."""
    kept = uow.conversations.get(thread("t-kept"))
    assert kept is not None
    head = uow.deliveries.head(kept.id)
    assert head is not None
    return (
        uow.conversations.get(thread("t-lost")),
        head,
        list(uow.conversations.turns(head, BUDGET)),
        list(uow.deliveries.parts(head.id)),
        uow.deliveries.tally(NOW),
        uow.lanes.get(KEY),
        list(uow.links.all(CHAT)),
    )
