"""What every store promises so that it may grow: bounded reads, and conversations that go when over."""

from collections.abc import Sequence

import pytest

from core import history
from core.model import (
    COUNTED_FOR,
    FINAL,
    AuthorId,
    ChannelKey,
    ConversationId,
    Delivery,
    DeliveryId,
    Link,
    Mark,
    Outlived,
    Role,
    State,
    Turn,
)
from core.ports import Transact, UnitOfWork
from tests.fixtures.queued import (
    ANA,
    BEN,
    CHAT,
    NOW,
    SHOP,
    TEAM,
    Work,
    at,
    claim_one,
    enqueue,
    place,
    question,
    thread,
)

START = ConversationId(0)
MANY = 150
WHOLE = 1_000_000


def _talk(uow: UnitOfWork) -> Delivery:
    """Have a long thread that Ben has begun, in which Ana goes on; return its head."""
    there = thread("t1")
    for number in range(MANY):
        name, author = f"q{number:03}", ANA if number else BEN
        here = enqueue(uow, name, there, state=State.DONE, asked=number, author=author)
        uow.conversations.append(here.id, DeliveryId(name), Turn(Role.USER, author, f"{name}?"))
        uow.conversations.append(here.id, DeliveryId(name), Turn(Role.ASSISTANT, None, f"{name}!"))
    enqueue(uow, "head", there, asked=MANY)
    enqueue(uow, "later", there, asked=MANY + 1, state=State.WAITING)
    for name in ("head", "later"):
        uow.conversations.append(here.id, DeliveryId(name), Turn(Role.USER, ANA, f"{name}?"))
    return claim_one(uow)


async def test_of_a_long_thread_no_more_is_read_than_can_be_sent(begin: Transact) -> None:
    head = await begin(_talk)
    everything = await begin(lambda uow: uow.conversations.turns(head, WHOLE))
    assert len(everything) == 2 * MANY + 1
    assert everything[-1].text == "head?"
    for budget in (0, 4, 5, 12, 99, 160, 161, 700, 1_400, 1_504, 1_505):
        some: Sequence[Turn] = await begin(lambda uow, budget=budget: uow.conversations.turns(head, budget))  # type: ignore[misc]  # mypy infers no lambda with a default
        assert history.window(some, budget) == history.window(everything, budget)
        assert some[0] == everything[0]
        assert sum(len(turn.text) for turn in some) <= budget + 15
    assert await begin(lambda uow: uow.conversations.turns(head, 12)) == [everything[0], *everything[-3:]]


async def test_all_who_spoke_are_told_in_their_order_whatever_is_read(begin: Transact) -> None:
    head = await begin(_talk)
    assert list(await begin(lambda uow: uow.conversations.speakers(head))) == [BEN, ANA]


async def test_a_single_turn_is_read_once_however_long(begin: Transact) -> None:
    def talk(uow: UnitOfWork) -> Delivery:
        here = enqueue(uow, "one")
        uow.conversations.append(here.id, DeliveryId("one"), Turn(Role.USER, ANA, "one?"))
        return claim_one(uow)

    head = await begin(talk)
    assert await begin(lambda uow: uow.conversations.turns(head, 0)) == [Turn(Role.USER, ANA, "one?")]


def _old_and_new(uow: UnitOfWork) -> None:
    enqueue(uow, "over", state=State.DONE, accepted=-9)
    enqueue(uow, "owed", accepted=-9)
    enqueue(uow, "gone on with", state=State.BURIED, accepted=-9)
    enqueue(uow, "and on", thread("t-gone on with"), state=State.DONE, accepted=0)
    enqueue(uow, "also over", state=State.REFUSED, accepted=-2)
    uow.conversations.open(thread("t-empty"), SHOP)
    enqueue(uow, "new", state=State.DONE, accepted=1)
    enqueue(uow, "newer", state=State.DONE, accepted=2)


def _left(uow: UnitOfWork) -> list[str]:
    names = ("over", "owed", "gone on with", "also over", "empty", "new", "newer")
    return [name for name in names if uow.conversations.get(thread(f"t-{name}")) is not None]


async def test_conversations_in_which_all_is_over_go_and_no_others(begin: Transact) -> None:
    await begin(_old_and_new)
    assert await begin(lambda uow: uow.conversations.outlived(START, NOW, 99)) == Outlived(None, deleted=2)
    assert await begin(_left) == ["owed", "gone on with", "empty", "new", "newer"]
    assert await begin(lambda uow: uow.conversations.outlived(START, NOW, 99)) == Outlived(None, deleted=0)


async def test_they_are_looked_through_in_pieces_and_none_behind_the_first_that_is_new(
    begin: Transact,
) -> None:
    await begin(_old_and_new)
    pieces = []
    upto: ConversationId | None = START
    while upto is not None:
        piece = await begin(_looking(upto))
        pieces.append(piece.deleted)
        upto = piece.upto
    assert pieces == [1, 1, 0]
    assert await begin(lambda uow: uow.conversations.outlived(START, at(-99), 9)) == Outlived(None, deleted=0)


def _looking(after: ConversationId) -> Work[Outlived]:
    return lambda uow: uow.conversations.outlived(after, NOW, 2)


async def test_nothing_is_left_of_what_went(begin: Transact) -> None:
    one = DeliveryId("one")

    def live(uow: UnitOfWork) -> Delivery:
        here = enqueue(uow, "one", accepted=-9)
        uow.conversations.append(here.id, one, Turn(Role.USER, ANA, "one?"))
        uow.deliveries.store_parts(one, ["part"])
        held = claim_one(uow)
        uow.deliveries.settle(held, State.DONE, NOW)
        uow.marks.put(one, Mark.EDITED, NOW)
        uow.conversations.outlived(START, NOW, 9)
        return held

    held = await begin(live)
    assert await begin(lambda uow: uow.deliveries.get(one)) is None
    assert await begin(lambda uow: uow.conversations.turns(held, WHOLE)) == []
    assert list(await begin(lambda uow: uow.deliveries.parts(one))) == []
    assert not await begin(lambda uow: uow.deliveries.known(question("one")))
    assert (await begin(lambda uow: uow.conversations.open(thread("t-one"), SHOP))).id > held.conversation


async def test_a_channel_and_its_workspace_are_told_together(begin: Transact) -> None:
    own = Link(place(), SHOP, ANA, NOW)
    whole = Link(ChannelKey(CHAT, TEAM), SHOP, AuthorId("cy"), NOW)
    assert await begin(lambda uow: uow.links.both(place())) == (None, None)
    await begin(lambda uow: uow.links.put(whole))
    assert await begin(lambda uow: uow.links.both(place())) == (None, whole)
    await begin(lambda uow: uow.links.put(own))
    assert await begin(lambda uow: uow.links.both(place())) == (own, whole)
    assert await begin(lambda uow: uow.links.both(place(""))) == (None, whole)
    assert await begin(lambda uow: uow.links.both(place("other"))) == (None, whole)
    assert await begin(lambda uow: uow.links.both(place(workspace="other"))) == (None, None)


@pytest.mark.parametrize("state", sorted(State))
async def test_what_is_final_is_counted_for_an_hour_and_the_rest_for_as_long_as_it_is_there(
    begin: Transact, state: State
) -> None:
    hour = COUNTED_FOR.total_seconds()
    await begin(lambda uow: enqueue(uow, "one", state=state))
    assert (await begin(lambda uow: uow.deliveries.tally(at(hour)))).by_state == {state: 1}
    after = await begin(lambda uow: uow.deliveries.tally(at(hour + 1)))
    assert after.by_state == ({} if state in FINAL else {state: 1})
