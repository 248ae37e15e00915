"""What every queue promises of those who wait: for their turn, for a link, for a pause's end."""

from dataclasses import replace
from functools import partial

import pytest

from core.errors import LeaseLost
from core.model import (
    Amounts,
    AnswerPart,
    Delivery,
    DeliveryId,
    Lane,
    LaneId,
    Notice,
    Platform,
    ProjectId,
    Reason,
    State,
    Tally,
)
from core.ports import Transact, UnitOfWork
from tests.fixtures.queued import (
    CHAT,
    FAR,
    KEY,
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

NEVER = at(-1_000_000)


async def test_the_next_to_wait_is_the_one_written_first_then_by_id(begin: Transact) -> None:
    there = thread("t1")
    conversation = await begin(lambda uow: enqueue(uow, "head", there))
    assert await begin(lambda uow: uow.deliveries.next_waiting(conversation.id)) is None
    for name, asked in (("c", 2.0), ("b", 1.0), ("a", 1.0), ("d", 0.5)):
        await begin(partial(enqueue, name=name, where=there, asked=asked, state=State.WAITING))
    await begin(lambda uow: enqueue(uow, "elsewhere", thread("t2"), state=State.WAITING))
    in_turn = []
    for _ in range(4):
        following = await begin(lambda uow: uow.deliveries.next_waiting(conversation.id))
        assert following is not None
        in_turn.append(following.id)
        await begin(partial(_cancel, one=following))
    assert in_turn == ["d", "a", "b", "c"]


async def test_the_head_is_found_in_every_state_but_waiting(begin: Transact) -> None:
    there = thread("t1")
    conversation = await begin(lambda uow: enqueue(uow, "unlinked", there, state=State.UNLINKED))
    await begin(lambda uow: enqueue(uow, "waiting", there, state=State.WAITING))
    assert await begin(lambda uow: uow.deliveries.head(conversation.id)) is None
    await begin(lambda uow: enqueue(uow, "head", there, asked=5))
    for state in (State.ACCEPTED, State.ASKING, State.ANSWERED, State.POSTING):
        head = await begin(lambda uow: uow.deliveries.head(conversation.id))
        assert head is not None
        assert head.id == "head"
        await begin(partial(_save, one=replace(head, state=state)))


async def test_unlinked_questions_are_found_by_channel_by_workspace_and_by_platform(begin: Transact) -> None:
    unlinked = State.UNLINKED
    await begin(lambda uow: enqueue(uow, "late", asked=9, state=unlinked))
    await begin(lambda uow: enqueue(uow, "early", asked=1, state=unlinked))
    await begin(lambda uow: enqueue(uow, "linked"))
    await begin(lambda uow: enqueue(uow, "random", thread("t", place("random")), asked=5, state=unlinked))
    abroad = thread("t", place(workspace="another"))
    alien = thread("t", place(platform=Platform("other")))
    await begin(lambda uow: enqueue(uow, "abroad", abroad, asked=7, state=unlinked))
    await begin(lambda uow: enqueue(uow, "alien", alien, state=unlinked))
    assert names(await begin(lambda uow: list(uow.deliveries.unlinked(place())))) == ["early", "late"]
    everywhere = await begin(lambda uow: list(uow.deliveries.unlinked(place(""))))
    assert names(everywhere) == ["early", "random", "late"]
    of_all = await begin(lambda uow: list(uow.deliveries.unlinked(place("", workspace=""))))
    assert names(of_all) == ["early", "random", "abroad", "late"]


async def test_binding_gives_a_project_to_the_question_and_its_thread(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "one", state=State.UNLINKED))
    (waiting,) = await begin(lambda uow: uow.deliveries.unlinked(place()))
    teller = await begin(claim_one)
    bound = await begin(lambda uow: uow.deliveries.bind(waiting, SHOP))
    assert bound == replace(waiting, project=SHOP, fence=teller.fence + 1)
    conversation = await begin(lambda uow: uow.conversations.get(thread("t-one")))
    assert conversation is not None
    assert conversation.project == SHOP
    with pytest.raises(LeaseLost):
        await begin(lambda uow: uow.deliveries.save(replace(teller, told=True), lease=None))
    accepted = replace(bound, state=State.ACCEPTED)
    await begin(lambda uow: uow.deliveries.save(accepted, lease=None))
    assert (await begin(claim_one)).project == SHOP


