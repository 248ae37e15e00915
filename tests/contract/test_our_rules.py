"""Each of our rules lets what is well-formed pass, and is seen failing over what is not."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contract.rule import Sent
from tests.contract.rules import RULES, broken

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]

MESSAGE = "POST /channels/{channel}/messages"
EDIT = "PATCH /channels/{channel}/messages/{message}"
REPLY = "POST /webhooks/{application}/{token}"
REPLY_EDIT = "PATCH /webhooks/{application}/{token}/messages/{message}"
CALLBACK = "POST /interactions/{interaction}/{token}/callback"
THREAD = "POST /channels/{channel}/messages/{message}/threads"
COMMANDS = "PUT /applications/{application}/commands"
CHAT = "POST /v1/projects/{projectId}/ai/chat"


def discord(route: str, body: Any, *files: str) -> Sent:
    return Sent("discord", route, body, files)


def message(**changes: Any) -> Json:
    """Return a message with its changes; None takes a field away."""
    usual = {"content": "orders", "nonce": "a-1", "enforce_nonce": True, "allowed_mentions": {"parse": []}}
    return without_none(usual | changes)


def reply(**changes: Any) -> Json:
    return without_none({"content": "orders", "flags": 64, "allowed_mentions": {"parse": []}} | changes)


def without_none(values: Mapping[str, Any]) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def buttons(*many: int, **changes: Any) -> Json:
    """Return a message with rows of so many buttons."""
    button = {"type": 2, "style": 2, "label": "Ask", "custom_id": "ask:1"} | changes
    return message(components=[{"type": 1, "components": [button] * number} for number in many])


def form(title: str = "Ask", fields: int = 1, **changes: Any) -> Sent:
    field = {"type": 4, "custom_id": "question", "style": 2, "max_length": 1500} | changes
    label = {"type": 18, "label": "Question", "component": field}
    body = {"title": title, "custom_id": "ask:1", "components": [label] * fields}
    return discord(CALLBACK, {"type": 9, "data": body})


def offered(*choices: Json) -> Sent:
    return discord(CALLBACK, {"type": 8, "data": {"choices": list(choices)}})


def command(**changes: Any) -> Json:
    usual = {"name": "ask", "description": "Ask", "contexts": [0, 1], "integration_types": [0], "options": []}
    return without_none(usual | changes)


def commands(*all_: Json) -> Sent:
    return discord(COMMANDS, list(all_))


def option(**changes: Any) -> Json:
    return without_none({"type": 3, "name": "question", "description": "What"} | changes)


def options(*all_: Json) -> Sent:
    inner = {"type": 1, "name": "link", "description": "Link", "options": list(all_)}
    return commands(command(options=[inner]))


def post(**changes: Any) -> Sent:
    usual = {
        "channel": "C1",
        "thread_ts": "1700000000.000001",
        "text": "orders",
        "blocks": [{"type": "markdown", "text": "orders"}],
        "metadata": {"event_type": "threadline_part", "event_payload": {"part": 0}},
        "unfurl_links": False,
        "unfurl_media": False,
    }
    return Sent("slack", "chat.postMessage", without_none(usual | changes))


def view(**changes: Any) -> Sent:
    usual = {
        "type": "modal",
        "callback_id": "ask",
        "title": {"type": "plain_text", "text": "Ask"},
        "blocks": [{"type": "input"}],
    }
    return Sent("slack", "views.open", {"trigger_id": "1.2", "view": without_none(usual | changes)})


def chat(*turns: tuple[str, str], **more: Any) -> Sent:
    messages = [{"role": role, "content": content} for role, content in turns]
    return Sent("assistant", CHAT, {"messages": messages} | more)


GOOD = [
    discord(MESSAGE, message(content="x" * 2000, nonce="n" * 25)),
    discord(MESSAGE, message(content=None, attachments=[{"id": 0, "filename": "a.md"}]), "a.md"),
    discord(MESSAGE, buttons(5, 1, custom_id="c" * 100, label="l" * 80)),
    discord(EDIT, without_none({"components": [], "allowed_mentions": {"parse": []}})),
    discord(REPLY, reply(allowed_mentions={"parse": [], "users": ["1"]})),
    discord(REPLY_EDIT, reply()),
    discord(CALLBACK, {"type": 5, "data": {"flags": 64}}),
    discord(CALLBACK, {"type": 6}),
    discord(CALLBACK, {"type": 4, "data": reply()}),
    form("t" * 45, 5, value="v" * 1500, placeholder="p" * 100),
    offered(*[{"name": "n" * 100, "value": "v" * 100}] * 25),
    discord(THREAD, {"name": "n" * 100, "auto_archive_duration": 4320, "rate_limit_per_user": None}),
    options(option(name="größe_1-a", required=True, max_length=1500), option(name="b", autocomplete=True)),
    commands(command(), {**command(name="Ask about this", type=3), "description": ""}),
    discord("GET /gateway/bot", {}),
    post(),
    post(blocks=[{"type": "markdown", "text": "x" * 12_000}], metadata=None, thread_ts=None),
    post(blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_000}}]),
    Sent("slack", "auth.test", {}),
    view(private_metadata="x" * 3_000),
    chat(("user", "who?"), ("assistant", "billing"), ("user", "and?")),
    Sent("assistant", "GET /v1/projects"),
]

BAD: dict[str, list[Sent]] = {
    "discord_route_is_known": [discord("POST ?", {})],
    "discord_content_fits": [
        discord(MESSAGE, message(content="x" * 2001)),
        discord(EDIT, message(content="x" * 2001)),
        discord(REPLY, reply(content="x" * 2001)),
        discord(REPLY_EDIT, reply(content="x" * 2001)),
        discord(CALLBACK, {"type": 4, "data": reply(content="x" * 2001)}),
    ],
    "discord_mentions_are_named": [
        discord(MESSAGE, message(allowed_mentions=None)),
        discord(EDIT, message(allowed_mentions=None)),
        discord(REPLY, reply(allowed_mentions={"parse": ["users"]})),
        discord(REPLY_EDIT, reply(allowed_mentions={"users": ["1"]})),
        discord(CALLBACK, {"type": 7, "data": reply(allowed_mentions=None)}),
    ],
    "discord_message_has_no_unknown_field": [discord(MESSAGE, message(thread_ts="1"))],
    "discord_message_says_something": [
        discord(MESSAGE, message(content=" \n")),
        discord(REPLY, reply(content=None)),
        discord(CALLBACK, {"type": 4, "data": reply(content="")}),
    ],
    "discord_message_has_a_nonce": [
        discord(MESSAGE, message(nonce=None)),
        discord(MESSAGE, message(nonce="n" * 26)),
        discord(MESSAGE, message(nonce=7)),
        discord(MESSAGE, message(enforce_nonce=None)),
    ],
    "discord_rows_hold_up_to_five": [
        discord(MESSAGE, buttons(6)),
        discord(MESSAGE, buttons(1, 1, 1, 1, 1, 1)),
        discord(MESSAGE, message(components=[{"type": 2, "label": "Ask", "custom_id": "a"}])),
    ],
    "discord_custom_id_fits": [
        discord(MESSAGE, buttons(1, custom_id="c" * 101)),
        discord(MESSAGE, buttons(1, custom_id="")),
        form(custom_id="c" * 101),
    ],
    "discord_label_fits": [discord(MESSAGE, buttons(1, label="l" * 81)), form(label="l" * 46)],
    "discord_field_fits": [form(placeholder="p" * 101), form(value="v" * 1501)],
    "discord_form_fits": [form("t" * 46), form(""), form(fields=0), form(fields=6)],
    "discord_choices_fit": [
        offered(*[{"name": "a", "value": "b"}] * 26),
        offered({"name": "n" * 101, "value": "b"}),
        offered({"name": "a", "value": ""}),
    ],
    "discord_callback_is_known": [discord(CALLBACK, {"type": 3}), discord(CALLBACK, {"type": 10})],
    "discord_deferral_is_bare": [
        discord(CALLBACK, {"type": 5, "data": {"content": "soon"}}),
        discord(CALLBACK, {"type": 5, "data": {"flags": 68}}),
    ],
    "discord_thread_is_named": [
        discord(THREAD, {"name": "n" * 101}),
        discord(THREAD, {"name": " "}),
        discord(THREAD, {}),
    ],
    "discord_thread_is_archived_in_time": [discord(THREAD, {"name": "n", "auto_archive_duration": 61})],
    "discord_thread_has_no_unknown_field": [discord(THREAD, {"name": "n", "topic": "t"})],
    "discord_commands_are_not_too_many": [
        commands(*(command(name=f"ask-{number}") for number in range(101))),
        commands(*({**command(name=f"Ask {number}", type=3), "description": ""} for number in range(16))),
    ],
    "discord_commands_have_their_own_names": [commands(command(), command(type=1))],
    "discord_command_fits": [
        commands(command(options=[option(name=f"o{n}", choices=[{"name": "c" * 99}] * 4) for n in range(25)]))
    ],
    "discord_command_says_where": [commands(command(contexts=None)), commands(command(integration_types=[]))],
    "discord_command_has_no_unknown_field": [commands(command(guild_only=True))],
    "discord_menu_is_named": [
        commands(command(name="Ask", type=3)),
        commands({**command(name="n" * 33, type=3), "description": ""}),
    ],
    "discord_command_is_lower_case": [commands(command(name="Ask")), commands(command(name="a b"))],
    "discord_command_is_described": [
        commands(command(description="d" * 101)),
        commands(command(description="")),
    ],
    "discord_options_are_not_too_many": [options(*(option(name=f"o{number}") for number in range(26)))],
    "discord_required_options_come_first": [options(option(), option(name="b", required=True))],
    "discord_option_is_lower_case": [options(option(name="Question")), options(option(name="n" * 33))],
    "discord_option_is_described": [options(option(description="d" * 101)), options(option(description=""))],
    "discord_option_has_no_unknown_field": [options(option(default=1)), options(option(type=None))],
    "discord_option_completes_or_offers": [options(option(autocomplete=True, choices=[{"name": "a"}]))],
    "slack_call_has_the_fields_of_its_method": [
        post(channel=None),
        post(link_names=True),
        Sent("slack", "chat.delete", {"channel": "C1", "ts": "1.000001"}),
        Sent("slack", "conversations.replies", {"channel": "C1"}),
        Sent("slack", "chat.update", {"channel": "C1", "ts": "1.000001", "text": "x", "unfurl_links": False}),
    ],
    "slack_text_is_there": [post(text=" ")],
    "slack_text_fits": [post(text="x" * 40_001)],
    "slack_changed_text_fits": [
        Sent(
            "slack",
            "chat.update",
            {
                "channel": "C1",
                "ts": "1.000001",
                "text": "x" * 4_001,
            },
        )
    ],
    "slack_blocks_fit": [
        post(blocks=[{"type": "divider"}] * 51),
        post(blocks=[{"type": "markdown", "text": "x" * 12_001}]),
        post(blocks=[{"type": "markdown", "text": "x" * 7_000}] * 2),
        post(blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}]),
    ],
    "slack_message_is_marked_well": [post(metadata={"event_type": "threadline_part"})],
    "slack_fetches_no_preview": [post(unfurl_links=None), post(unfurl_media=True)],
    "slack_calls_nobody_together": [
        post(text="<!channel> hello"),
        post(blocks=[{"text": "<!here|x>", "type": "x"}]),
    ],
    "slack_thread_is_a_time": [
        post(thread_ts="1"),
        Sent("slack", "assistant.threads.setStatus", {"channel_id": "C", "thread_ts": "", "status": ""}),
    ],
    "slack_form_fits": [
        view(title={"type": "plain_text", "text": "t" * 25}),
        view(private_metadata="x" * 3_001),
        view(callback_id="c" * 256),
        view(blocks=[]),
        view(blocks=[{"type": "input"}] * 101),
        view(type="home"),
        view(modal=True),
    ],
    "assistant_is_only_read_and_asked": [Sent("assistant", "DELETE /v1/projects")],
    "assistant_is_read_without_a_body": [Sent("assistant", "GET /v1/projects", {})],
    "assistant_gets_a_conversation": [
        chat(),
        chat(("user", "who?"), stream=True),
        chat(("system", "be brief"), ("user", "who?")),
        chat(("user", " ")),
    ],
    "assistant_is_asked_by_somebody": [chat(("user", "who?"), ("assistant", "billing"))],
}


@pytest.mark.parametrize("sent", GOOD, ids=lambda sent: f"{sent.to} {sent.route}")
def test_what_is_well_formed_breaks_nothing(sent: Sent) -> None:
    assert broken(sent) == []


@pytest.mark.parametrize(("rule", "sent"), [(rule, sent) for rule, each in BAD.items() for sent in each])
def test_what_is_not_breaks_its_rule_and_no_other(rule: str, sent: Sent) -> None:
    assert broken(sent) == [rule]


def test_every_rule_has_been_seen_failing() -> None:
    assert {rule.name for rule in RULES} == set(BAD)
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_manifest_for_discord_keeps_the_rules() -> None:
    manifest = ROOT / "manifests" / "discord" / "commands.json"
    assert broken(commands(*json.loads(manifest.read_text()))) == []


STORY = """
from datetime import UTC, datetime
import pytest
from bots.demo.slack import ApiCall, SlackWorkspace
from core.clock import SystemClock
from tests.fixtures.sent import watch

