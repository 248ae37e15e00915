"""The simulated Slack's Socket Mode, joined by Bolt's real handler and by bare sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.demo.slack import SlackServer, SlackWorkspace, Transport
from core.clock import SystemClock
from core.testing import SettableClock


class BoltStage:
    """A Bolt app connected through a socket, and what it was told."""

    def __init__(self, workspace: SlackWorkspace, server: SlackServer) -> None:
        self.workspace = workspace
        self.server = server
        self.events: list[dict[str, Any]] = []
        self.failures = 0
        self.ana = workspace.add_user("ana")
        self.general = workspace.add_channel("general")

        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None,
                team_id=workspace.team,
                bot_id=workspace.bot_id,
                bot_user_id=workspace.bot_user,
                bot_token=workspace.bot_token,
            )

        async def remember(body: dict[str, Any]) -> None:
            self.events.append(body)
            if self.failures:
                self.failures -= 1
                raise RuntimeError("not now")

        client = AsyncWebClient(base_url=server.api_url, retry_handlers=[])
        self.app = AsyncApp(client=client, authorize=authorize, process_before_response=True)
        self.handler = AsyncSocketModeHandler(self.app, workspace.app_token, web_client=client)
        self.app.event("app_mention")(remember)
        self.app.event("message")(remember)

    async def deliveries(self, number: int) -> None:
        await self.workspace.until(lambda: len(self.workspace.deliveries) >= number)


async def _bolt_stage(workspace: SlackWorkspace) -> AsyncIterator[BoltStage]:
    server = SlackServer(workspace)
    await server.start()
    stage = BoltStage(workspace, server)
    await stage.handler.connect_async()
    await workspace.until(lambda: server.socket_connections == 1)
    yield stage
    await stage.handler.close_async()
    await server.stop()


@pytest.fixture
async def stage() -> AsyncIterator[BoltStage]:
    async for made in _bolt_stage(SlackWorkspace(SystemClock())):
        yield made


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
async def slow(clock: SettableClock) -> AsyncIterator[BoltStage]:
    """The same stage on a clock that stands still."""
    async for made in _bolt_stage(SlackWorkspace(clock)):
        yield made


async def test_events_arrive_through_the_socket_and_are_acknowledged(stage: BoltStage) -> None:
    await stage.workspace.say(stage.ana, stage.general, "<@U0BOT0001> hello")
    await stage.deliveries(2)
    assert {body["event"]["type"] for body in stage.events} == {"app_mention", "message"}
    assert [(d.transport, d.acked) for d in stage.workspace.deliveries] == [(Transport.SOCKET, True)] * 2


async def test_sockets_win_over_the_events_url(stage: BoltStage) -> None:
    stage.server.send_events_to("http://127.0.0.1:9/slack/events")
    await stage.workspace.say(stage.ana, stage.general, "hello")
    await stage.deliveries(1)
    assert stage.workspace.deliveries[0].transport is Transport.SOCKET


async def test_commands_and_clicks_travel_the_same_way(stage: BoltStage) -> None:
    @stage.app.command("/threadline")
    async def link(ack: Any) -> None:
        await ack(text="linked")

    @stage.app.action("thumbs")
    async def thumbs(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="thank you")

    command = await stage.workspace.command(stage.ana, stage.general, "/threadline", "link shop")
    assert (command.status, command.text) == (200, "linked")
    ts = await stage.workspace.say(stage.ana, stage.general, "an answer")
    click = await stage.workspace.click(stage.ana, stage.general, ts, action_id="thumbs", value="up")
    assert click.text == "thank you"


async def test_an_unacknowledged_event_comes_again_with_its_number(
    slow: BoltStage, clock: SettableClock
) -> None:
    slow.failures = 1
    numbers: list[tuple[int | None, str | None]] = []

    async def note(_client: Any, request: Any) -> None:
        numbers.append((request.retry_attempt, request.retry_reason))

    slow.handler.client.socket_mode_request_listeners.insert(0, note)
    failed = asyncio.Event()

    @slow.app.error
    async def swallow() -> None:
        failed.set()

    await slow.workspace.say(slow.ana, slow.general, "hello")
    await failed.wait()
    clock.advance(3)
    await slow.deliveries(2)
    first, second = slow.workspace.deliveries
    assert (first.failure, first.status, second.retry_reason, second.acked) == (
        "timeout",
        None,
        "timeout",
        True,
    )
    assert numbers == [(0, ""), (1, "timeout")]
    assert [body["event_id"] for body in slow.events] == [first.event_id] * 2


async def test_an_app_told_to_refresh_connects_again_and_goes_on(stage: BoltStage) -> None:
    await stage.workspace.disconnect_sockets(reason="refresh_requested")
    opened = "apps.connections.open"
    calls = stage.workspace.calls
    await stage.workspace.until(lambda: sum(call.method == opened for call in calls) == 2)
    await stage.workspace.until(lambda: stage.server.unwarned_connections == 1)
    await stage.workspace.say(stage.ana, stage.general, "still there?")
    await stage.workspace.until(lambda: any(d.acked for d in stage.workspace.deliveries))
    assert stage.events[-1]["event"]["text"] == "still there?"


class Bare:
    """Bare sockets of an app that does what a test tells it."""

    def __init__(
        self, workspace: SlackWorkspace, server: SlackServer, session: aiohttp.ClientSession
    ) -> None:
        self.workspace = workspace
        self.server = server
        self.session = session
        self.client = AsyncWebClient(base_url=server.api_url, session=session, retry_handlers=[])
        self.ana = workspace.add_user("ana")
        self.general = workspace.add_channel("general")

    async def url(self) -> str:
        answer = await self.client.apps_connections_open(app_token=self.workspace.app_token)
        return str(answer["url"])

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        socket = await self.session.ws_connect(await self.url())
        hello = await socket.receive_json()
        assert hello["type"] == "hello"
        assert hello["connection_info"] == {"app_id": self.workspace.app_id}
        return socket


@pytest.fixture
async def bare(clock: SettableClock) -> AsyncIterator[Bare]:
    workspace = SlackWorkspace(clock)
    server = SlackServer(workspace)
    await server.start()
    async with aiohttp.ClientSession() as session:
        yield Bare(workspace, server, session)
        await server.stop()


async def test_a_ticket_opens_one_connection_and_only_the_app_token_buys_one(bare: Bare) -> None:
    url = await bare.url()
    async with bare.session.ws_connect(url):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await bare.session.ws_connect(url)
    with pytest.raises(SlackApiError) as caught:
        await bare.client.apps_connections_open(app_token="xoxb-demo")
    assert caught.value.response["error"] == "not_allowed_token_type"


async def test_an_envelope_goes_to_one_connection_and_they_take_turns(bare: Bare) -> None:
    sockets = [await bare.connect() for _ in range(2)]
    seen: list[int] = []
    for text in ("one", "two"):
        await bare.workspace.say(bare.ana, bare.general, text)
        receiving = {asyncio.create_task(socket.receive_json()): n for n, socket in enumerate(sockets)}
        done, waiting = await asyncio.wait(receiving, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        (taken,) = done
        seen.append(receiving[taken])
        envelope = taken.result()
        assert (envelope["type"], envelope["accepts_response_payload"]) == ("events_api", False)
        await sockets[seen[-1]].send_bytes(b"not for Slack")
        await sockets[seen[-1]].send_json({"envelope_id": "unknown"})
        await sockets[seen[-1]].send_json({"envelope_id": envelope["envelope_id"]})
    await bare.workspace.until(lambda: len(bare.workspace.deliveries) == 2)
    assert sorted(seen) == [0, 1]


async def test_a_payload_lost_with_its_connection_goes_to_another(bare: Bare) -> None:
    first = await bare.connect()
    await bare.workspace.say(bare.ana, bare.general, "hello")
    lost = await first.receive_json()
    second = await bare.connect()
    await first.close()
    again = await second.receive_json()
    assert again["payload"] == lost["payload"]
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "connection_failed")


async def test_an_event_without_any_connection_waits_for_the_next_retry(
    bare: Bare, clock: SettableClock
) -> None:
    await bare.url()
    await bare.workspace.say(bare.ana, bare.general, "anyone?")
    await bare.workspace.until(lambda: len(bare.workspace.deliveries) == 2)
    assert {d.transport for d in bare.workspace.deliveries} == {Transport.NONE}
    socket = await bare.connect()
    clock.advance(60)
    assert (await socket.receive_json())["retry_attempt"] == 2


async def test_a_connection_that_ignores_its_warning_is_closed_ten_seconds_later(
    bare: Bare, clock: SettableClock
) -> None:
    socket = await bare.connect()
    await bare.workspace.disconnect_sockets(reason="warning")
    assert (await socket.receive_json())["reason"] == "warning"
    await bare.workspace.say(bare.ana, bare.general, "still served")
    assert (await socket.receive_json())["type"] == "events_api"
    clock.advance(10)
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    await bare.workspace.until(lambda: bare.server.socket_connections == 0)


async def test_pings_are_answered(bare: Bare) -> None:
    socket = await bare.session.ws_connect(await bare.url(), autoping=False)
    await socket.receive_json()
    await socket.ping(b"are you there?")
    pong = await socket.receive()
    assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"are you there?")


async def test_an_eleventh_connection_is_turned_away(bare: Bare) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(10):
            socket = await bare.connect()
            stack.push_async_callback(socket.close)
        refused = await bare.session.ws_connect(await bare.url())
        assert (await refused.receive_json())["reason"] == "too_many_websockets"
        assert (await refused.receive()).type is aiohttp.WSMsgType.CLOSE
        assert bare.server.socket_connections == 10


async def test_connections_can_be_cut_without_a_word(bare: Bare) -> None:
    socket = await bare.connect()
    await bare.server.cut_sockets()
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    assert bare.server.socket_connections == 0


async def test_the_server_stops_cleanly_with_an_envelope_unacknowledged(bare: Bare) -> None:
    socket = await bare.connect()
    await bare.workspace.say(bare.ana, bare.general, "hello")
    await socket.receive_json()
    await bare.workspace.disconnect_sockets()
    await bare.server.stop()
    assert bare.workspace.deliveries == []
