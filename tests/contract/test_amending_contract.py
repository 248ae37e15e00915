"""What every queue promises of what is edited, deleted, marked, counted, forgotten and revived."""

from dataclasses import replace
from datetime import datetime

import pytest

from core.errors import LeaseLost
from core.model import (
    Amounts,
    ChannelKey,
    DeliveryId,
    Lane,
    Link,
    Mark,
    MessageId,
    ProjectId,
    Question,
    Role,
    State,
    Turn,
)
from core.ports import Transact, UnitOfWork
from tests.fixtures.queued import (
    ANA,
    BEN,
    BUDGET,
    CHAT,
    FAR,
    KEY,
    NOW,
    OTHER,
    SHOP,
    TEAM,
    Work,
    at,
    claim,
    claim_one,
    enqueue,
    names,
    place,
    question,
    thread,
)

ONE, TWO = DeliveryId("one"), DeliveryId("two")


def _said(uow: UnitOfWork) -> None:
    """Have two questions in a thread, the first of them answered."""
    here = enqueue(uow, "one", thread("t1"), asked=0)
    enqueue(uow, "two", thread("t1"), asked=1, state=State.WAITING)
    for owner, role, text in ((ONE, Role.USER, "1"), (ONE, Role.ASSISTANT, "a"), (TWO, Role.USER, "2")):
        uow.conversations.append(here.id, owner, Turn(role, ANA if role is Role.USER else None, text))


async def test_a_delivery_is_found_by_the_message_of_its_question(begin: Transact) -> None:
    await begin(_said)
    found = await begin(lambda uow: uow.deliveries.of_message(place(), MessageId("m-two")))
    assert found is not None
    assert found.id == TWO
    for at_, message in ((place("other"), "m-two"), (place(workspace="other"), "m-two"), (place(), "m-no")):
        assert await begin(_of(at_, message)) is None
    assert await begin(lambda uow: uow.deliveries.get(TWO)) == found
    assert await begin(lambda uow: uow.deliveries.get(DeliveryId("no"))) is None


def _of(where: ChannelKey, message: str):  # type: ignore[no-untyped-def]  # one lambda, told apart from the loop's
    return lambda uow: uow.deliveries.of_message(where, MessageId(message))


async def test_only_a_questions_own_text_is_rewritten(begin: Transact) -> None:
    await begin(_said)
    await begin(lambda uow: uow.conversations.rewrite(ONE, "one"))
    assert await begin(lambda uow: uow.conversations.asked(ONE)) == "one"
    two = await begin(lambda uow: uow.deliveries.get(TWO))
    assert two is not None
    turns = await begin(lambda uow: uow.conversations.turns(two, BUDGET))
    assert [turn.text for turn in turns] == ["one", "a", "2"]


async def test_what_is_forgotten_of_a_thread_is_a_question_with_its_answer(begin: Transact) -> None:
    await begin(_said)
    await begin(lambda uow: uow.conversations.forget(ONE))
    assert await begin(lambda uow: uow.conversations.asked(ONE)) is None
    two = await begin(lambda uow: uow.deliveries.get(TWO))
    assert two is not None
    assert [turn.text for turn in await begin(lambda uow: uow.conversations.turns(two, BUDGET))] == ["2"]


async def test_a_mark_is_due_once_its_answer_is_posted_and_until_it_is_made(begin: Transact) -> None:
    def settle(uow: UnitOfWork) -> None:
        uow.deliveries.settle(claim_one(uow), State.DONE, NOW)

    await begin(lambda uow: enqueue(uow, "one"))
    assert not await begin(lambda uow: uow.marks.put(TWO, Mark.EDITED, NOW))
    assert await begin(lambda uow: uow.marks.put(ONE, Mark.EDITED, at(5)))
    assert not await begin(lambda uow: uow.marks.put(ONE, Mark.EDITED, NOW))
    assert list(await begin(lambda uow: uow.marks.due(FAR, at(60), 9))) == []
    await begin(settle)
    assert list(await begin(lambda uow: uow.marks.due(at(4), at(60), 9))) == []
    assert list(await begin(lambda uow: uow.marks.due(at(5), at(60), 0))) == []
    assert [(one.id, mark) for one, mark in await begin(lambda uow: uow.marks.due(at(5), at(60), 9))] == [
        (ONE, Mark.EDITED)
    ]
    assert list(await begin(lambda uow: uow.marks.due(at(59), at(60), 9))) == []  # it is being made
    assert [mark for _, mark in await begin(lambda uow: uow.marks.due(at(60), at(90), 9))] == [Mark.EDITED]
    await begin(lambda uow: uow.marks.later(ONE, at(7)))
    assert list(await begin(lambda uow: uow.marks.due(at(6), at(60), 9))) == []
    await begin(lambda uow: uow.marks.made(ONE, Mark.EDITED))
    assert list(await begin(lambda uow: uow.marks.due(FAR, at(60), 9))) == []
    assert not await begin(lambda uow: uow.marks.put(ONE, Mark.EDITED, NOW))