@pytest.mark.parametrize("preview", [False, True])
def test_posts(preview):
    workspace = SlackWorkspace(SystemClock())
    watch(workspace)
    said = {"channel": "C1", "text": "x", "blocks": "[]", "unfurl_links": preview, "unfurl_media": False}
    workspace.calls.append(ApiCall("chat.postMessage", said, datetime.now(UTC), "ok"))
"""


def test_a_test_fails_whose_program_has_sent_what_breaks_a_rule(tmp_path: Path) -> None:
    (tmp_path / "test_story.py").write_text(STORY)
    journal = tmp_path / "journal.jsonl"
    flags = ["-q", "-p", "tests.fixtures.sent", "-p", "no:cacheprovider", "-c", os.devnull]
    arguments = [*flags, "--journal", str(journal), str(tmp_path / "test_story.py")]
    done = subprocess.run(  # noqa: S603 our own interpreter and words
        [sys.executable, "-m", "pytest", *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 1
    assert "slack chat.postMessage: slack_fetches_no_preview" in done.stdout
    assert done.stdout.count("ERROR at teardown") == 1
    written = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line["json"]["unfurl_links"] for line in written] == [False, True]
    assert {line["route"] for line in written} == {"chat.postMessage"}
    assert written[0]["json"]["blocks"] == []
