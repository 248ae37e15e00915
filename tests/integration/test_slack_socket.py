"""Socket Mode: the same walks over a connection that we open, and that is lost now and then."""

import asyncio

import pytest
from slack_bolt.async_app import AsyncApp

from bots.demo.slack import Refuse, SlackServer, SlackWorkspace
from bots.slack.access import web_client
from bots.slack.calls import TokenRefused
from bots.slack.sockets import Sockets
from core.clock import SystemClock
from core.testing import SettableClock
from tests.fixtures.walk import Walk


class WatchedClock(SettableClock):
    """A clock that tells when somebody sleeps by it."""

    def __init__(self) -> None:
        super().__init__()
        self._asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(super().sleep(seconds))
        await asyncio.sleep(0)
        self._asleep.set()
        await sleeping

    async def until_sleeping(self) -> None:
        await self._asleep.wait()
        self._asleep.clear()


@pytest.fixture(autouse=True)
def socketed(town: Walk) -> None:
    town.by_socket()


async def test_the_same_walk(town: Walk) -> None:
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        await town.answers(ts, 2)
        interaction = await town.workspace.command(town.ana, town.general, "/threadline", "status")
        await town.workspace.until(lambda: interaction.replies)
        await town.workspace.shortcut(town.ana, town.general, ts, callback_id="ask_about_message")
        view = await town.workspace.until(lambda: town.workspace.view(town.ana))
        values = {"question": {"question": "who owns billing?"}}
        assert (await town.workspace.submit_view(town.ana, view.id, values=values)).status == 200
        await town.answers(ts, 4)
    assert town.states() == ["done"] * 3
    assert town.slack.socket_connections == 0


async def test_a_refresh_loses_nothing(town: Walk) -> None:
    async with town.run():
        await town.workspace.disconnect_sockets()
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        await town.workspace.until(lambda: town.slack.unwarned_connections == 1)
        again = await town.mention("who owns billing?")
        await town.answers(again)
    assert len(town.assistant.journal) == 2
    assert (len(town.posted(ts)), len(town.posted(again))) == (1, 1)


async def test_a_cut_connection_is_opened_again(town: Walk) -> None:
    async with town.run():
        await town.slack.cut_sockets()
        await town.workspace.until(lambda: town.slack.socket_connections == 1)
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
    assert len(town.assistant.journal) == 1


async def test_a_token_that_slack_refuses_is_said_at_the_start(town: Walk) -> None:
    town.workspace.faults.add("apps.connections.open", Refuse("invalid_auth"))
    with pytest.raises(TokenRefused, match="SLACK_APP_TOKEN"):
        async with town.run():
            pass


async def test_a_connection_the_sdk_has_given_up_is_opened_by_the_watch(town: Walk) -> None:
    workspace, clock = SlackWorkspace(SystemClock()), WatchedClock()
    server = SlackServer(workspace)
    await server.start()
    async with web_client(workspace.bot_token, server.api_url) as client:
        app = AsyncApp(client=client, signing_secret="x", token="xoxb-demo", process_before_response=True)
        back = asyncio.Event()
        sockets = Sockets(app, client, workspace.app_token, clock, back=back.set, ours=lambda: True)
        await sockets.connect()
        await workspace.until(lambda: server.socket_connections == 1)
        await clock.until_sleeping()
        clock.advance(15)  # all is well: nothing is done
        await clock.until_sleeping()
        sockets._bolt.client.auto_reconnect_enabled = False
        await server.cut_sockets()
        await workspace.until(lambda: server.socket_connections == 0)
        workspace.faults.add("apps.connections.open", Refuse("internal_error"))
        clock.advance(15)
        await workspace.until(lambda: len(workspace.calls) == 2)
        await clock.until_sleeping()
        clock.advance(15)
        await workspace.until(lambda: server.socket_connections == 1)
        await clock.until_sleeping()
        assert not back.is_set()
        clock.advance(15)
        await back.wait()
        await sockets.aclose()
    await server.stop()