async def test_parts_are_kept_in_order_and_know_where_they_were_posted_and_which_is_last(
    begin: Transact,
) -> None:
    one = DeliveryId("one")
    assert list(await begin(lambda uow: uow.deliveries.parts(one))) == []
    await begin(lambda uow: uow.deliveries.store_parts(one, ["first", "second", "third"]))
    await begin(lambda uow: uow.deliveries.store_parts(DeliveryId("two"), ["other"]))
    await begin(lambda uow: uow.deliveries.record(one, 1, "message 7"))
    assert list(await begin(lambda uow: uow.deliveries.parts(one))) == [
        AnswerPart(0, "first", last=False),
        AnswerPart(1, "second", "message 7", last=False),
        AnswerPart(2, "third", last=True),
    ]
    (only,) = await begin(lambda uow: uow.deliveries.parts(DeliveryId("two")))
    assert only == AnswerPart(0, "other", last=True)


async def test_who_waits_behind_a_long_pause_is_told_once(begin: Transact) -> None:
    def prepare(uow: UnitOfWork) -> None:
        enqueue(uow, "b", due=2)
        enqueue(uow, "a", due=2)
        enqueue(uow, "c", due=1)
        enqueue(uow, "told", told=True)
        enqueue(uow, "notice", state=State.ANSWERED)
        enqueue(uow, "behind", thread("t-a"), state=State.WAITING)
        enqueue(uow, "open", lane=OTHER)
        enqueue(uow, "short", lane=LaneId("short"))
        enqueue(uow, "held", due=-1)
        claim_one(uow, -1)
        uow.lanes.save(Lane(KEY).pause(NOW, at(60), busy=1))
        uow.lanes.save(Lane(LaneId("short")).pause(NOW, at(59), busy=1))

    await begin(prepare)
    assert list(await begin(lambda uow: uow.deliveries.tell_paused(NOW, at(60), NEVER, 0))) == []
    first = await begin(lambda uow: uow.deliveries.tell_paused(NOW, at(60), NEVER, 2))
    ends = [(one.id, one.told, lane.paused_until) for one, lane in first]
    assert ends == [("c", True, at(60)), ("a", True, at(60))]
    second = await begin(lambda uow: uow.deliveries.tell_paused(NOW, at(60), NEVER, 2))
    assert [(one.id, one.told, lane.paused_until) for one, lane in second] == [("b", True, at(60))]
    assert list(await begin(lambda uow: uow.deliveries.tell_paused(NOW, at(60), NEVER, 2))) == []
    await begin(lambda uow: uow.lanes.save(Lane(KEY)))
    told = {one.id: one.told for one in await begin(lambda uow: claim(uow, 61)) if one.state is State.ASKING}
    assert told == {"c": True, "a": True, "b": True, "told": True, "open": False, "short": False}


async def test_telling_goes_on_from_lane_to_lane_up_to_its_limit(begin: Transact) -> None:
    def prepare(uow: UnitOfWork) -> None:
        for name, lane in (("o1", OTHER), ("k1", KEY), ("o2", OTHER)):
            enqueue(uow, name, lane=lane)
        for lane in (OTHER, KEY):
            uow.lanes.save(Lane(lane).pause(NOW, at(90), busy=1))

    await begin(prepare)
    told = await begin(lambda uow: uow.deliveries.tell_paused(NOW, at(60), NEVER, 2))
    assert [one.id for one, _ in told] == ["k1", "o1"]


async def test_who_waits_for_somebody_who_has_been_away_for_long_is_told_however_short_the_pause(
    begin: Transact,
) -> None:
    def prepare(uow: UnitOfWork) -> None:
        enqueue(uow, "one")
        uow.lanes.save(replace(Lane(KEY), away_since=at(-30), paused_until=at(5)))

    await begin(prepare)
    assert list(await begin(lambda uow: uow.deliveries.tell_paused(NOW, at(60), at(-31), 2))) == []
    ((one, lane),) = await begin(lambda uow: uow.deliveries.tell_paused(NOW, at(60), at(-30), 2))
    assert (one.id, one.told, lane.away_since) == ("one", True, at(-30))
    assert list(await begin(lambda uow: uow.deliveries.tell_paused(NOW, at(60), NOW, 2))) == []


