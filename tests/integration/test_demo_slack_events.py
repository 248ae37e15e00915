"""The simulated Slack's signed events and interactivity, received by a real Bolt app and a plain server."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.demo.slack import Hold, SlackServer, SlackWorkspace
from core.clock import SystemClock
from core.testing import SettableClock

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Listening:
    """A real server on loopback that stands where the app's Request URL is."""

    def __init__(self, respond: Respond) -> None:
        application = web.Application()
        application.router.add_post("/slack/events", respond)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.05)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/slack/events"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


class BoltStage:
    """A Bolt app that answers over signed HTTP, and what it was told."""

    def __init__(self, workspace: SlackWorkspace, server: SlackServer, app: AsyncApp) -> None:
        self.workspace = workspace
        self.server = server
        self.app = app
        self.events: list[dict[str, Any]] = []
        self.ana = workspace.add_user("ana")
        self.general = workspace.add_channel("general")

        async def remember(body: dict[str, Any]) -> None:
            self.events.append(body)

        for kind in ("app_mention", "message", "app_home_opened", "tokens_revoked", "app_uninstalled"):
            app.event(kind)(remember)

    async def settled(self, deliveries: int) -> list[dict[str, Any]]:
        """Return the events the app had, by time, once that many attempts have ended."""
        await self.workspace.until(lambda: len(self.workspace.deliveries) >= deliveries)
        assert [d for d in self.workspace.deliveries if d.status != 200] == []
        return [body["event"] for body in self.events]


@pytest.fixture
async def stage() -> AsyncIterator[BoltStage]:
    workspace = SlackWorkspace(SystemClock())
    server = SlackServer(workspace)
    await server.start()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(base_url=server.api_url, session=session, retry_handlers=[])

        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None,
                team_id=workspace.team,
                bot_id=workspace.bot_id,
                bot_user_id=workspace.bot_user,
                bot_token=workspace.bot_token,
            )

        app = AsyncApp(
            client=client,
            authorize=authorize,
            signing_secret=workspace.signing_secret,
            process_before_response=True,
        )

        async def respond(request: web.Request) -> web.Response:
            return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

        async with Listening(respond) as url:
            server.send_events_to(url)
            yield BoltStage(workspace, server, app)
            await server.stop()


async def test_a_mention_arrives_twice_under_different_event_ids(stage: BoltStage) -> None:
    ts = await stage.workspace.say(stage.ana, stage.general, "<@U0BOT0001> who calls billing?")
    events = await stage.settled(2)
    assert sorted(event["type"] for event in events) == ["app_mention", "message"]
    assert {event["ts"] for event in events} == {ts}
    assert len({body["event_id"] for body in stage.events}) == 2
    envelope = stage.events[0]
    assert (envelope["team_id"], envelope["api_app_id"]) == ("T0DEMO01", "A0APP0001")
    assert envelope["authorizations"][0]["user_id"] == "U0BOT0001"
    assert envelope["is_ext_shared_channel"] is False
    elements = events[0]["blocks"][0]["elements"][0]["elements"]
    assert elements[0] == {"type": "user", "user_id": "U0BOT0001"}


async def test_a_reply_names_its_thread_and_a_file_its_subtype(stage: BoltStage) -> None:
    root = await stage.workspace.say(stage.ana, stage.general, "hello")
    await stage.workspace.say(stage.ana, stage.general, "and this?", thread=root, files=True)
    first, second = sorted(await stage.settled(2), key=lambda event: str(event["ts"]))
    assert (first["channel_type"], "thread_ts" in first, "client_msg_id" in first) == ("channel", False, True)
    assert (second["thread_ts"], second["parent_user_id"]) == (root, stage.ana)
    assert (second["subtype"], second["files"][0]["mimetype"]) == ("file_share", "image/png")


async def test_each_kind_of_conversation_says_what_it_is(stage: BoltStage) -> None:
    secret = stage.workspace.add_channel("secret", private=True, shared=True)
    await stage.workspace.say(stage.ana, secret, "psst")
    await stage.workspace.direct_message(stage.ana, "<@U0BOT0001> hello")
    events = await stage.settled(2)
    assert sorted(event["channel_type"] for event in events) == ["group", "im"]
    assert sorted(body["is_ext_shared_channel"] for body in stage.events) == [False, True]


