"""Stories of workspaces that the installation's own key does not serve."""

from datetime import datetime, timedelta

import pytest

from core.model import (
    NO_KEY,
    AuthorId,
    ChannelKey,
    Installation,
    LaneId,
    Outcome,
    Platform,
    Project,
    State,
    ThreadKey,
    WorkspaceId,
)
from core.services.accounting import Wanted
from core.services.asking import Asking, AskingRules
from core.services.linking import Linking
from core.services.rush import Rush
from core.services.terms import Terms
from core.services.trusting import Trusted
from tests.fixtures.world import ANA, CHAT, LANE, SHOP, TEAM, World, channel

STRANGERS, ORG = WorkspaceId("strangers"), "org"
THERE = ChannelKey(CHAT, STRANGERS)
OURS = Trusted(workspaces=frozenset({TEAM}), organisations=frozenset({ORG}))
THEIRS = "key-of-strangers-a1b2"


@pytest.fixture
def world() -> World:
    """An installation whose key serves its own workspace, and those of its organisation."""
    made = World(trusted=OURS)
    made.keys.own = [Project(SHOP, "Shop")]
    made.keys.known = {THEIRS: [Project(SHOP, "Shop")]}
    return made


def installed(since: datetime, organisation: str) -> Installation:
    return Installation(
        CHAT, STRANGERS, "Strangers", "B1", "U1", AuthorId("U2"), since, "sealed", organisation
    )


async def test_strangers_wait_for_a_key_of_their_own_and_the_installations_is_not_used(world: World) -> None:
    assert await world.ask("who?", workspace=STRANGERS) is Outcome.UNLINKED
    assert await world.ask("who?", thread="t2") is Outcome.ACCEPTED
    await world.settle()
    assert world.notices == ["no_key"]
    assert [project for project, _ in world.chat.asked] == [SHOP]
    await world.accounting.set(THERE, Wanted(THEIRS), ANA)
    await world.linking.link(THERE, SHOP, ANA)
    await world.settle()
    assert [under and under.workspace for under in world.chat.under] == [None, STRANGERS]


async def test_strangers_are_told_of_no_project_and_no_default(world: World) -> None:
    at = ChannelKey(CHAT, STRANGERS, "general")
    assert await world.accounting.projects(THERE, "") == ()
    assert [one.id for one in await world.accounting.projects(channel(), "")] == [SHOP]
    status = await world.linking.status(at)
    assert (status.project, status.has_key) == (None, False)
    assert await world.asking.project_of(ThreadKey(CHAT, STRANGERS, "general", "t")) is None
    assert await world.accounting.under_ours(CHAT, [TEAM, STRANGERS]) == {TEAM}
    assert await world.linking.link(at, SHOP, ANA) == 0
    assert await world.ask("who?", workspace=STRANGERS) is Outcome.UNLINKED
    await world.settle()
    assert world.chat.asked == []


async def test_where_no_key_is_set_it_serves_nobody() -> None:
    world = World(lane=NO_KEY, trusted=OURS)
    assert await world.accounting.under_ours(CHAT, [TEAM, STRANGERS]) == frozenset()


async def test_a_workspace_that_takes_its_key_away_is_a_stranger_again(world: World) -> None:
    await world.accounting.set(THERE, Wanted(THEIRS), ANA)
    await world.linking.link(THERE, SHOP, ANA)
    assert await world.ask("who?", workspace=STRANGERS) is Outcome.ACCEPTED
    assert await world.accounting.remove(THERE)
    assert await lane(world) == NO_KEY
    await world.settle()
    assert (world.notices, world.chat.asked) == (["key_removed"], [])


async def lane(world: World) -> LaneId:
    found = await world.store(lambda uow: uow.deliveries.get(world.id(1)))
    assert found is not None
    return found.lane


async def test_what_was_asked_while_it_was_trusted_is_not_asked_once_it_is_not(world: World) -> None:
    """The process that took it in knew less, as in a rolling restart; or the setting has changed."""
    trusting = Asking(
        world.store,
        world.clock,
        AskingRules(LANE, SHOP),
        new_id=lambda _: world.id(1),
        wake=lambda: None,
        cancelled=lambda _: None,
        rush=Rush(world.clock),
    )
    assert await trusting.accept(world.question("who?", workspace=STRANGERS)) is Outcome.ACCEPTED
    await world.linking.begin(CHAT)
    assert await lane(world) == NO_KEY
    await world.settle()
    assert (world.notices, world.chat.asked) == (["key_removed"], [])
    await world.reviewing.post_again(world.id(1))  # an operator's word is no key either
    assert await lane(world) == NO_KEY
    await world.settle()
    assert (world.notices, world.chat.asked) == (["key_removed", "key_removed"], [])


async def test_at_a_start_strangers_do_not_come_behind_a_pause_of_the_installations_key(world: World) -> None:
    now = world.clock.now()
    await world.accounting.set(THERE, Wanted(THEIRS), ANA)
    await world.linking.link(THERE, SHOP, ANA)
    await world.ask("who?", workspace=STRANGERS)
    await world.ask("ours", thread="t2")
    await world.accounting.remove(THERE)
    await world.store(
        lambda uow: uow.lanes.save(uow.lanes.get(LANE).pause(now, now + timedelta(hours=1), busy=1))
    )
    await world.linking.begin(CHAT)
    await world.settle()
    assert (world.notices, world.chat.asked) == (["key_removed"], [])


@pytest.mark.parametrize(
    ("organisation", "outcome"),
    [(ORG, Outcome.ACCEPTED), ("another", Outcome.UNLINKED), ("", Outcome.UNLINKED)],
)
async def test_a_workspace_of_a_trusted_organisation_is_trusted(
    world: World, organisation: str, outcome: Outcome
) -> None:
    here = installed(world.clock.now(), organisation)
    await world.store(lambda uow: uow.installations.put(here))
    assert await world.ask("who?", workspace=STRANGERS) is outcome


async def test_what_waited_is_released_at_the_start_that_trusts_its_workspace(
    world: World,
) -> None:
    assert await world.ask("who?", workspace=STRANGERS) is Outcome.UNLINKED
    assert await world.linking.begin(CHAT) == 0
    everybody = Trusted(platforms=frozenset({CHAT}))
    trusting = Linking(world.store, world.clock, Terms(LANE, SHOP, trusted=everybody), wake=lambda: None)
    assert await trusting.begin(CHAT) == 1
    assert await world.states() == [State.ACCEPTED]


async def test_trust_in_one_platform_is_none_in_another(world: World) -> None:
    elsewhere = Trusted(platforms=frozenset({Platform("elsewhere")}))
    trusted = await world.store(lambda uow: elsewhere.admits(uow, THERE))
    assert not trusted
