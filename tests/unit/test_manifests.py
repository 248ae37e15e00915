"""The manifests ask for what the code listens to and calls, and for nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from bots.slack.shortcut import ASK_ABOUT

FOLDER = Path(__file__).parents[2] / "manifests" / "slack"
NAMES = ("socket", "http")

#: What each event needs (docs.slack.dev/reference/events), and each method we call (…/methods).
EVENTS = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
}
CALLS = {
    "chat.postMessage": "chat:write",
    "users.info": "users:read",
    "conversations.info": "channels:read",
    "conversations.info of private channels": "groups:read",
    "conversations.info of direct messages": "im:read",
    "conversations.info of group messages": "mpim:read",
    "/threadline": "commands",
}


def _manifest(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_scopes_and_events_are_those_the_code_needs(name: str) -> None:
    manifest = _manifest(name)
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == {*EVENTS.values(), *CALLS.values()}


@pytest.mark.parametrize("name", NAMES)
def test_the_command_and_the_shortcut_are_the_registered_ones(name: str) -> None:
    features = _manifest(name)["features"]
    assert [command["command"] for command in features["slash_commands"]] == ["/threadline"]
    assert [(one["type"], one["callback_id"]) for one in features["shortcuts"]] == [("message", ASK_ABOUT)]
    assert all(len(one["name"]) <= 24 for one in features["shortcuts"])


def test_the_two_differ_only_in_how_slack_reaches_us() -> None:
    socket, http = _manifest("socket"), _manifest("http")
    assert socket["settings"].pop("socket_mode_enabled") is True
    assert http["settings"].pop("socket_mode_enabled") is False
    urls = {
        http["features"]["slash_commands"][0].pop("url"),
        http["settings"]["event_subscriptions"].pop("request_url"),
        http["settings"]["interactivity"].pop("request_url"),
    }
    assert len(urls) == 1
    assert urls.pop().endswith("/slack/events")
    assert socket == http