async def test_nothing_falls_due_where_nothing_waits(begin: Transact) -> None:
    assert await begin(lambda uow: uow.deliveries.next_due(NOW)) is None
    await begin(lambda uow: uow.lanes.save(Lane(KEY).pause(NOW, at(60), busy=1)))
    assert await begin(lambda uow: uow.deliveries.next_due(NOW)) is None


async def test_the_next_due_time_is_the_earliest_to_come(begin: Transact) -> None:
    for name, due in (("overdue", -5.0), ("soon", 7.0), ("later", 9.0)):
        await begin(partial(enqueue, name=name, due=due))
    await begin(lambda uow: enqueue(uow, "other", lane=OTHER, due=8))
    assert await begin(lambda uow: uow.deliveries.next_due(NOW)) == at(7)
    assert await begin(lambda uow: uow.deliveries.next_due(at(7))) == at(8)
    assert await begin(lambda uow: uow.deliveries.next_due(at(9))) is None
    await begin(lambda uow: claim(uow, 7))
    assert await begin(lambda uow: uow.deliveries.next_due(NOW)) == at(8)


async def test_behind_a_pause_things_fall_due_at_its_end_or_at_their_own_later_time(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "overdue", due=-5))
    await begin(lambda uow: uow.lanes.save(Lane(KEY).pause(NOW, at(60), busy=1)))
    assert await begin(lambda uow: uow.deliveries.next_due(NOW)) == at(60)
    assert await begin(lambda uow: uow.deliveries.next_due(at(60))) is None
    await begin(lambda uow: enqueue(uow, "far", lane=OTHER, due=99))
    await begin(lambda uow: uow.lanes.save(Lane(OTHER).pause(NOW, at(30), busy=1)))
    assert await begin(lambda uow: uow.deliveries.next_due(NOW)) == at(60)
    assert await begin(lambda uow: uow.deliveries.next_due(at(60))) == at(99)


async def test_the_questions_of_a_thread_since_a_time_are_counted(begin: Transact) -> None:
    there = thread("t1")
    conversation = await begin(lambda uow: enqueue(uow, "old", there, accepted=-1))
    for name, accepted in (("edge", 0.0), ("new", 5.0)):
        await begin(partial(enqueue, name=name, where=there, accepted=accepted, state=State.WAITING))
    await begin(lambda uow: enqueue(uow, "elsewhere"))
    asks, nine = question("another", there), Amounts(thread=9)
    assert await begin(lambda uow: uow.counts.lately(asks, conversation.id, NOW, nine)) == Amounts(2)
    assert await begin(lambda uow: uow.counts.lately(asks, conversation.id, at(-1), nine)) == Amounts(3)
    assert await begin(lambda uow: uow.counts.lately(asks, conversation.id, FAR, nine)) == Amounts(0)


async def test_the_latest_questions_of_threads_are_told(begin: Transact) -> None:
    there = thread("t1")
    await begin(lambda uow: enqueue(uow, "first", there, asked=1))
    await begin(lambda uow: enqueue(uow, "second", there, asked=3, state=State.WAITING))
    await begin(lambda uow: enqueue(uow, "edge", thread("t2"), asked=0))
    await begin(lambda uow: enqueue(uow, "old", thread("t3"), asked=-1))
    await begin(lambda uow: enqueue(uow, "alien", thread("t", place(platform=Platform("other"))), asked=2))
    found = await begin(lambda uow: uow.counts.latest(CHAT, NOW, 9))
    assert list(found.items()) == [(there, at(3)), (thread("t2"), NOW)]
    assert await begin(lambda uow: uow.counts.latest(CHAT, NOW, 1)) == {there: at(3)}


