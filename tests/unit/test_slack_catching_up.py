"""Slack's look at what was missed is not the last one where it fails unforeseen."""

import asyncio

from bots.demo.slack import SlackServer, SlackWorkspace
from bots.slack.access import web_client
from bots.slack.amendments import Deletion, Edit
from bots.slack.catch_up import AGAIN_AFTER, CatchUp
from core.clock import SystemClock
from core.model import Outcome, Question
from tests.fixtures.alone import Alone
from tests.fixtures.world import World


async def test_a_look_that_fails_unforeseen_is_not_the_last_one() -> None:
    workspace, world = SlackWorkspace(SystemClock()), World()
    channel, ana = workspace.add_channel("general"), workspace.add_user("ana")
    server = SlackServer(workspace)
    await server.start()
    world.clock.set(SystemClock().now())
    offered: list[str] = []

    async def offer(question: Question) -> Outcome:
        offered.append(question.text)
        workspace.changes.happened()
        if len(offered) == 1:
            raise ZeroDivisionError
        return Outcome.ACCEPTED

    async def amend(_: Edit | Deletion) -> None:
        raise AssertionError

    async with web_client(workspace.bot_token, server.api_url) as client:
        there = Alone(client, world.clock)
        catch_up = CatchUp(there, world.asking, world.linking, world.clock, offer=offer, amend=amend)
        await workspace.say(ana, channel, f"<@{workspace.bot_user}> who?")
        keeping = asyncio.create_task(catch_up.keep_up())
        catch_up.want()
        await workspace.until(lambda: offered or keeping.done())
        while len(offered) < 2 and not keeping.done():
            world.clock.advance(AGAIN_AFTER)
            await asyncio.sleep(0)
        assert offered == ["who?", "who?"]
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    await server.stop()
