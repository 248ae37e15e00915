"""Stories of workspaces with an API key of their own: set, changed, taken away, refused."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from core.errors import (
    KeyRefused,
    OwnKeyRefused,
    ProjectNotAllowed,
    RateLimited,
    SealAway,
    SealMissing,
    Unavailable,
    Unreachable,
)
from core.model import (
    NO_KEY,
    AuthorId,
    ChannelKey,
    LaneId,
    Outcome,
    Project,
    ProjectId,
    State,
    ThreadKey,
    WorkspaceId,
)
from core.services.accounting import KeyMissing, ProjectsUnseen, Wanted
from core.services.allowances import Allowances
from core.services.reviewing import Reviewing
from core.services.terms import Terms
from tests.fixtures.world import ANA, CHAT, LANE, SHOP, TEAM, World, channel

MEDIA, SECRET = ProjectId("media-demo-4p9x1"), ProjectId("secret-demo-1a2b3")
HERE, THERE = ChannelKey(CHAT, TEAM), ChannelKey(CHAT, WorkspaceId("there"))
OURS, THEIRS = "key-of-ours-a1b2", "key-of-theirs-c3d4"


def lane_of(key: str) -> LaneId:
    return LaneId(f"lane of {key}")


def known(world: World) -> World:
    """Have MicroVisualizer know two organisations' keys, beside the installation's."""
    world.keys.own = [Project(SHOP, "Shop")]
    world.keys.known = {
        OURS: [Project(SHOP, "Shop"), Project(MEDIA, "Media")],
        THEIRS: [Project(SECRET, "Secret")],
    }
    return world


@pytest.fixture
def world() -> World:
    return known(World())


@pytest.fixture
def keyless() -> World:
    """An installation without an API key."""
    return known(World(default=None, lane=NO_KEY))


async def lanes(world: World) -> list[LaneId]:
    claimed = await world.store(lambda uow: uow.deliveries.claim(world.clock.now(), world.leases.end(), 8, 9))
    return [one.lane for one in claimed]


async def test_a_workspace_asks_under_its_own_key_and_another_under_the_installations(world: World) -> None:
    account, released = await world.accounting.set(HERE, Wanted(OURS), ANA)
    assert (account.lane, account.ending, account.by, released) == (lane_of(OURS), "a1b2", ANA, 0)
    await world.linking.link(channel(), MEDIA, ANA)
    await world.ask("ours", thread="t1")
    await world.ask("theirs", thread="t2", workspace="there")
    await world.settle()
    under = {
        project: account for (project, _), account in zip(world.chat.asked, world.chat.under, strict=True)
    }
    assert under == {MEDIA: account, SHOP: None}


async def test_the_installations_default_project_is_none_of_another_keys(world: World) -> None:
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    assert await world.ask("which?") is Outcome.UNLINKED
    await world.settle()
    assert world.notices == ["not_linked"]
    assert (await world.linking.status(channel())).project is None
    assert await world.asking.project_of(ThreadKey(CHAT, TEAM, "other", "t")) is None


async def test_a_key_is_given_once_and_kept_when_only_the_rest_is_changed(world: World) -> None:
    with pytest.raises(KeyMissing):
        await world.accounting.set(HERE, Wanted(projects=(SHOP,)), ANA)
    first, _ = await world.accounting.set(HERE, Wanted(OURS), ANA)
    later, _ = await world.accounting.set(HERE, Wanted(projects=(MEDIA,), person=3), AuthorId("carl"))
    assert later == replace(first, projects=(MEDIA,), person=3, by=AuthorId("carl"))
    assert await world.accounting.get(HERE) == later
    assert await world.accounting.get(THERE) is None
    assert await world.accounting.under_ours(CHAT, [TEAM, THERE.workspace]) == {THERE.workspace}


async def test_of_a_short_key_nothing_is_told(world: World) -> None:
    world.keys.known["short"] = []
    account, _ = await world.accounting.set(HERE, Wanted("short"), ANA)
    assert account.ending == ""


async def test_an_unknown_key_is_refused(world: World) -> None:
    with pytest.raises(KeyRefused):
        await world.accounting.set(HERE, Wanted("unknown"), ANA)
    assert await world.accounting.get(HERE) is None


@pytest.mark.parametrize("error", [Unreachable(), RateLimited(), KeyRefused()])
async def test_what_does_not_prove_good_changes_nothing(world: World, error: Exception) -> None:
    before, _ = await world.accounting.set(HERE, Wanted(OURS), ANA)
    world.keys.error = error  # type: ignore[assignment]  # one of ours
    with pytest.raises(type(error)):
        await world.accounting.set(HERE, Wanted(THEIRS), ANA)
    assert await world.accounting.get(HERE) == before


async def test_projects_that_the_key_does_not_see_are_named(world: World) -> None:
    with pytest.raises(ProjectsUnseen) as told:
        await world.accounting.set(HERE, Wanted(OURS, projects=(SHOP, SECRET)), ANA)
    assert told.value.projects == [SECRET]
    assert await world.accounting.get(HERE) is None


async def test_without_a_seal_no_key_is_taken(world: World) -> None:
    world.keys.can_seal = False
    assert not world.accounting.can_keep
    with pytest.raises(SealMissing):
        await world.accounting.set(HERE, Wanted(OURS), ANA)


async def test_setting_a_key_moves_what_is_to_be_asked_there_and_nothing_elsewhere(
    world: World,
) -> None:
    await world.ask("ours", thread="t1")
    await world.ask("behind", thread="t1")
    await world.ask("theirs", thread="t2", workspace="there")
    woken = world.woken
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    assert world.woken > woken
    assert sorted(await lanes(world)) == [LANE, lane_of(OURS)]
    assert await world.accounting.remove(HERE)
    assert not await world.accounting.remove(HERE)


async def test_a_key_that_is_taken_away_leaves_the_workspace_with_the_installations(world: World) -> None:
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    await world.linking.link(channel(), SHOP, ANA)
    await world.ask("under which?", thread="t1")
    assert await world.accounting.remove(HERE)
    await world.settle()
    assert world.chat.under == [None]
    assert world.posted == ["Answer to: under which?"]


async def test_a_pause_of_one_key_holds_up_no_other(world: World) -> None:
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    await world.linking.link(channel(), MEDIA, ANA)
    world.chat.script = [RateLimited(timedelta(hours=1))]
    await world.ask("paused", thread="t1")
    await world.settle()
    await world.ask("theirs", thread="t2", workspace="there")
    await world.ask("ours too", thread="t3")
    await world.settle()
    assert world.posted == ["Answer to: theirs"]
    await world.later(3_601)
    assert sorted(world.posted) == ["Answer to: ours too", "Answer to: paused", "Answer to: theirs"]


async def test_another_key_ends_the_wait_for_one_that_is_paused(world: World) -> None:
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    await world.linking.link(channel(), MEDIA, ANA)
    world.chat.script = [RateLimited(timedelta(hours=1))]
    await world.ask("who?")
    await world.settle()
    world.keys.known["another-key-e5f6"] = [Project(MEDIA, "Media")]
    await world.accounting.set(HERE, Wanted("another-key-e5f6"), ANA)
    await world.settle()
    assert world.posted == ["Answer to: who?"]


async def test_a_call_under_way_that_is_turned_away_goes_on_under_the_key_that_was_set_meanwhile(
    world: World,
) -> None:
    world.chat.hold = asyncio.Event()
    world.chat.script = [RateLimited(timedelta(hours=1))]
    await world.ask("who?")
    await world.delivering.take_due()
    await world.chat.reached.wait()
    account, _ = await world.accounting.set(HERE, Wanted(OURS), ANA)
    world.chat.hold.set()
    await world.settle()
    assert world.chat.under == [None, account]
    assert world.posted == ["Answer to: who?"]


async def test_what_was_claimed_under_a_key_that_is_gone_is_asked_under_the_one_that_counts(
    world: World,
) -> None:
    """Another process may have accepted it by what it knew a moment ago."""
    await world.ask("who?")
    account, _ = await world.accounting.set(HERE, Wanted(OURS), ANA)
    await world.store(lambda uow: uow.deliveries.move(LANE, world.clock.now(), HERE))
    await world.settle()
    assert world.chat.under == [account]


async def test_askers_of_a_refused_key_are_told_that_it_is_their_own(world: World) -> None:
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    await world.linking.link(channel(), MEDIA, ANA)
    world.chat.script = [OwnKeyRefused(), KeyRefused()]
    await world.ask("ours", thread="t1")
    await world.settle()
    await world.ask("theirs", thread="t2", workspace="there")
    await world.settle()
    assert world.notices == ["own_key_refused", "key_refused"]


async def test_an_outage_under_one_key_is_none_under_another(world: World) -> None:
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    await world.linking.link(channel(), MEDIA, ANA)
    world.chat.script = [Unavailable()] * 5
    for number in range(5):
        await world.ask(f"ours {number}", thread=f"t{number}")
    await world.settle()
    await world.ask("theirs", thread="t", workspace="there")
    await world.settle()
    assert "Answer to: theirs" in world.posted
    closed = (await world.store(lambda uow: uow.deliveries.tally(world.clock.now()))).lanes
    assert list(closed) == [lane_of(OURS)]


async def test_only_projects_on_the_list_can_be_linked_and_chosen(world: World) -> None:
    await world.accounting.set(HERE, Wanted(OURS, projects=(MEDIA,)), ANA)
    with pytest.raises(ProjectNotAllowed):
        await world.linking.link(channel(), SHOP, ANA)
    assert await world.linking.all(CHAT) == []
    assert await world.accounting.projects(HERE, "") == [Project(MEDIA, "Media")]
    assert await world.accounting.projects(THERE, "") == [Project(SHOP, "Shop")]
    await world.linking.link(channel(), MEDIA, ANA)
    await world.ask("named", thread="t1", project=SHOP)
    await world.ask("linked", thread="t2")
    await world.settle()
    assert world.notices == ["not_allowed"]
    assert world.posted == ["Answer to: linked"]
    assert await world.states() == [State.DONE, State.DONE]


async def test_a_link_and_a_thread_from_before_the_list_was_narrowed_answer_no_longer(world: World) -> None:
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    await world.linking.link(channel(), SHOP, ANA)
    await world.ask("before", thread="t1")
    await world.settle()
    await world.ask("in line", thread="t2")
    await world.accounting.set(HERE, Wanted(projects=(MEDIA,)), ANA)
    await world.ask("go on", thread="t1")
    await world.ask("afresh", thread="t3")
    await world.settle()
    assert world.posted == ["Answer to: before"]
    assert world.notices == ["not_allowed"] * 3
    assert len(world.chat.asked) == 1


async def test_own_allowances_count_where_they_are_smaller(world: World) -> None:
    await world.accounting.set(HERE, Wanted(OURS, person=1, channel=10_000, waiting=7), ANA)
    terms = await world.accounting.terms(HERE)
    assert terms.allowances == Allowances(person=1, channel=600, waiting=7)
    await world.linking.link(channel(), MEDIA, ANA)
    for number in range(2):
        await world.ask(f"q{number}", thread=f"t{number}")
        await world.ask(f"theirs {number}", thread=f"t{number}", workspace="there")
    await world.settle()
    assert world.notices == ["person_spent"]
    assert len(world.posted) == 3


async def test_without_any_key_a_question_waits_for_one_and_is_then_answered(keyless: World) -> None:
    world = keyless
    await world.linking.link(channel(), MEDIA, ANA)
    assert not (await world.linking.status(channel())).has_key
    assert await world.ask("who?", thread="t1") is Outcome.UNLINKED
    assert await world.ask("and who else?", thread="t1") is Outcome.UNLINKED
    await world.settle()
    assert world.notices == ["no_key"]
    _, released = await world.accounting.set(HERE, Wanted(OURS), ANA)
    assert released == 2
    await world.settle()
    assert world.posted == ["Answer to: who?", "Answer to: and who else?"]
    assert await world.accounting.projects(THERE, "") == ()


async def test_where_a_project_is_missing_too_that_is_told_once_there_is_a_key(keyless: World) -> None:
    world = keyless
    await world.ask("who?")
    await world.settle()
    assert (await world.accounting.set(HERE, Wanted(OURS), ANA))[1] == 0
    await world.settle()
    assert world.notices == ["no_key", "not_linked"]
    await world.ask("held while told", thread="t2")
    await world.linking.link(channel(), MEDIA, ANA)
    await world.settle()
    assert sorted(world.posted) == ["Answer to: held while told", "Answer to: who?"]


async def test_a_key_that_comes_while_its_lack_is_told_does_not_undo_the_telling(keyless: World) -> None:
    world = keyless
    world.poster.hold = asyncio.Event()
    await world.ask("who?")
    await world.delivering.take_due()
    await world.poster.reached.wait()
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    world.poster.hold.set()
    await world.settle()
    await world.linking.link(channel(), MEDIA, ANA)
    await world.settle()
    assert world.notices == ["no_key"]
    assert world.posted == ["Answer to: who?"]


async def test_a_thread_that_began_without_a_key_keeps_the_project_it_began_with(keyless: World) -> None:
    world = keyless
    await world.linking.link(channel(), MEDIA, ANA)
    await world.ask("who?")
    await world.linking.link(channel(), SHOP, ANA)
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    await world.settle()
    assert [project for project, _ in world.chat.asked] == [MEDIA]


async def test_nobody_sets_a_key_in_time_and_that_is_told(keyless: World) -> None:
    world = keyless
    await world.ask("who?")
    await world.settle()
    await world.later(24 * 3600 + 1)
    assert world.notices == ["no_key", "no_key_in_time"]
    assert await world.states() == [State.BURIED]


async def test_what_is_deleted_before_it_is_asked_is_not_told_that_a_key_is_missing(keyless: World) -> None:
    world = keyless
    question = world.question("gone")
    await world.amending.deleted(question.thread.linked_at, question.message, question)
    await world.settle()
    assert world.notices == []
    assert await world.states() == [State.CANCELLED]


async def test_where_no_key_is_left_what_waits_is_told_so_and_can_be_tried_again(keyless: World) -> None:
    world = keyless
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    await world.linking.link(channel(), MEDIA, ANA)
    await world.ask("who?", thread="t1")
    await world.ask("behind it", thread="t1")
    assert await world.accounting.remove(HERE)
    await world.settle()
    assert world.notices == ["key_removed", "key_removed"]
    assert world.chat.asked == []
    account, _ = await world.accounting.set(HERE, Wanted(OURS), ANA)
    reviewing = Reviewing(world.store, world.clock, Terms(NO_KEY), wake=lambda: None)
    await reviewing.post_again(world.id(1))
    await world.settle()
    assert world.chat.under == [account]


async def test_at_a_start_who_has_a_key_of_their_own_is_left_under_it(world: World) -> None:
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    await world.linking.link(channel(), MEDIA, ANA)
    await world.ask("ours", thread="t1")
    await world.ask("theirs", thread="t2", workspace="there")
    await world.linking.begin(CHAT)
    assert sorted(await lanes(world)) == [LANE, lane_of(OURS)]


async def test_what_is_asked_under_a_key_that_cannot_be_opened_waits_and_is_answered_once_it_can(
    world: World,
) -> None:
    await world.accounting.set(HERE, Wanted(OURS), ANA)
    await world.linking.link(channel(), MEDIA, ANA)
    world.chat.script = [SealAway()] * 60
    await world.ask("who?")
    await world.ask("theirs", thread="t2", workspace="there")
    for _ in range(65):  # longer than anything is tried that fails
        await world.later(61)
    assert world.notices == []
    assert "Answer to: who?" in world.posted
