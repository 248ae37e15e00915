"""What every `Transact` promises of accounts: kept by workspace as they were put, and lanes by them."""

from dataclasses import replace
from functools import partial
from operator import itemgetter

import pytest

from core.model import (
    Account,
    ChannelKey,
    Delivery,
    DeliveryId,
    LaneId,
    Notice,
    Platform,
    ProjectId,
    Reason,
    SealedKey,
    State,
    WorkspaceId,
    posting_lane,
)
from core.ports import Transact, UnitOfWork
from tests.fixtures.queued import (
    BEN,
    CHAT,
    KEY,
    NOW,
    OTHER,
    SHOP,
    TEAM,
    account,
    at,
    claim,
    enqueue,
    names,
    place,
    thread,
)

MEDIA = ProjectId("media-demo-4p9x1")
THIRD = LaneId("third")
_TOLD = Notice(Reason.GAVE_UP, SHOP)


class Spilt(Exception):
    """What a piece of work may raise."""


async def test_an_account_is_its_workspaces_alone(begin: Transact) -> None:
    whole = replace(account(projects=[SHOP, MEDIA]), person=5, channel=50, waiting=500)
    assert await begin(lambda uow: uow.accounts.get(CHAT, TEAM)) is None
    await begin(lambda uow: uow.accounts.put(whole))
    assert await begin(lambda uow: uow.accounts.get(CHAT, TEAM)) == whole
    assert await begin(lambda uow: uow.accounts.get(CHAT, WorkspaceId("other"))) is None
    assert await begin(lambda uow: uow.accounts.get(Platform("other"), TEAM)) is None


async def test_setting_it_again_replaces_it_and_it_can_be_taken_away_once(begin: Transact) -> None:
    for who in (account(), account(by=BEN)):
        await begin(partial(_put, one=who))
    assert await begin(lambda uow: uow.accounts.get(CHAT, TEAM)) == account(by=BEN)
    assert await begin(lambda uow: uow.accounts.remove(CHAT, TEAM))
    assert not await begin(lambda uow: uow.accounts.remove(CHAT, TEAM))
    assert await begin(lambda uow: uow.accounts.all(CHAT)) == []


async def test_a_key_is_sealed_otherwise_only_while_it_is_as_it_was(begin: Transact) -> None:
    first, anew = account(), replace(account(), key=SealedKey("anew"))
    assert not await begin(lambda uow: uow.accounts.reseal(first, anew.key))
    await begin(partial(_put, one=first))
    await begin(partial(_put, one=account("theirs")))
    assert await begin(lambda uow: uow.accounts.reseal(first, anew.key))
    assert not await begin(lambda uow: uow.accounts.reseal(first, SealedKey("too late")))
    assert await begin(lambda uow: uow.accounts.all(CHAT)) == [anew, account("theirs")]


async def test_all_of_a_platform_are_told_in_order(begin: Transact) -> None:
    elsewhere = account(platform=Platform("other"))
    for one in (account("z"), account("a"), elsewhere):
        await begin(partial(_put, one=one))
    assert await begin(lambda uow: uow.accounts.all(CHAT)) == [account("a"), account("z")]


async def test_what_fails_sets_no_account(begin: Transact) -> None:
    def spill(uow: UnitOfWork) -> None:
        uow.accounts.put(account())
        raise Spilt

    with pytest.raises(Spilt):
        await begin(spill)
    assert await begin(lambda uow: uow.accounts.get(CHAT, TEAM)) is None


async def test_what_is_to_be_asked_of_one_workspace_moves_and_nothing_of_another(
    begin: Transact,
) -> None:
    theirs = thread("t", place(workspace="theirs"))
    await begin(lambda uow: enqueue(uow, "ours"))
    await begin(lambda uow: enqueue(uow, "behind", thread("t-ours"), state=State.WAITING))
    await begin(lambda uow: enqueue(uow, "told", state=State.ACCEPTED, notice=_TOLD))
    await begin(lambda uow: enqueue(uow, "posted", state=State.ANSWERED))
    await begin(lambda uow: enqueue(uow, "unlinked", state=State.UNLINKED))
    await begin(lambda uow: enqueue(uow, "theirs", theirs))
    here = ChannelKey(CHAT, TEAM)
    assert await begin(lambda uow: uow.deliveries.move(OTHER, NOW, here)) == 2
    assert await begin(lambda uow: uow.deliveries.move(OTHER, NOW, here)) == 0
    lanes = [
        (await begin(partial(_get, name=name))).lane
        for name in ("ours", "behind", "told", "posted", "unlinked", "theirs")
    ]
    assert lanes == [OTHER, OTHER, KEY, KEY, KEY, KEY]


