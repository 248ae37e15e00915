"""Stories of linking channels and workspaces to projects."""

import asyncio
from dataclasses import replace

from core.errors import BrokenAnswer
from core.model import (
    ChannelKey,
    EventId,
    LaneId,
    MessageId,
    Platform,
    ProjectId,
    State,
    ThreadKey,
    WorkspaceId,
)
from core.ports import UnitOfWork
from core.services.linking import Linking, release
from core.services.terms import Terms
from tests.fixtures.world import ANA, CHAT, LANE, SHOP, TEAM, World, channel

MEDIA = ProjectId("media-demo-4p9x1")
WORKSPACE = ChannelKey(CHAT, TEAM)


async def test_a_channels_link_goes_before_its_workspaces_and_that_before_the_default(world: World) -> None:
    other = ProjectId("other-demo-1a2b3")
    assert (await world.linking.status(channel())).project == SHOP
    await world.linking.link(WORKSPACE, other, ANA)
    assert (await world.linking.status(channel())).project == other
    await world.linking.link(channel(), MEDIA, ANA)
    status = await world.linking.status(channel())
    assert status.project == MEDIA
    assert status.workspace is not None
    assert status.workspace.project == other
    assert [link.project for link in await world.linking.all(CHAT)] == [other, MEDIA]
    assert (await world.linking.status(WORKSPACE)).channel is None


async def test_what_somebody_else_has_released_meanwhile_is_not_released_again(world: World) -> None:
    world.set_default(None)
    await world.ask("first")

    def twice(uow: UnitOfWork) -> list[int]:
        seen = uow.deliveries.unlinked(channel())
        return [release(uow, seen, SHOP, LANE, world.clock.now()) for _ in range(2)]

    assert await world.store(twice) == [1, 0]
    await world.settle()
    assert world.posted == ["Answer to: first"]


async def test_a_thread_keeps_the_project_it_started_with(world: World) -> None:
    await world.ask("first")
    await world.linking.link(channel(), MEDIA, ANA)
    await world.ask("second")
    await world.ask("new thread", thread="t2")
    await world.settle()
    assert [project for project, _ in world.chat.asked] == [SHOP, MEDIA, SHOP]


async def test_unlinking_takes_the_channels_own_link_away(world: World) -> None:
    await world.linking.link(channel(), MEDIA, ANA)
    assert await world.linking.unlink(channel())
    assert not await world.linking.unlink(channel())
    assert (await world.linking.status(channel())).project == SHOP


async def test_linking_the_workspace_answers_what_waits_in_any_of_its_channels() -> None:
    world = World(default=None)
    await world.ask("here", place="one")
    await world.ask("there", place="two", thread="t2")
    await world.settle()
    assert await world.linking.link(WORKSPACE, SHOP, ANA) == 2
    await world.settle()
    assert world.posted == ["Answer to: here", "Answer to: there"]


async def test_a_link_with_nothing_waiting_wakes_nobody(world: World) -> None:
    assert await world.linking.link(channel(), MEDIA, ANA) == 0
    assert world.woken == 0


async def test_a_link_that_comes_while_the_thread_is_being_told_is_not_undone_by_the_telling() -> None:
    world = World(default=None)
    world.poster.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    await world.poster.reached.wait()
    await world.linking.link(channel(), SHOP, ANA)
    world.poster.hold.set()
    await world.settle()
    assert world.notices == ["not_linked"]
    assert world.posted == ["Answer to: Who?"]
    assert await world.states() == [State.DONE]


async def test_failures_to_tell_that_there_is_no_link_do_not_count_against_the_question() -> None:
    world = World(default=None)
    world.poster.script = [BrokenAnswer()] * 8
    await world.ask("Who?")
    await world.settle()
    while world.poster.script:
        await world.later(300)
    await world.linking.link(channel(), SHOP, ANA)
    await world.settle()
    assert (world.posted, world.notices) == (["Answer to: Who?"], [])


async def test_at_a_start_a_new_default_releases_what_waited_and_a_new_key_takes_over_the_queue() -> None:
    world = World(default=None)
    await world.ask("no project yet", thread="t1")
    await world.linking.link(channel("other"), MEDIA, ANA)
    await world.settle()
    later = LaneId("another key")
    linking = Linking(world.store, world.clock, Terms(later), wake=lambda: None)
    await world.ask("asked under the old key", thread="t2", place="other")
    assert await linking.begin(CHAT) == 0
    moved = await world.store(lambda uow: uow.deliveries.claim(world.clock.now(), world.leases.end(), 8, 9))
    assert [one.lane for one in moved] == [later]
    linking = Linking(world.store, world.clock, Terms(later, SHOP), wake=lambda: None)
    assert await linking.begin(CHAT) == 1
    await world.settle()
    assert world.posted == ["Answer to: no project yet"]


async def test_at_a_start_what_waits_is_released_in_every_workspace_that_has_a_project_by_now() -> None:
    world = World(default=None)
    far = WorkspaceId("far")
    await world.ask("near")
    there = replace(
        world.question("far"),
        event=EventId("far"),
        message=MessageId("far"),
        thread=ThreadKey(CHAT, far, "general", "t1"),
    )
    await world.asking.accept(there)
    await world.settle()
    linking = Linking(world.store, world.clock, Terms(LaneId("key"), SHOP), wake=lambda: None)
    assert await linking.begin(Platform("other")) == 0
    assert await linking.begin(CHAT) == 2
    assert await linking.begin(CHAT) == 0
    await world.settle()
    assert sorted(world.posted) == ["Answer to: far", "Answer to: near"]


async def test_a_link_says_whether_its_channel_answers_all_until_it_is_set_again(world: World) -> None:
    await world.linking.link(channel(), MEDIA, ANA, answers_all=True)
    (link,) = await world.linking.all(CHAT)
    assert link.answers_all
    assert (await world.linking.status(channel())).channel == link
    await world.linking.link(channel(), MEDIA, ANA)
    assert [one.answers_all for one in await world.linking.all(CHAT)] == [False]
