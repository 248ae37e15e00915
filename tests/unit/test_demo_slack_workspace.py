"""The simulated workspace by itself: what it holds, what it takes for valid, whom it would ping."""

import asyncio
from typing import Any

import pytest

from bots.demo.slack import Faults, Refuse, SlackServer, SlackWorkspace, View
from bots.demo.slack.arguments import Arguments, Refused
from bots.demo.slack.blocks import check_blocks, check_view
from bots.demo.slack.interactions import view_values
from bots.demo.slack.mentions import live_mentions, rich_text
from bots.demo.slack.signed_http import signature
from bots.demo.tasks import Tasks, within
from core.clock import SystemClock
from core.testing import SettableClock


@pytest.fixture
def workspace() -> SlackWorkspace:
    return SlackWorkspace(SettableClock())


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def markdown(text: str) -> dict[str, Any]:
    return {"type": "markdown", "text": text}


async def test_no_two_messages_share_a_timestamp_though_the_clock_stands_still(
    workspace: SlackWorkspace,
) -> None:
    ana, general = workspace.add_user("ana"), workspace.add_channel("general")
    stamps = [await workspace.say(ana, general, str(number)) for number in range(3)]
    assert stamps == sorted(set(stamps))
    assert all(len(ts.partition(".")[2]) == 6 for ts in stamps)


async def test_without_a_server_everything_is_remembered_and_nothing_sent(workspace: SlackWorkspace) -> None:
    ana, general = workspace.add_user("ana"), workspace.add_channel("general")
    await workspace.say(ana, general, "<@U0BOT0001> hello")
    assert [envelope["event"]["type"] for envelope in workspace.events.values()] == ["app_mention", "message"]
    assert workspace.deliveries == []
    (event_id, *_) = workspace.events
    assert await workspace.repeat_event(event_id) == ()
    await workspace.disconnect_sockets()
    answer = await workspace.command(ana, general, "/threadline")
    assert (answer.status, answer.text) == (None, "")


async def test_a_server_that_never_started_stops_all_the_same(workspace: SlackWorkspace) -> None:
    server = SlackServer(workspace)
    assert not await server.verify_url()
    await server.stop()


async def test_only_events_the_app_subscribed_to_in_its_channels_are_sent(workspace: SlackWorkspace) -> None:
    ana = workspace.add_user("ana")
    general = workspace.add_channel("general")
    elsewhere = workspace.add_channel("elsewhere", member=False)
    workspace.subscriptions -= {"message.channels"}
    await workspace.say(ana, elsewhere, "<@U0BOT0001> hello")
    await workspace.say(ana, general, "<@U0BOT0001> hello")
    assert [envelope["event"]["type"] for envelope in workspace.events.values()] == ["app_mention"]


async def test_a_deleted_root_with_replies_leaves_a_tombstone(workspace: SlackWorkspace) -> None:
    ana, general = workspace.add_user("ana"), workspace.add_channel("general", private=True)
    root = await workspace.say(ana, general, "root")
    reply = await workspace.say(ana, general, "reply", thread=root)
    await workspace.delete(general, root)
    assert [message.text for message in workspace.thread(general, root)] == [
        "This message was deleted.",
        "reply",
    ]
    await workspace.delete(general, reply)
    assert len(workspace.thread(general, root)) == 1
    await workspace.join(ana, general)
    last = [envelope["event"].get("subtype") for envelope in workspace.events.values()][2:]
    assert last == ["message_changed", "message_deleted", "group_join"]


async def test_what_does_not_exist_cannot_be_edited(workspace: SlackWorkspace) -> None:
    general = workspace.add_channel("general")
    with pytest.raises(LookupError, match=r"no message 1\.0"):
        await workspace.edit(general, "1.0", "x")


async def test_roles_are_told_apart(workspace: SlackWorkspace) -> None:
    owner, guest = workspace.add_user("olga", owner=True), workspace.add_user("gus", guest=True)
    assert (workspace.users[owner].is_owner, workspace.users[owner].is_admin) == (True, True)
    assert (workspace.users[guest].is_guest, workspace.users[guest].is_admin) == (True, False)


async def test_waiting_ends_when_it_becomes_true_and_can_be_given_up(workspace: SlackWorkspace) -> None:
    ana, general = workspace.add_user("ana"), workspace.add_channel("general")
    given_up = asyncio.ensure_future(workspace.until(lambda: False))
    waiting = asyncio.ensure_future(workspace.until(lambda: workspace.roots(general)))
    await asyncio.sleep(0)
    given_up.cancel()
    workspace.changes.happened()
    await workspace.say(ana, general, "hello")
    assert [message.text for message in await waiting] == ["hello"]
    assert given_up.cancelled() or given_up.cancelling()
    await asyncio.gather(given_up, return_exceptions=True)


def test_faults_wait_for_their_own_method() -> None:
    faults: Faults[Refuse] = Faults()
    faults.add("chat.update", Refuse("one"))
    assert faults.next("chat.postMessage") is None
    assert faults.waiting("chat.update") == 1
    assert faults.next("chat.update") == Refuse("one")
    assert faults.waiting("chat.delete") == 0