async def test_joins_edits_and_deletions_arrive_as_subtypes(stage: BoltStage) -> None:
    bob = stage.workspace.add_user("bob")
    await stage.workspace.join(bob, stage.general)
    ts = await stage.workspace.say(bob, stage.general, "one")
    await stage.workspace.edit(stage.general, ts, "two")
    await stage.workspace.delete(stage.general, ts)
    events = await stage.settled(4)
    found = {event.get("subtype", ""): event for event in events}
    assert set(found) == {"channel_join", "", "message_changed", "message_deleted"}
    assert found["message_changed"]["message"]["text"] == "two"
    assert found["message_changed"]["previous_message"]["text"] == "one"
    assert found["message_deleted"]["deleted_ts"] == ts


async def test_the_bots_own_posts_arrive_marked_as_its_own_and_bolt_ignores_them(stage: BoltStage) -> None:
    client = AsyncWebClient(token="xoxb-demo", base_url=stage.server.api_url, retry_handlers=[])
    await client.chat_postMessage(channel=stage.general, text="<@U0BOT0001> said so")
    await stage.settled(1)
    assert stage.events == []
    (envelope,) = stage.workspace.events.values()
    event = envelope["event"]
    assert (event["type"], event["user"], event["bot_id"]) == ("message", "U0BOT0001", "B0BOT0001")
    assert event["app_id"] == "A0APP0001"


async def test_other_bots_are_heard_with_their_own_ids(stage: BoltStage) -> None:
    robot = stage.workspace.add_user("robot", bot=True)
    await stage.workspace.say(robot, stage.general, "<@U0BOT0001> beep")
    events = await stage.settled(2)
    assert {event["user"] for event in events} == {robot}
    assert {event["bot_id"] for event in events} == {stage.workspace.users[robot].bot_id}


async def test_home_and_uninstalling_are_told(stage: BoltStage) -> None:
    await stage.workspace.open_home(stage.ana)
    await stage.workspace.uninstall()
    await stage.workspace.say(stage.ana, stage.general, "anyone?")
    events = await stage.settled(3)
    assert sorted(event["type"] for event in events) == [
        "app_home_opened",
        "app_uninstalled",
        "tokens_revoked",
    ]


async def test_the_same_event_can_arrive_several_times_at_once(stage: BoltStage) -> None:
    await stage.workspace.say(stage.ana, stage.general, "hello")
    await stage.settled(1)
    (event_id,) = stage.workspace.events
    repeated = await stage.workspace.repeat_event(event_id, times=3)
    assert [(d.event_id, d.retry_num, d.acked) for d in repeated] == [(event_id, 1, True)] * 3
    assert [body["event_id"] for body in stage.events] == [event_id] * 4


async def test_a_request_url_is_verified_by_its_echo(stage: BoltStage) -> None:
    assert await stage.server.verify_url()


async def test_a_command_is_answered_by_its_acknowledgement(stage: BoltStage) -> None:
    @stage.app.command("/threadline")
    async def link(ack: Any, body: dict[str, Any]) -> None:
        await ack(text=f"linked: {body['text']} in {body['channel_name']}")

    result = await stage.workspace.command(stage.ana, stage.general, "/threadline", "link shop")
    assert (result.status, result.text) == (200, "linked: link shop in general")
    assert [note.text for note in stage.workspace.ephemerals(stage.ana)] == ["linked: link shop in general"]


async def test_a_command_nobody_listens_to_is_a_404(stage: BoltStage) -> None:
    result = await stage.workspace.command(stage.ana, stage.general, "/other")
    assert (result.status, result.text) == (404, "")