async def test_the_tally_tells_states_the_oldest_due_and_the_pauses(begin: Transact) -> None:
    assert await begin(lambda uow: uow.deliveries.tally(NOW)) == Tally({}, None, {})

    def prepare(uow: UnitOfWork) -> None:
        enqueue(uow, "held", due=-9)
        claim_one(uow)
        enqueue(uow, "waiting", thread("t-held"), due=-8, state=State.WAITING)
        enqueue(uow, "a", due=-2)
        enqueue(uow, "b", lane=OTHER, due=-3)
        uow.lanes.save(Lane(KEY).pause(NOW, at(60), busy=1))
        uow.lanes.save(Lane(OTHER).pause(at(-60), NOW, busy=1))

    await begin(prepare)
    by_state = {State.ASKING: 1, State.WAITING: 1, State.ACCEPTED: 2}
    tally = await begin(lambda uow: uow.deliveries.tally(NOW))
    assert tally == Tally(by_state, at(-3), {KEY: Lane(KEY).pause(NOW, at(60), busy=1)})
    assert tally.paused == {KEY: at(60)}
    away = replace(Lane(OTHER), away_since=NOW)
    await begin(lambda uow: uow.lanes.save(away))
    tally = await begin(lambda uow: uow.deliveries.tally(at(61)))
    assert (tally.lanes, tally.paused) == ({OTHER: away}, {})


async def test_a_notice_names_the_project_of_its_delivery(begin: Transact) -> None:
    there = thread("t1")
    notice = Notice(Reason.TOO_LONG, SHOP)
    conversation = await begin(lambda uow: enqueue(uow, "one", there, state=State.ANSWERED, notice=notice))
    head = await begin(lambda uow: uow.deliveries.head(conversation.id))
    assert head is not None
    assert head.notice == notice
    assert head.project == ProjectId(SHOP)


def _cancel(uow: UnitOfWork, one: Delivery) -> None:
    uow.deliveries.settle(one, State.BURIED, NOW)


def _save(uow: UnitOfWork, one: Delivery) -> None:
    uow.deliveries.save(one, lease=None)


async def test_a_thread_without_a_project_can_be_bound_by_itself(begin: Transact) -> None:
    conversation = await begin(lambda uow: uow.conversations.open(thread("t1"), None))
    await begin(lambda uow: uow.conversations.open(thread("t2"), None))
    await begin(lambda uow: uow.conversations.bind(conversation.id, SHOP))
    bound = await begin(lambda uow: [uow.conversations.get(thread(name)) for name in ("t1", "t2")])
    assert [one and one.project for one in bound] == [SHOP, None]


async def test_what_is_still_to_be_asked_moves_to_another_lane_and_nothing_else(begin: Transact) -> None:
    there = thread("t1")
    await begin(lambda uow: enqueue(uow, "accepted", there))
    await begin(lambda uow: enqueue(uow, "waiting", there, state=State.WAITING))
    await begin(lambda uow: enqueue(uow, "answered", thread("t2"), state=State.ANSWERED))
    await begin(lambda uow: enqueue(uow, "unlinked", thread("t3"), state=State.UNLINKED))
    await begin(lambda uow: uow.lanes.save(Lane(OTHER, paused_before=7.0)))
    assert await begin(lambda uow: uow.deliveries.move(OTHER, NOW, place())) == 2
    assert await begin(lambda uow: uow.deliveries.move(OTHER, NOW, place())) == 0
    claimed = await begin(claim)
    assert {one.id: (one.lane, one.paused_before) for one in claimed if one.lane == OTHER} == {
        "accepted": (OTHER, 7.0)
    }
    assert len(claimed) == 3


async def test_a_holder_that_died_while_asking_has_used_up_an_attempt(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "asked"))
    await begin(lambda uow: enqueue(uow, "posted", thread("t2"), state=State.ANSWERED))
    await begin(claim)
    await begin(lambda uow: uow.deliveries.release_expired(FAR, ()))
    again = await begin(lambda uow: claim(uow, 11))
    assert {one.id: one.attempt for one in again} == {"asked": 1, "posted": 0}


async def test_what_has_to_wait_on_hides_nothing_that_waited_too_long_in_another_lane(
    begin: Transact,
) -> None:
    def fill(uow: UnitOfWork) -> None:
        for number in range(5):
            enqueue(uow, f"early {number}", lane=KEY)
        enqueue(uow, "late", lane=OTHER)
        for lane, since in ((KEY, 50.0), (OTHER, 10.0)):
            there = uow.lanes.get(lane)
            uow.lanes.save(replace(there, away_since=at(since), failures=5, paused_until=at(1000)))

    await begin(fill)
    found = await begin(lambda uow: uow.deliveries.behind_pauses(at(60), at(30), NEVER, 5))
    assert [one.id for one, _ in found] == ["late"]
