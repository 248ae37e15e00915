"""The simulated Slack's Web API, asked by the real slack_sdk over loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bots.demo.slack import (
    Delay,
    Hold,
    HttpError,
    RateLimited,
    Refuse,
    Reset,
    SlackServer,
    SlackWorkspace,
)
from core.testing import SettableClock


class Stage:
    """A workspace with two people, a channel, and a client of the installed app."""

    def __init__(self, workspace: SlackWorkspace, server: SlackServer, client: AsyncWebClient) -> None:
        self.workspace = workspace
        self.server = server
        self.client = client
        self.ana = workspace.add_user("ana", admin=True)
        self.bob = workspace.add_user("bob")
        self.general = workspace.add_channel("general")

    async def refusal(self, call: Awaitable[Any]) -> str:
        with pytest.raises(SlackApiError) as caught:
            await call
        return str(caught.value.response["error"])


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
async def stage(clock: SettableClock) -> AsyncIterator[Stage]:
    workspace = SlackWorkspace(clock)
    server = SlackServer(workspace)
    await server.start()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            token=workspace.bot_token, base_url=server.api_url, session=session, retry_handlers=[]
        )
        yield Stage(workspace, server, client)
        await server.stop()


async def test_the_app_learns_who_it_is_and_which_scopes_it_has(stage: Stage) -> None:
    answer = await stage.client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == ("T0DEMO01", "U0BOT0001", "B0BOT0001")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_a_wrong_token_no_token_and_the_wrong_kind_are_refused(stage: Stage) -> None:
    url = stage.server.api_url
    wrong = AsyncWebClient(token="xoxb-other", base_url=url, retry_handlers=[])
    app = AsyncWebClient(token="xapp-demo", base_url=url, retry_handlers=[])
    nobody = AsyncWebClient(base_url=url, retry_handlers=[])
    assert await stage.refusal(wrong.auth_test()) == "invalid_auth"
    assert await stage.refusal(nobody.auth_test()) == "not_authed"
    assert await stage.refusal(app.users_info(user=stage.ana)) == "not_allowed_token_type"
    assert (await nobody.auth_test(token="xoxb-demo"))["ok"]
    await stage.workspace.uninstall()
    assert await stage.refusal(stage.client.auth_test()) == "account_inactive"


async def test_a_method_nobody_knows_is_refused(stage: Stage) -> None:
    assert await stage.refusal(stage.client.api_call("chat.sing")) == "unknown_method"


async def test_a_post_is_stored_with_its_blocks_metadata_and_thread(stage: Stage) -> None:
    root = await stage.workspace.say(stage.ana, stage.general, "who calls billing?")
    blocks = [{"type": "markdown", "text": "**orders**"}]
    metadata = {"event_type": "answer", "event_payload": {"part": "1"}}
    answer = await stage.client.chat_postMessage(
        channel=stage.general, text="orders", blocks=blocks, metadata=metadata, thread_ts=root
    )
    question, reply = stage.workspace.thread(stage.general, root)
    assert question.text == "who calls billing?"
    assert (reply.ts, reply.text, reply.thread_ts) == (answer["ts"], "orders", root)
    assert (reply.user, reply.bot_id, reply.metadata) == ("U0BOT0001", "B0BOT0001", metadata)
    assert reply.blocks[0]["text"] == "**orders**"
    assert answer["message"]["bot_profile"]["app_id"] == "A0APP0001"


async def test_a_form_encoded_post_carries_its_blocks_as_json(stage: Stage) -> None:
    form = {"channel": stage.general, "blocks": '[{"type": "divider"}]', "text": "rule"}
    answer = await stage.client.api_call("chat.postMessage", data=form)
    assert answer["message"]["blocks"] == [{"type": "divider"}]
    broken = {"channel": stage.general, "blocks": "[{", "text": "rule"}
    refused = stage.client.api_call("chat.postMessage", data=broken)
    assert await stage.refusal(refused) == "invalid_blocks_format"


async def test_posting_is_refused_where_the_bot_may_not_post(stage: Stage) -> None:
    elsewhere = stage.workspace.add_channel("elsewhere", member=False)
    old = stage.workspace.add_channel("old", archived=True)
    secret = stage.workspace.add_channel("secret", member=False, private=True)
    refusals = {
        channel: await stage.refusal(stage.client.chat_postMessage(channel=channel, text="hi"))
        for channel in ("C0", elsewhere, old, secret)
    }
    assert list(refusals.values()) == [
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "channel_not_found",
    ]
    stage.workspace.archive(stage.general)
    assert (
        await stage.refusal(stage.client.chat_postMessage(channel=stage.general, text="x")) == "is_archived"
    )


async def test_a_users_id_as_channel_opens_the_direct_conversation(stage: Stage) -> None:
    answer = await stage.client.chat_postMessage(channel=stage.ana, text="hello")
    assert answer["channel"].startswith("D")
    assert [message.text for message in stage.workspace.roots(answer["channel"])] == ["hello"]


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"markdown_text": "x", "text": "y"}, "markdown_text_conflict"),
        ({"blocks": [{"type": "divider"}] * 51, "text": "x"}, "invalid_blocks"),
        ({"blocks": [{"type": "wall"}], "text": "x"}, "invalid_blocks"),
        ({"blocks": [{"type": "markdown", "text": "x" * 12_001}], "text": "x"}, "invalid_blocks"),
        ({"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "", "event_payload": {}}}, "invalid_metadata_format"),
    ],
)
async def test_a_message_slack_would_not_take_is_refused(
    stage: Stage, content: dict[str, Any], refusal: str
) -> None:
    assert await stage.refusal(stage.client.chat_postMessage(channel=stage.general, **content)) == refusal
    assert stage.workspace.roots(stage.general) == ()


async def test_a_message_without_content_is_refused(stage: Stage) -> None:
    empty = stage.client.api_call("chat.postMessage", json={"channel": stage.general, "text": " "})
    assert await stage.refusal(empty) == "no_text"


async def test_a_reply_to_a_reply_is_refused(stage: Stage) -> None:
    root = await stage.workspace.say(stage.ana, stage.general, "one")
    reply = await stage.workspace.say(stage.bob, stage.general, "two", thread=root)
    post = stage.client.chat_postMessage(channel=stage.general, text="three", thread_ts=reply)
    assert await stage.refusal(post) == "cannot_reply_to_message"


async def test_a_status_shows_until_the_answer_or_for_two_minutes(stage: Stage, clock: SettableClock) -> None:
    root = await stage.workspace.say(stage.ana, stage.general, "one")
    place: dict[str, Any] = {"channel_id": stage.general, "thread_ts": root}
    await stage.client.assistant_threads_setStatus(**place, status="is thinking…")
    assert stage.workspace.status(stage.general, root) == "is thinking…"
    await stage.client.chat_postMessage(channel=stage.general, text="two", thread_ts=root)
    assert stage.workspace.status(stage.general, root) == ""
    await stage.client.assistant_threads_setStatus(**place, status="again", loading_messages=["a", "b"])
    clock.advance(119)
    assert stage.workspace.status(stage.general, root) == "again"
    clock.advance(1)
    assert stage.workspace.status(stage.general, root) == ""


async def test_a_status_is_refused_without_a_thread_a_place_or_with_too_many_messages(stage: Stage) -> None:
    elsewhere = stage.workspace.add_channel("elsewhere", member=False)
    root = await stage.workspace.say(stage.ana, stage.general, "one")
    set_status = stage.client.assistant_threads_setStatus
    nowhere = set_status(channel_id=stage.general, thread_ts="1.0", status="x")
    outside = set_status(channel_id=elsewhere, thread_ts=root, status="x")
    many = set_status(channel_id=stage.general, thread_ts=root, status="x", loading_messages=["m"] * 11)
    assert await stage.refusal(nowhere) == "invalid_thread_ts"
    assert await stage.refusal(outside) == "not_in_channel"
    assert await stage.refusal(many) == "invalid_arguments"


async def test_an_ephemeral_is_seen_by_its_user_only(stage: Stage) -> None:
    await stage.client.chat_postEphemeral(channel=stage.general, user=stage.ana, text="psst")
    assert [note.text for note in stage.workspace.ephemerals(stage.ana)] == ["psst"]
    assert stage.workspace.ephemerals(stage.bob) == ()
    assert stage.workspace.roots(stage.general) == ()
    stranger = stage.client.chat_postEphemeral(channel=stage.general, user="U0NOBODY", text="psst")
    assert await stage.refusal(stranger) == "user_not_in_channel"


async def test_the_app_changes_and_takes_back_only_its_own_messages(stage: Stage) -> None:
    mine = (await stage.client.chat_postMessage(channel=stage.general, text="one"))["ts"]
    theirs = await stage.workspace.say(stage.ana, stage.general, "hers")
    await stage.client.chat_update(channel=stage.general, ts=mine, text="two")
    assert stage.workspace.thread(stage.general, mine)[0].text == "two"
    update, delete = stage.client.chat_update, stage.client.chat_delete
    assert await stage.refusal(update(channel=stage.general, ts=theirs, text="x")) == "cant_update_message"
    assert await stage.refusal(update(channel=stage.general, ts=mine, text="x" * 4_001)) == "msg_too_long"
    assert await stage.refusal(delete(channel=stage.general, ts=theirs)) == "cant_delete_message"
    await delete(channel=stage.general, ts=mine)
    assert await stage.refusal(delete(channel=stage.general, ts=mine)) == "message_not_found"


async def test_replies_come_in_pages_the_root_first(stage: Stage) -> None:
    root = await stage.workspace.say(stage.ana, stage.general, "root")
    for number in range(4):
        await stage.workspace.say(stage.bob, stage.general, f"reply {number}", thread=root)
    pages = [
        [message["text"] for message in page["messages"]]
        async for page in await stage.client.conversations_replies(channel=stage.general, ts=root, limit=2)
    ]
    assert pages == [["root", "reply 0"], ["reply 1", "reply 2"], ["reply 3"]]


async def test_replies_keep_the_root_within_a_window_of_time(stage: Stage) -> None:
    root = await stage.workspace.say(stage.ana, stage.general, "root")
    stamps = [await stage.workspace.say(stage.bob, stage.general, name, thread=root) for name in "abcd"]
    place: dict[str, Any] = {"channel": stage.general, "ts": root, "oldest": stamps[0], "latest": stamps[2]}
    outside = await stage.client.conversations_replies(**place)
    inside = await stage.client.conversations_replies(**place, inclusive=True)
    assert [message["text"] for message in outside["messages"]] == ["root", "b"]
    assert [message["text"] for message in inside["messages"]] == ["root", "a", "b", "c"]
    assert outside["messages"][0]["reply_count"] == 4
    assert outside["messages"][1]["parent_user_id"] == stage.ana


async def test_metadata_is_shown_only_to_who_asks_for_it(stage: Stage) -> None:
    metadata = {"event_type": "answer", "event_payload": {"part": "1"}}
    posted = await stage.client.chat_postMessage(channel=stage.general, text="one", metadata=metadata)
    for method in (stage.client.conversations_replies, stage.client.conversations_history):
        place = {"channel": stage.general} | (
            {"ts": posted["ts"]} if method == stage.client.conversations_replies else {}
        )
        without = await method(**place)
        including = await method(**place, include_all_metadata=True)
        assert "metadata" not in without["messages"][0]
        assert including["messages"][0]["metadata"] == metadata


async def test_history_is_newest_first_and_without_replies(stage: Stage) -> None:
    root = await stage.workspace.say(stage.ana, stage.general, "one")
    await stage.workspace.say(stage.bob, stage.general, "reply", thread=root)
    await stage.workspace.say(stage.bob, stage.general, "two", files=True)
    answer = await stage.client.conversations_history(channel=stage.general)
    assert [message["text"] for message in answer["messages"]] == ["two", "one"]
    assert answer["messages"][0]["subtype"] == "file_share"
    assert answer["messages"][1]["reply_users"] == [stage.bob]
    assert answer["has_more"] is False


@pytest.mark.parametrize("cursor", ["?", "bmV4dDp4", "/w=="])
async def test_a_cursor_of_ones_own_making_is_refused(stage: Stage, cursor: str) -> None:
    history = stage.client.conversations_history(channel=stage.general, cursor=cursor)
    assert await stage.refusal(history) == "invalid_cursor"


async def test_reading_is_refused_outside_ones_channels(stage: Stage) -> None:
    elsewhere = stage.workspace.add_channel("elsewhere", member=False)
    assert await stage.refusal(stage.client.conversations_history(channel=elsewhere)) == "not_in_channel"
    gone = stage.client.conversations_replies(channel=stage.general, ts="1.0")
    assert await stage.refusal(gone) == "thread_not_found"
    endless = stage.client.conversations_history(channel=stage.general, limit=0)
    assert await stage.refusal(endless) == "invalid_limit"


async def test_users_and_conversations_are_described(stage: Stage) -> None:
    other = stage.workspace.add_user("robot", bot=True)
    user = (await stage.client.users_info(user=stage.ana))["user"]
    robot = (await stage.client.users_info(user=other))["user"]
    assert (user["is_admin"], user["is_owner"], user["profile"]["display_name"]) == (True, False, "ana")
    assert (robot["is_bot"], user["is_bot"]) == (True, False)
    assert await stage.refusal(stage.client.users_info(user="U0")) == "user_not_found"
    channel = (await stage.client.conversations_info(channel=stage.general))["channel"]
    assert (channel["name"], channel["is_member"], channel["is_private"]) == ("general", True, False)


async def test_the_bots_conversations_are_listed_by_type(stage: Stage) -> None:
    stage.workspace.add_channel("secret", private=True)
    stage.workspace.add_channel("old", archived=True)
    stage.workspace.add_channel("elsewhere", member=False)
    everything = await stage.client.users_conversations(
        types="public_channel,private_channel", exclude_archived=True, limit=1
    )
    names = [channel["name"] async for page in everything for channel in page["channels"]]
    assert names == ["general", "secret"]
    plain = await stage.client.users_conversations()
    assert [channel["name"] for channel in plain["channels"]] == ["general", "old"]
    assert await stage.refusal(stage.client.users_conversations(types="dungeon")) == "invalid_types"


async def test_a_scope_that_was_taken_away_is_named(stage: Stage) -> None:
    stage.workspace.scopes -= {"channels:history"}
    with pytest.raises(SlackApiError) as caught:
        await stage.client.conversations_history(channel=stage.general)
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "channels:history"
    assert "chat:write" in caught.value.response["provided"]


async def test_opening_a_direct_conversation_takes_its_scope(stage: Stage) -> None:
    assert await stage.refusal(stage.client.conversations_open(users=stage.ana)) == "missing_scope"
    stage.workspace.scopes |= {"im:write", "im:read"}
    opened = (await stage.client.conversations_open(users=stage.ana))["channel"]["id"]
    again = (await stage.client.conversations_open(channel=opened))["channel"]["id"]
    assert opened == again == stage.workspace.direct_channel(stage.ana)
    assert (await stage.client.conversations_info(channel=opened))["channel"]["user"] == stage.ana
    assert await stage.refusal(stage.client.conversations_open(users="U0")) == "user_not_found"
    several = stage.client.conversations_open(users=[stage.ana, stage.bob])
    assert await stage.refusal(several) == "missing_scope"


async def test_reactions_are_added_once_and_removed_once(stage: Stage) -> None:
    ts = await stage.workspace.say(stage.ana, stage.general, "one")
    place = {"channel": stage.general, "timestamp": ts}
    await stage.client.reactions_add(**place, name="eyes")
    assert stage.workspace.thread(stage.general, ts)[0].reactions == (("eyes", "U0BOT0001"),)
    assert await stage.refusal(stage.client.reactions_add(**place, name="eyes")) == "already_reacted"
    shown = await stage.client.conversations_history(channel=stage.general)
    assert shown["messages"][0]["reactions"] == [{"name": "eyes", "users": ["U0BOT0001"], "count": 1}]
    await stage.client.reactions_remove(**place, name="eyes")
    assert await stage.refusal(stage.client.reactions_remove(**place, name="eyes")) == "no_reaction"
    assert await stage.refusal(stage.client.reactions_add(**place, name="")) == "invalid_name"
    lost = stage.client.reactions_add(channel=stage.general, timestamp="1.0", name="eyes")
    assert await stage.refusal(lost) == "message_not_found"


async def test_live_mentions_are_remembered_as_pings_and_escaped_ones_are_not(stage: Stage) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "for <!channel>"}}
    await stage.client.chat_postMessage(channel=stage.general, text="&lt;!here&gt; @channel")
    assert stage.workspace.pings == []
    ts = (await stage.client.chat_postMessage(channel=stage.general, text="<@U1>", blocks=[section]))["ts"]
    assert [(ping.ts, ping.mention) for ping in stage.workspace.pings] == [(ts, "<@U1>"), (ts, "<!channel>")]


async def test_calls_are_journalled_in_order_and_one_session_needs_one_connection(stage: Stage) -> None:
    await stage.client.chat_postMessage(channel=stage.general, text="one")
    await stage.refusal(stage.client.chat_postMessage(channel="C0", text="two"))
    await stage.client.auth_test()
    assert [(call.method, call.outcome) for call in stage.workspace.calls] == [
        ("chat.postMessage", "ok"),
        ("chat.postMessage", "channel_not_found"),
        ("auth.test", "ok"),
    ]
    assert stage.workspace.calls[0].arguments["text"] == "one"
    assert stage.workspace.connections == 1


async def test_a_rate_limit_says_how_long_to_wait(stage: Stage) -> None:
    stage.workspace.faults.add("chat.postMessage", RateLimited(30))
    with pytest.raises(SlackApiError) as caught:
        await stage.client.chat_postMessage(channel=stage.general, text="one")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "30")
    assert stage.workspace.roots(stage.general) == ()
    assert stage.workspace.calls[0].outcome == "http 429"


async def test_the_sdks_own_rate_limit_retry_understands_it(stage: Stage) -> None:
    stage.workspace.faults.add("chat.postMessage", RateLimited(0))
    stage.client.retry_handlers.append(AsyncRateLimitErrorRetryHandler())
    await stage.client.chat_postMessage(channel=stage.general, text="one")
    assert [call.outcome for call in stage.workspace.calls] == ["http 429", "ok"]


@pytest.mark.parametrize(("after", "stored"), [(False, 0), (True, 1)])
async def test_a_server_error_comes_before_or_after_the_deed(stage: Stage, after: bool, stored: int) -> None:
    stage.workspace.faults.add("chat.postMessage", HttpError(500, after=after))
    with pytest.raises(SlackApiError) as caught:
        await stage.client.chat_postMessage(channel=stage.general, text="one")
    assert caught.value.response.status_code == 500
    assert len(stage.workspace.roots(stage.general)) == stored


@pytest.mark.parametrize(("after", "stored"), [(False, 0), (True, 1)])
async def test_a_reset_cuts_the_connection_before_or_after_the_deed(
    stage: Stage, after: bool, stored: int
) -> None:
    stage.workspace.faults.add("chat.postMessage", Reset(after=after))
    with pytest.raises(aiohttp.ClientError):
        await stage.client.chat_postMessage(channel=stage.general, text="one")
    assert len(stage.workspace.roots(stage.general)) == stored
    assert stage.workspace.calls[0].outcome == "reset"


async def test_faults_meet_one_call_each_in_order(stage: Stage) -> None:
    stage.workspace.faults.add("chat.postMessage", Refuse("restricted_action"), Refuse("fatal_error"))
    assert stage.workspace.faults.waiting("chat.postMessage") == 2
    for expected in ("restricted_action", "fatal_error"):
        refused = stage.client.chat_postMessage(channel=stage.general, text="one")
        assert await stage.refusal(refused) == expected
    await stage.client.chat_postMessage(channel=stage.general, text="one")
    assert stage.workspace.faults.waiting("chat.postMessage") == 0


@pytest.mark.parametrize(("after", "stored"), [(False, 0), (True, 1)])
async def test_a_held_call_waits_for_its_release(stage: Stage, after: bool, stored: int) -> None:
    hold = Hold(after=after)
    stage.workspace.faults.add("chat.postMessage", hold)
    async with asyncio.TaskGroup() as group:
        call = group.create_task(stage.client.chat_postMessage(channel=stage.general, text="one"))
        await hold.held.wait()
        assert len(stage.workspace.roots(stage.general)) == stored
        assert not call.done()
        hold.release()
    assert len(stage.workspace.roots(stage.general)) == 1


async def test_a_delayed_call_waits_on_the_workspaces_clock(stage: Stage, clock: SettableClock) -> None:
    stage.workspace.faults.add("chat.postMessage", Delay(20))
    async with asyncio.TaskGroup() as group:
        group.create_task(stage.client.chat_postMessage(channel=stage.general, text="one"))
        await stage.workspace.until(lambda: stage.workspace.faults.waiting("chat.postMessage") == 0)
        clock.advance(20)
    assert len(stage.workspace.roots(stage.general)) == 1


async def test_one_message_a_second_and_channel_when_rates_are_enforced(
    stage: Stage, clock: SettableClock
) -> None:
    stage.workspace.enforce_rates = True
    other = stage.workspace.add_channel("other")
    await stage.client.chat_postMessage(channel=stage.general, text="one")
    await stage.client.chat_postMessage(channel=other, text="one")
    too_fast = stage.client.chat_postMessage(channel=stage.general, text="two")
    assert await stage.refusal(too_fast) == "ratelimited"
    clock.advance(1)
    await stage.client.chat_postMessage(channel=stage.general, text="two")


async def test_the_server_stops_cleanly_with_a_call_still_held(clock: SettableClock) -> None:
    workspace = SlackWorkspace(clock)
    server = SlackServer(workspace)
    await server.start()
    hold = Hold()
    workspace.faults.add("auth.test", hold)
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            token="xoxb-demo", base_url=server.api_url, session=session, retry_handlers=[]
        )
        call = asyncio.ensure_future(client.auth_test())
        await hold.held.wait()
        await server.stop()
        with pytest.raises(aiohttp.ClientError):
            await call