async def test_a_response_url_serves_five_times_and_then_no_more(stage: BoltStage) -> None:
    urls: list[str] = []

    @stage.app.command("/threadline")
    async def link(ack: Any, respond: Any, body: dict[str, Any]) -> None:
        await ack()
        await respond(text="for you")
        await respond(text="for all", response_type="in_channel")
        urls.append(body["response_url"])

    result = await stage.workspace.command(stage.ana, stage.general, "/threadline", "")
    assert [(reply.text, reply.in_channel) for reply in result.replies] == [
        ("for you", False),
        ("for all", True),
    ]
    assert [message.text for message in stage.workspace.roots(stage.general)] == ["for all"]
    answers = [await AsyncWebhookClient(urls[0]).send(text="more") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 404]
    assert json.loads(answers[-1].body)["error"] == "used_url"


async def test_a_response_url_refuses_nonsense_and_strangers(stage: BoltStage) -> None:
    urls: list[str] = []

    @stage.app.command("/threadline")
    async def link(ack: Any, body: dict[str, Any]) -> None:
        urls.append(body["response_url"])
        await ack()

    await stage.workspace.command(stage.ana, stage.general, "/threadline")
    assert (await AsyncWebhookClient(urls[0]).send(text="")).body == "no_text"
    bad = await AsyncWebhookClient(urls[0]).send(text="x", blocks=[{"type": "wall"}])
    assert (bad.status_code, bad.body) == (400, "invalid_blocks")
    stranger = await AsyncWebhookClient(urls[0] + "X").send(text="x")
    assert json.loads(stranger.body)["error"] == "invalid_url"


def modal(text: str = "Why?") -> dict[str, Any]:
    """A modal with one field."""
    label = {"type": "plain_text", "text": text}
    field = {
        "type": "input",
        "block_id": "why",
        "label": label,
        "element": {"type": "plain_text_input", "action_id": "reason"},
    }
    title = {"type": "plain_text", "text": "Feedback"}
    return {"type": "modal", "callback_id": "feedback", "title": title, "submit": title, "blocks": [field]}