VALID = [
    [section("x" * 3_000)],
    [markdown("x" * 12_000)],
    [{"type": "divider"}] * 50,
    [{"type": "section", "fields": [plain("a")]}],
    [{"type": "header", "text": plain("x" * 150)}],
    [{"type": "actions", "elements": [{"type": "button", "text": plain("Go"), "action_id": "go"}]}],
    [markdown("# one\n\nwords\n\n" * 24)],
    [markdown("```\n# not a heading\n```\n" * 40)],
    [markdown("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n" * 40)],
    [{"type": "table", "rows": [[plain("a")]]}],
]
INVALID = [
    (None, "invalid_blocks_format"),
    ([section("x" * 3_001)], "invalid_blocks"),
    ([section("")], "invalid_blocks"),
    ([{"type": "section"}], "invalid_blocks"),
    ([{"type": "section", "fields": [plain("x" * 2_001)]}], "invalid_blocks"),
    ([markdown("x" * 12_001)], "invalid_blocks"),
    ([markdown("x" * 6_001), markdown("x" * 6_000)], "invalid_blocks"),
    ([markdown("")], "invalid_blocks"),
    ([{"type": "divider"}] * 51, "invalid_blocks"),
    ([{"type": "divider", "block_id": "same"}] * 2, "invalid_blocks"),
    ([markdown("# one\n\nwords\n\n" * 26)], "invalid_blocks"),
    (["divider"], "invalid_blocks"),
    ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "invalid_blocks"),
    ([{"type": "context", "elements": []}], "invalid_blocks"),
    ([{"type": "context_actions", "elements": ["button"]}], "invalid_blocks"),
    ([{"type": "input", "label": plain("Why"), "element": {"type": "x"}}], "invalid_blocks"),
    ([section("x" * 2_700)] * 5, "msg_blocks_too_long"),
]


@pytest.mark.parametrize("blocks", VALID)
def test_blocks_slack_takes_are_taken(blocks: list[Any]) -> None:
    assert list(check_blocks(blocks)) == blocks


@pytest.mark.parametrize(("blocks", "error"), INVALID)
def test_blocks_slack_refuses_are_refused_with_its_code(blocks: Any, error: str) -> None:
    with pytest.raises(Refused) as caught:
        check_blocks(blocks)
    assert caught.value.error == error


FIELD = {"type": "input", "label": plain("Why"), "element": {"type": "plain_text_input", "action_id": "a"}}


@pytest.mark.parametrize(
    "view",
    [
        None,
        {"type": "poster"},
        {"type": "modal", "title": plain("x")},
        {"type": "modal", "title": plain("x" * 25), "blocks": []},
        {"type": "modal", "blocks": []},
        {"type": "modal", "title": plain("x"), "blocks": [FIELD]},
        {"type": "modal", "title": plain("x"), "submit": plain("x"), "blocks": [{"type": "input"}]},
    ],
)
def test_a_view_slack_would_not_open_is_refused(view: Any) -> None:
    with pytest.raises(Refused) as caught:
        check_view(view)
    assert caught.value.error == "invalid_arguments"


@pytest.mark.parametrize(
    ("text", "blocks", "pings"),
    [
        ("<!channel> <!here|here> <@U1> <#C1|general> <!subteam^S1>", [], 5),
        ("&lt;!channel&gt; `@here` <https://example.com|x> <!date^1^x|y>", [], 0),
        ("", [section("hi <@U1>"), markdown("<!everyone>")], 2),
        ("", [{"type": "header", "text": plain("<!channel>")}], 0),
        ("", [{"type": "context", "elements": [{"type": "mrkdwn", "text": "<@U1>"}]}], 1),
        ("", [rich_text("<@U1> <#C1> <!subteam^S1> <!here> <https://e.com|e> <>", "b")], 4),
    ],
)
def test_only_live_mentions_ping(text: str, blocks: list[Any], pings: int) -> None:
    assert len(live_mentions(text, blocks)) == pings


def test_typed_text_becomes_the_composers_block() -> None:
    elements = rich_text("see <https://e.com|this> & <https://e.com>", "b")["elements"][0]["elements"]
    assert elements == [
        {"type": "text", "text": "see "},
        {"type": "link", "url": "https://e.com", "text": "this"},
        {"type": "text", "text": " & "},
        {"type": "link", "url": "https://e.com"},
    ]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("static_select", "selected_option"),
        ("conversations_select", "selected_conversation"),
        ("channels_select", "selected_channel"),
        ("users_select", "selected_user"),
        ("plain_text_input", "value"),
    ],
)
def test_a_plain_value_is_drawn_as_its_element_draws_it(kind: str, name: str) -> None:
    block = {"type": "input", "block_id": "b", "element": {"type": kind, "action_id": "a"}}
    view = View("V1", "U1", {"blocks": [block]}, "h")
    drawn = view_values(view, {"b": {"a": "shop", "other": {"type": "x"}}})["b"]
    assert drawn["a"]["type"] == kind
    assert "shop" in str(drawn["a"][name])
    assert drawn["other"] == {"type": "x"}


def test_arguments_are_read_however_they_were_spelled() -> None:
    arguments = Arguments({"a": True, "b": "1", "c": None, "d": '["x"]', "e": ""})
    assert (len(arguments), [arguments.flag(name) for name in "abc"]) == (5, [True, True, False])
    assert (arguments.structure("d", "bad"), arguments.structure("e", "bad")) == (["x"], None)
    with pytest.raises(Refused, match="invalid_arguments"):
        arguments.required("c", "e")


def test_a_signature_is_slacks_published_example() -> None:
    """Source: docs.slack.dev/authentication/verifying-requests-from-slack."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
        b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body) == expected


async def test_a_failure_beside_the_caller_is_raised_when_stopping() -> None:
    async def fail() -> None:
        raise RuntimeError("broken")

    tasks = Tasks()
    tasks.start(fail())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="broken"):
        await tasks.stop()


async def test_a_time_limit_hands_on_what_the_deed_returns_or_raises() -> None:
    async def deed() -> str:
        return "done"

    async def forever() -> None:
        await asyncio.Event().wait()

    assert await within(SystemClock(), 60, deed()) == "done"
    with pytest.raises(TimeoutError):
        await within(SystemClock(), 0, forever())