async def test_that_a_question_was_deleted_goes_over_that_it_was_edited(begin: Transact) -> None:
    def settle(uow: UnitOfWork) -> None:
        uow.deliveries.settle(claim_one(uow), State.DONE, NOW)

    await begin(lambda uow: enqueue(uow, "one"))
    await begin(settle)
    assert await begin(lambda uow: uow.marks.put(ONE, Mark.EDITED, NOW))
    assert await begin(lambda uow: uow.marks.put(ONE, Mark.DELETED, NOW))
    assert not await begin(lambda uow: uow.marks.put(ONE, Mark.EDITED, NOW))
    await begin(lambda uow: uow.marks.made(ONE, Mark.EDITED))  # it was under way when it was overtaken
    assert [mark for _, mark in await begin(lambda uow: uow.marks.due(NOW, at(60), 9))] == [Mark.DELETED]
    await begin(lambda uow: uow.marks.made(ONE, Mark.DELETED))
    assert not await begin(lambda uow: uow.marks.put(ONE, Mark.EDITED, NOW))


async def test_of_two_edits_the_earlier_one_is_told_that_it_is_late(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one"))
    assert await begin(lambda uow: uow.marks.edited(ONE, at(5)))
    assert not await begin(lambda uow: uow.marks.edited(ONE, at(4)))
    assert await begin(lambda uow: uow.marks.edited(ONE, at(5)))  # the same again, or one of the same second
    assert await begin(lambda uow: uow.marks.edited(ONE, at(6)))
    assert not await begin(lambda uow: uow.marks.edited(TWO, at(6)))


async def test_a_question_that_comes_edited_already_was_edited_then(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one", edited=5))
    assert not await begin(lambda uow: uow.marks.edited(ONE, at(4)))
    assert await begin(lambda uow: uow.marks.edited(ONE, at(5)))


async def test_a_mark_on_what_is_gone_is_nothing(begin: Transact) -> None:
    await begin(lambda uow: uow.marks.later(ONE, NOW))
    await begin(lambda uow: uow.marks.made(ONE, Mark.EDITED))
    assert list(await begin(lambda uow: uow.marks.due(FAR, at(60), 9))) == []


async def test_what_was_asked_is_counted_by_person_and_by_channel_but_not_what_was_refused(
    begin: Transact,
) -> None:
    def prepare(uow: UnitOfWork) -> None:
        enqueue(uow, "old", accepted=-1)
        enqueue(uow, "a")
        enqueue(uow, "b", author=BEN)
        enqueue(uow, "c", thread("t", place("other")))
        enqueue(uow, "refused", state=State.REFUSED)

    await begin(prepare)
    here, elsewhere = question("new", thread("t-a")), question("new", thread("t", place("other")))
    nine, three = Amounts(9, 9, 9, 9), Amounts(3, None, 2, 3)
    assert await begin(_lately(here, NOW, nine)) == Amounts(1, 2, 2, 4)
    assert await begin(_lately(here, at(-1), nine)) == Amounts(1, 3, 3, 4)
    assert await begin(_lately(elsewhere, NOW, nine)) == Amounts(1, 2, 1, 4)
    assert await begin(_lately(here, at(-1), three)) == Amounts(1, None, 2, 3)
    assert await begin(_lately(here, at(-1), Amounts())) == Amounts()
    await begin(lambda uow: uow.deliveries.settle(claim(uow)[0], State.DONE, NOW))
    assert await begin(_lately(here, NOW, nine)) == Amounts(1, 2, 2, 3)


def _lately(asks: Question, since: datetime, upto: Amounts) -> Work[Amounts]:
    def work(uow: UnitOfWork) -> Amounts:
        return uow.counts.lately(asks, uow.conversations.open(asks.thread, None).id, since, upto)

    return work


async def test_a_lanes_line_is_claimed_by_rank_among_what_is_due(begin: Transact) -> None:
    def prepare(uow: UnitOfWork) -> None:
        enqueue(uow, "third", rank=3, due=-9)
        enqueue(uow, "first", rank=1, due=0)
        enqueue(uow, "not yet", rank=1, due=1)
        enqueue(uow, "second", rank=2, due=-5)

    await begin(prepare)
    assert names(await begin(lambda uow: claim(uow, concurrency=2))) == ["first", "second"]
    assert await begin(lambda uow: uow.lanes.get(KEY).served) == 2
    assert await begin(lambda uow: uow.lanes.busy(KEY)) == 2


async def test_a_workspaces_next_place_is_behind_its_last_or_the_very_next(begin: Transact) -> None:
    async def rank() -> int:
        return await begin(lambda uow: uow.deliveries.next_rank(KEY, CHAT, TEAM))

    assert await rank() == 1
    await begin(lambda uow: enqueue(uow, "theirs", thread("t", place(workspace="other")), rank=7))
    assert await rank() == 1
    await begin(lambda uow: enqueue(uow, "one", rank=4))
    assert await rank() == 5
    await begin(claim)
    assert await rank() == 8


async def test_only_the_holder_holds(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one"))
    waiting = await begin(lambda uow: uow.deliveries.get(ONE))
    assert waiting is not None
    assert not await begin(lambda uow: uow.deliveries.holds(waiting))
    held = await begin(claim_one)
    assert await begin(lambda uow: uow.deliveries.holds(held))
    assert not await begin(lambda uow: uow.deliveries.holds(waiting))


async def test_only_what_waits_for_a_human_is_revived_and_only_once(begin: Transact) -> None:
    async def settled(state: State) -> None:
        await begin(lambda uow: uow.deliveries.settle(claim_one(uow), state, NOW))

    await begin(lambda uow: enqueue(uow, "one"))
    await settled(State.BURIED)
    (one,) = await begin(lambda uow: uow.deliveries.listed(State.BURIED, 9))
    assert list(await begin(lambda uow: uow.deliveries.listed(State.AMBIGUOUS, 9))) == []
    assert list(await begin(lambda uow: uow.deliveries.listed(State.DONE, 9))) == []
    again = replace(one, state=State.ACCEPTED, accepted_at=at(5))
    await begin(lambda uow: uow.deliveries.revive(again))
    with pytest.raises(LeaseLost):
        await begin(lambda uow: uow.deliveries.revive(again))
    revived = await begin(claim_one)
    assert (revived.fence, revived.accepted_at) == (one.fence + 2, at(5))
    await begin(lambda uow: uow.deliveries.settle(revived, State.DONE, NOW))
    with pytest.raises(LeaseLost):
        await begin(lambda uow: uow.deliveries.revive(revived))


async def test_all_of_a_workspace_is_purged_and_nothing_else(begin: Transact) -> None:
    there = place(workspace="other")

    def prepare(uow: UnitOfWork) -> None:
        _said(uow)
        uow.deliveries.store_parts(ONE, ["a"])
        uow.marks.put(ONE, Mark.EDITED, NOW)
        enqueue(uow, "theirs", thread("t", there), lane=OTHER)
        for where in (place(), place(""), there):
            uow.links.put(Link(where, ProjectId(SHOP), ANA, NOW))

    await begin(prepare)
    assert await begin(lambda uow: uow.links.purge(CHAT, TEAM)) == 2
    assert [link.at for link in await begin(lambda uow: uow.links.all(CHAT))] == [there]
    assert await begin(lambda uow: uow.conversations.purge(CHAT, TEAM, 9)) == 1
    assert await begin(lambda uow: uow.conversations.purge(CHAT, TEAM, 9)) == 0
    assert await begin(lambda uow: uow.conversations.get(thread("t1"))) is None
    assert list(await begin(lambda uow: uow.deliveries.parts(ONE))) == []
    assert await begin(lambda uow: uow.conversations.asked(ONE)) is None
    assert (await begin(lambda uow: uow.deliveries.tally(NOW))).by_state == {State.ACCEPTED: 1}
    await begin(lambda uow: uow.lanes.save(replace(uow.lanes.get(KEY), strikes=5)))
    await begin(lambda uow: uow.lanes.remove(KEY))
    assert await begin(lambda uow: uow.lanes.get(KEY)) == Lane(KEY)


async def test_times_of_a_clock_that_was_ahead_are_set_back(begin: Transact) -> None:
    def prepare(uow: UnitOfWork) -> None:
        enqueue(uow, "held", due=90)
        claim_one(uow, 90)
        enqueue(uow, "one", accepted=100, due=130)
        enqueue(uow, "settled", accepted=500, state=State.REFUSED)
        enqueue(uow, "old", accepted=-5, state=State.REFUSED)
        uow.marks.put(DeliveryId("settled"), Mark.EDITED, at(500))
        uow.lanes.save(replace(Lane(OTHER), paused_since=at(110), paused_until=at(140), away_since=at(70)))

    assert await begin(lambda uow: uow.deliveries.newest()) is None
    await begin(prepare)
    assert await begin(lambda uow: uow.deliveries.newest()) == at(500)
    await begin(lambda uow: uow.deliveries.set_back(at(100) - NOW, NOW))
    one = await begin(lambda uow: uow.deliveries.get(ONE))
    assert one is not None
    assert (one.accepted_at, one.due_at, one.ready_at) == (NOW, at(30), NOW)
    lane = await begin(lambda uow: uow.lanes.get(OTHER))
    assert (lane.paused_since, lane.paused_until, lane.away_since) == (at(10), at(40), at(-30))
    assert await begin(lambda uow: uow.deliveries.release_expired(at(0), ())) == 1
    assert await begin(lambda uow: uow.deliveries.newest()) == at(400)