async def test_a_shortcut_opens_a_modal_whose_submission_comes_back(stage: BoltStage) -> None:
    submitted: list[dict[str, Any]] = []

    @stage.app.shortcut("ask_about_message")
    async def ask(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        assert body["message"]["text"] == "orders calls billing"
        opened = await client.views_open(trigger_id=body["trigger_id"], view=modal())
        await client.views_update(view_id=opened["view"]["id"], view=modal("Really?"))

    @stage.app.view("feedback")
    async def take(ack: Any, view: dict[str, Any]) -> None:
        submitted.append(view["state"]["values"])
        if len(submitted) == 1:
            await ack(response_action="errors", errors={"why": "say more"})
        else:
            await ack()

    ts = await stage.workspace.say(stage.ana, stage.general, "orders calls billing")
    result = await stage.workspace.shortcut(stage.ana, stage.general, ts, callback_id="ask_about_message")
    assert result.status == 200
    view = await stage.workspace.until(lambda: stage.workspace.view(stage.ana))
    assert view.body["blocks"][0]["label"]["text"] == "Really?"
    first = await stage.workspace.submit_view(stage.ana, view.id, values={"why": {"reason": "no"}})
    assert first.body["errors"] == {"why": "say more"}
    assert stage.workspace.view(stage.ana) is not None
    await stage.workspace.submit_view(stage.ana, view.id, values={"why": {"reason": "because"}})
    assert submitted[-1] == {"why": {"reason": {"type": "plain_text_input", "value": "because"}}}
    assert stage.workspace.view(stage.ana) is None


async def test_a_click_arrives_with_its_message(stage: BoltStage) -> None:
    clicked: list[str] = []

    @stage.app.action("thumbs")
    async def thumbs(ack: Any, body: dict[str, Any]) -> None:
        clicked.append(f"{body['actions'][0]['value']} on {body['message']['text']}")
        await ack()

    root = await stage.workspace.say(stage.ana, stage.general, "a question")
    ts = await stage.workspace.say(stage.ana, stage.general, "an answer", thread=root)
    await stage.workspace.click(stage.ana, stage.general, ts, action_id="thumbs", value="up")
    await stage.workspace.click(stage.ana, stage.general, root, action_id="thumbs", value="down")
    assert clicked == ["up on an answer", "down on a question"]


class PlainStage:
    """A plain server that answers events by a script, on a settable clock."""

    def __init__(self, server: SlackServer, workspace: SlackWorkspace, clock: SettableClock) -> None:
        self.server = server
        self.workspace = workspace
        self.clock = clock
        self.client = AsyncWebClient(token="xoxb-demo", retry_handlers=[])
        self.ana = workspace.add_user("ana")
        self.general = workspace.add_channel("general")
        self.script: list[web.Response | Hold | str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[str] = []

    async def respond(self, request: web.Request) -> web.Response:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.bodies.append(await request.text())
        answer = self.script.pop(0) if self.script else web.Response()
        if isinstance(answer, Hold):
            await answer.wait()
            return web.Response()
        if isinstance(answer, str):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer

    async def attempts(self, number: int) -> list[tuple[int, str, int | None, str]]:
        """Return how each attempt went, once that many have ended."""
        journal = self.workspace.deliveries
        await self.workspace.until(lambda: len(journal) >= number)
        return [(d.retry_num, d.retry_reason, d.status, d.failure) for d in journal]


@pytest.fixture
async def plain() -> AsyncIterator[PlainStage]:
    clock = SettableClock(datetime(2026, 11, 24, tzinfo=UTC))
    workspace = SlackWorkspace(clock)
    server = SlackServer(workspace)
    stage = PlainStage(server, workspace, clock)
    async with Listening(stage.respond) as url:
        server.send_events_to(url)
        await server.start()
        stage.client.base_url = server.api_url
        yield stage
        await server.stop()


async def test_a_refused_event_is_retried_at_once_after_a_minute_and_after_five(plain: PlainStage) -> None:
    plain.script = [web.Response(status=500) for _ in range(4)]
    await plain.workspace.say(plain.ana, plain.general, "hello")
    assert await plain.attempts(2) == [(0, "", 500, "http_error"), (1, "http_error", 500, "http_error")]
    plain.clock.advance(59)
    assert len(plain.bodies) == 2
    plain.clock.advance(1)
    await plain.attempts(3)
    plain.clock.advance(300)
    await plain.attempts(4)
    nums = [headers.get("x-slack-retry-num") for headers in plain.headers]
    assert nums == [None, "1", "2", "3"]
    assert plain.headers[3]["x-slack-retry-reason"] == "http_error"
    assert len(set(plain.bodies)) == 1
    times = [(d.at - plain.workspace.deliveries[0].at).total_seconds() for d in plain.workspace.deliveries]
    assert times == [0, 0, 60, 360]


async def test_an_event_not_answered_in_three_seconds_is_retried(plain: PlainStage) -> None:
    hold = Hold()
    plain.script = [hold]
    await plain.workspace.say(plain.ana, plain.general, "hello")
    await hold.held.wait()
    plain.clock.advance(3)
    assert await plain.attempts(2) == [(0, "", None, "http_timeout"), (1, "http_timeout", 200, "")]
    first, second = plain.workspace.deliveries
    assert (first.acked, second.acked_after) == (False, 0.0)


async def test_a_cut_connection_is_retried(plain: PlainStage) -> None:
    plain.script = ["cut"]
    await plain.workspace.say(plain.ana, plain.general, "hello")
    assert await plain.attempts(2) == [
        (0, "", None, "connection_failed"),
        (1, "connection_failed", 200, ""),
    ]


async def test_an_app_that_wants_no_retry_gets_none(plain: PlainStage) -> None:
    plain.script = [web.Response(status=500, headers={"x-slack-no-retry": "1"})]
    await plain.workspace.say(plain.ana, plain.general, "hello")
    await plain.workspace.say(plain.ana, plain.general, "hello again")
    assert sorted(status or 0 for *_, status, _ in await plain.attempts(2)) == [200, 500]


async def test_a_broken_answer_to_an_interaction_says_nothing(plain: PlainStage) -> None:
    plain.script = [
        web.Response(text="{", content_type="application/json"),
        web.Response(text="[]", content_type="application/json"),
        web.Response(text="plain words"),
    ]
    results = [
        await plain.workspace.command(plain.ana, plain.general, "/threadline", "a&b=<c>") for _ in range(3)
    ]
    assert [result.text for result in results] == ["", "", "plain words"]
    assert parse_qs(plain.bodies[0])["text"] == ["a&b=<c>"]


async def refusal(call: Awaitable[Any]) -> str:
    """Return Slack's code for a call that must not succeed."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_a_trigger_opens_one_view_within_three_seconds(plain: PlainStage) -> None:
    early, late = plain.workspace.new_trigger(plain.ana), plain.workspace.new_trigger(plain.ana)
    open_view = plain.client.views_open
    await open_view(trigger_id=early, view=modal())
    assert await refusal(open_view(trigger_id=early, view=modal())) == "exchanged_trigger_id"
    assert await refusal(open_view(trigger_id="1.2.3", view=modal())) == "invalid_trigger_id"
    plain.clock.advance(3.5)
    assert await refusal(open_view(trigger_id=late, view=modal())) == "expired_trigger_id"


async def test_a_view_is_found_by_either_id_and_guarded_by_its_hash(plain: PlainStage) -> None:
    trigger = plain.workspace.new_trigger(plain.ana)
    opened = (await plain.client.views_open(trigger_id=trigger, view=modal() | {"external_id": "mine"}))[
        "view"
    ]
    update = plain.client.views_update
    await update(external_id="mine", view=modal("Two") | {"external_id": "mine"}, hash=opened["hash"])
    assert await refusal(update(view_id=opened["id"], view=modal(), hash=opened["hash"])) == "hash_conflict"
    assert await refusal(update(view_id="V0", view=modal())) == "not_found"


async def test_the_home_tab_is_published_for_one_user(plain: PlainStage) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    published = await plain.client.views_publish(user_id=plain.ana, view=home)
    assert plain.workspace.views[published["view"]["id"]].body == home
    assert plain.workspace.view(plain.ana) is None
    assert await refusal(plain.client.views_publish(user_id="U0", view=home)) == "user_not_found"


@pytest.mark.parametrize("respond", ["update", "push"])
async def test_a_submission_may_change_or_push_a_view(plain: PlainStage, respond: str) -> None:
    trigger = plain.workspace.new_trigger(plain.ana)
    opened = (await plain.client.views_open(trigger_id=trigger, view=modal()))["view"]
    plain.script = [web.json_response({"response_action": respond, "view": modal("Next")})]
    await plain.workspace.submit_view(plain.ana, opened["id"], values={"why": {"reason": "because"}})
    seen = plain.workspace.view(plain.ana)
    assert seen is not None
    assert seen.body["blocks"][0]["label"]["text"] == "Next"


async def test_a_submission_the_app_fails_on_leaves_the_view_open(plain: PlainStage) -> None:
    trigger = plain.workspace.new_trigger(plain.ana)
    opened = (await plain.client.views_open(trigger_id=trigger, view=modal()))["view"]
    plain.script = [web.Response(status=500)]
    await plain.workspace.submit_view(plain.ana, opened["id"], values={})
    assert plain.workspace.view(plain.ana) is not None


async def test_a_response_url_ends_after_half_an_hour(plain: PlainStage) -> None:
    await plain.workspace.command(plain.ana, plain.general, "/threadline")
    url = parse_qs(plain.bodies[0])["response_url"][0]
    plain.clock.advance(1801)
    answer = await AsyncWebhookClient(url).send(text="late")
    assert (answer.status_code, json.loads(answer.body)["error"]) == (404, "expired_url")


async def test_stopping_in_the_middle_of_deliveries_leaves_nothing_behind(plain: PlainStage) -> None:
    hold = Hold()
    plain.script = [hold, web.Response(status=500), web.Response(status=500)]
    await plain.workspace.say(plain.ana, plain.general, "held")
    await hold.held.wait()
    await plain.workspace.say(plain.ana, plain.general, "waiting for its second retry")
    await plain.attempts(2)
    await plain.server.stop()
    names = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()}
    assert not any(name.startswith(("Deliveries", "SignedHttp", "SettableClock")) for name in names)
