"""Of all that listen to Slack one process at a time looks for what was missed, by others, too."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from bots.demo.slack import SlackServer, SlackWorkspace
from bots.slack.access import web_client
from bots.slack.amendments import Deletion, Edit
from bots.slack.catch_up import AGAIN_AFTER, CatchUp
from bots.slack.keeping import CATCH_UP, Keeping
from bots.slack.workspaces import Workspaces
from core.clock import SystemClock
from core.model import HolderId, Outcome, Question
from core.services.leased_seats import LeasedSeats
from tests.fixtures.alone import Alone
from tests.fixtures.world import World


class Listener:
    """A process that listens over signed HTTP; `offered` is what its looks have found."""

    def __init__(self, name: str, there: Workspaces, story: "Story") -> None:
        self.offered: list[str] = []
        self.asked_elsewhere = 0
        self._story = story
        world = story.world
        looking = CatchUp(
            there,
            world.asking,
            world.linking,
            world.clock,
            offer=self._offer,
            amend=self._amend,
        )
        self.seats = LeasedSeats(world.transact, world.clock, HolderId(name), freed=lambda: None)
        self.keeping = Keeping(looking, self.seats, world.clock, socket=None, elsewhere=self._look_elsewhere)

    async def run(self) -> None:
        await asyncio.gather(self.seats.run(), self.keeping.run())

    async def _offer(self, question: Question) -> Outcome:
        self.offered.append(question.text)
        self._story.workspace.changes.happened()
        return Outcome.ACCEPTED

    async def _amend(self, _: Edit | Deletion) -> None:
        raise AssertionError

    def _look_elsewhere(self) -> None:
        self.asked_elsewhere += 1
        for other in self._story.listeners:
            if other is not self:
                other.keeping.look()


@dataclass
class Story:
    workspace: SlackWorkspace
    world: World
    listeners: list[Listener]

    async def later(self, seconds: int) -> None:
        for _ in range(seconds):
            self.world.clock.advance(1)
            for _ in range(20):
                await asyncio.sleep(0)

    async def until_offered(self, one: Listener, many: int) -> None:
        await self.workspace.until(lambda: len(one.offered) >= many)


@pytest_asyncio.fixture
async def story() -> AsyncIterator[Story]:
    workspace, world = SlackWorkspace(SystemClock()), World()
    server = SlackServer(workspace)
    await server.start()
    channel, ana = workspace.add_channel("general"), workspace.add_user("ana")
    world.clock.set(SystemClock().now())
    await workspace.say(ana, channel, f"<@{workspace.bot_user}> who?")
    async with web_client(workspace.bot_token, server.api_url) as client:
        there, story, tasks = Alone(client, world.clock), Story(workspace, world, []), []
        for name in ("anne", "bert"):
            story.listeners.append(Listener(name, there, story))
            tasks.append(asyncio.create_task(story.listeners[-1].run()))
            await story.later(1)
        yield story
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await server.stop()


async def test_one_looks_and_what_another_has_missed_is_passed_on_to_it(story: Story) -> None:
    anne, bert = story.listeners
    await story.until_offered(anne, 1)
    bert.keeping.missed()
    await story.later(int(AGAIN_AFTER) + 1)
    await story.until_offered(anne, 2)
    bert.keeping.back()
    await story.until_offered(anne, 3)
    assert (bert.asked_elsewhere, bert.offered, anne.asked_elsewhere) == (2, [], 0)
    anne.keeping.back()
    await story.until_offered(anne, 4)
    anne.keeping.missed()
    await story.later(int(AGAIN_AFTER) + 1)
    await story.until_offered(anne, 5)
    bert.keeping.look()
    assert bert.offered == []


async def test_who_takes_it_over_looks_from_where_the_others_have_come(story: Story) -> None:
    anne, bert = story.listeners
    await story.until_offered(anne, 1)
    await story.later(61)
    (seat,) = await story.world.transact(lambda uow: uow.seats.held(story.world.clock.now()))
    assert seat.name == CATCH_UP
    await story.world.transact(lambda uow: uow.seats.release([seat]))
    bert.seats.look()
    await story.until_offered(bert, 1)