async def test_who_has_something_to_be_asked_without_an_account_is_told_with_its_lanes(
    begin: Transact,
) -> None:
    theirs, posting = place(workspace="theirs"), posting_lane(CHAT, WorkspaceId("theirs"))
    elsewhere = place(platform=Platform("elsewhere"))
    await begin(lambda uow: enqueue(uow, "ours", lane=OTHER))
    await begin(lambda uow: uow.accounts.put(account()))
    await begin(lambda uow: enqueue(uow, "theirs", thread("t1", theirs)))
    await begin(lambda uow: enqueue(uow, "behind it", thread("t1", theirs), state=State.WAITING))
    await begin(lambda uow: enqueue(uow, "theirs too", thread("t2", theirs), lane=THIRD))
    await begin(lambda uow: enqueue(uow, "told", thread("t3", theirs), lane=OTHER, notice=_TOLD))
    await begin(lambda uow: enqueue(uow, "posted", thread("t4", theirs), lane=OTHER, state=State.ANSWERED))
    await begin(lambda uow: enqueue(uow, "again", thread("t4", theirs), lane=posting, state=State.WAITING))
    await begin(lambda uow: enqueue(uow, "elsewhere", thread("t", elsewhere)))
    there = ChannelKey(CHAT, WorkspaceId("theirs"))
    found = await begin(lambda uow: uow.deliveries.without_account(CHAT))
    assert sorted(found, key=itemgetter(1)) == [(there, KEY), (there, THIRD)]


async def test_what_moves_goes_on_from_where_the_line_there_is(begin: Transact) -> None:
    """Neither before all others there, as its places were low, nor behind all, as they were high."""
    theirs = place(workspace="theirs")
    for number in (1, 2, 3):
        there = thread(f"t{number}", theirs)
        await begin(partial(enqueue, name=f"theirs {number}", where=there, rank=40 + number))
    await begin(lambda uow: uow.lanes.save(replace(uow.lanes.get(KEY), served=40)))
    await begin(lambda uow: enqueue(uow, "low", lane=OTHER, rank=2, due=-1))
    await begin(lambda uow: enqueue(uow, "low too", lane=OTHER, rank=3, due=-1))
    await begin(lambda uow: enqueue(uow, "its follower", thread("t-low"), lane=OTHER, state=State.WAITING))
    await begin(lambda uow: uow.deliveries.move(KEY, NOW, ChannelKey(CHAT, TEAM)))
    assert (await begin(partial(_get, name="its follower"))).rank == 0
    claimed = names(await begin(claim))
    assert claimed == ["low", "theirs 1", "low too", "theirs 2", "theirs 3"]
    for name, rank in (("high", 700), ("high too", 701)):
        await begin(partial(enqueue, name=name, lane=OTHER, rank=rank))
    await begin(lambda uow: uow.deliveries.move(KEY, NOW, ChannelKey(CHAT, TEAM)))
    assert [(await begin(partial(_get, name=name))).rank for name in ("high", "high too")] == [44, 45]


async def test_what_was_tried_long_ago_moves_ahead_of_the_line_without_a_gap_behind_it(
    begin: Transact,
) -> None:
    """Else whoever joins the line there would have one turn after the other in the gap."""
    await begin(lambda uow: uow.lanes.save(replace(uow.lanes.get(OTHER), served=40)))
    for name, rank in (("tried", 2), ("tried too", 4), ("served", 40), ("first", 41)):
        await begin(partial(enqueue, name=name, lane=OTHER, rank=rank))
    await begin(lambda uow: uow.deliveries.move(KEY, NOW, ChannelKey(CHAT, TEAM)))
    moved = [await begin(partial(_get, name=name)) for name in ("tried", "tried too", "served", "first")]
    assert [one.rank for one in moved] == [1, 1, 1, 2]  # of one round, some may go before it is full


async def test_what_waited_for_a_pause_of_its_old_key_waits_for_it_no_longer(begin: Transact) -> None:
    await begin(lambda uow: enqueue(uow, "late", due=3600))
    await begin(lambda uow: uow.deliveries.move(OTHER, at(5), ChannelKey(CHAT, TEAM)))
    (moved,) = await begin(lambda uow: claim(uow, 5))
    assert (moved.lane, moved.due_at) == (OTHER, at(5))


def _put(uow: UnitOfWork, one: Account) -> None:
    uow.accounts.put(one)


def _get(uow: UnitOfWork, name: str) -> Delivery:
    found = uow.deliveries.get(DeliveryId(name))
    assert found is not None
    return found
