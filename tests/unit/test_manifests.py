"""The manifests ask for what the code listens to and calls, and for nothing else; and can be printed."""

import ast
import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import typer
from discord import Permissions
from discord.utils import oauth_url
from slack_sdk.web.async_client import AsyncWebClient
from typer.testing import CliRunner

import bots.slack
from bots.cli import app
from bots.cli.manifest import manifest_text
from bots.discord.client import intents
from bots.slack.install import REDIRECT, SCOPES
from bots.slack.stop_button import STOP
from tests.fixtures.walk import walk

FOLDER = Path(__file__).parents[2] / "manifests"
NAMES = ("socket", "http", "minimal")

#: What each event needs (docs.slack.dev/reference/events).
EVENTS: Mapping[str, set[str]] = {
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
    "team_access_revoked": set(),
    "tokens_revoked": set(),
}
_KINDS = ("channels", "groups", "im", "mpim")
#: What each method needs (docs.slack.dev/reference/methods), for every kind of channel we are in.
CALLS: Mapping[str, set[str]] = {
    "assistant.threads.setStatus": {"chat:write"},
    "auth.revoke": set(),
    "auth.test": set(),
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": {f"{kind}:history" for kind in _KINDS},
    "conversations.info": {f"{kind}:read" for kind in _KINDS},
    "conversations.replies": {f"{kind}:history" for kind in _KINDS},
    "users.conversations": {"channels:read", "groups:read"},
    "users.info": {"users:read"},
    "views.open": set(),
}
#: What the minimal app goes without; beside each, what Threadline then does not do.
GONE_WITHOUT = {
    "channels:history": "hear follow-ups without a mention, look for lost posts and missed questions",
    "groups:history": "the same in private channels",
    "mpim:history": "the same in group messages",
    "channels:read": "ask whether a channel is shared (events still tell), list its channels",
    "groups:read": "the same for private channels",
    "im:read": "ask about direct messages, as the shortcut would",
    "mpim:read": "ask about group messages, as the shortcut would",
    "users:read": "tell the assistant the speakers' names, know who is a workspace admin",
    "commands": "the slash command and the shortcut: an operator links channels with `threadline link`",
}


def _manifest(name: str) -> Any:
    return json.loads((FOLDER / "slack" / f"{name}.json").read_text())


def _scopes(name: str) -> set[str]:
    return set(_manifest(name)["oauth_config"]["scopes"]["bot"])


def _events(name: str) -> set[str]:
    return set(_manifest(name)["settings"]["event_subscriptions"]["bot_events"])


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(Path(bots.slack.__path__[0]).glob("*.py")):
        yield f"bots.slack.{path.stem}", ast.parse(path.read_text())


def _methods() -> dict[str, str]:
    """Return the Web API's method behind each of slack_sdk's."""
    named = {
        name: re.search(r'self\.api_call\(\s*"([\w.]+)"', inspect.getsource(function))
        for name, function in inspect.getmembers(AsyncWebClient, inspect.isfunction)
    }
    return {name: found[1] for name, found in named.items() if found is not None}


def _called() -> set[str]:
    """Return every method of the Web API that bots/slack names, called there or handed on."""
    methods = _methods()
    return {
        methods[node.attr]
        for _, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in methods
    }


def _registered(kind: str) -> set[str]:
    """Return what the listeners of one kind are registered for: `app.event(…)`, `app.command(…)`, …"""
    return {
        _value(module, node.args[0])
        for module, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == kind
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "app"
        and isinstance(node.args[0], ast.Constant | ast.Name)
    }


def _value(module: str, argument: ast.expr) -> str:
    if isinstance(argument, ast.Name):
        return str(getattr(importlib.import_module(module), argument.id))
    return str(ast.literal_eval(argument))


def test_we_know_what_every_method_that_the_code_calls_needs() -> None:
    assert _called() == set(CALLS)


@pytest.mark.parametrize("name", ["socket", "http"])
def test_the_whole_app_has_the_scopes_of_all_it_hears_and_calls_and_no_more(name: str) -> None:
    needed = set().union(*CALLS.values(), *(EVENTS[event] for event in _events(name))) | {"commands"}
    assert _scopes(name) == needed


@pytest.mark.parametrize("name", NAMES)
def test_every_event_has_its_scope(name: str) -> None:
    assert set().union(*(EVENTS[event] for event in _events(name))) <= _scopes(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_event_has_a_listener_and_every_listener_an_event(name: str) -> None:
    assert {event.partition(".")[0] for event in _events(name)} == _registered("event")


@pytest.mark.parametrize("name", ["socket", "http"])
def test_the_commands_and_shortcuts_are_the_registered_ones(name: str) -> None:
    features = _manifest(name)["features"]
    assert {command["command"] for command in features["slash_commands"]} == _registered("command")
    assert {one["callback_id"] for one in features["shortcuts"]} == _registered("shortcut")
    assert {one["type"] for one in features["shortcuts"]} == {"message"}
    assert all(len(one["name"]) <= 24 for one in features["shortcuts"])


@pytest.mark.parametrize("name", NAMES)
def test_clicks_are_let_in_as_every_app_shows_a_button(name: str) -> None:
    assert _registered("action") == {STOP}
    assert _manifest(name)["settings"]["interactivity"]["is_enabled"] is True


@pytest.mark.parametrize("name", NAMES)
def test_people_can_write_to_it_directly(name: str) -> None:
    home = _manifest(name)["features"]["app_home"]
    assert home["messages_tab_enabled"] is True
    assert home["messages_tab_read_only_enabled"] is False


@pytest.mark.parametrize("name", NAMES)
def test_there_is_no_agent_view_that_would_shut_guests_out_and_never_the_one_it_replaced(name: str) -> None:
    assert not {"assistant_view", "agent_view"} & _manifest(name)["features"].keys()
    assert "assistant_view" not in (FOLDER / "slack" / f"{name}.json").read_text()


def test_the_whole_apps_differ_only_in_how_slack_reaches_us() -> None:
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
    (redirect,) = http["oauth_config"].pop("redirect_urls")
    assert redirect.endswith(REDIRECT)
    assert http["settings"].pop("org_deploy_enabled") is True
    assert socket["settings"].pop("org_deploy_enabled") is False
    assert socket == http


def test_who_installs_the_app_is_asked_for_the_scopes_of_its_manifest() -> None:
    assert set(SCOPES) == _scopes("http")


def test_the_minimal_app_is_the_whole_one_less_what_it_names() -> None:
    whole, minimal = _manifest("socket"), _manifest("minimal")
    assert _scopes("socket") - _scopes("minimal") == set(GONE_WITHOUT)
    assert _scopes("minimal") == {"app_mentions:read", "chat:write", "im:history"}
    assert _events("minimal") == {
        "app_mention",
        "app_uninstalled",
        "message.im",
        "team_access_revoked",
        "tokens_revoked",
    }
    for manifest in (whole, minimal):
        manifest["features"].pop("slash_commands", None)
        manifest["features"].pop("shortcuts", None)
        manifest["settings"].pop("event_subscriptions")
        manifest.pop("oauth_config")
    assert whole == minimal


async def test_the_minimal_app_answers_mentions_threads_and_direct_messages(tmp_path: Path) -> None:
    async with walk(tmp_path) as town:
        town.workspace.scopes, town.workspace.subscriptions = _scopes("minimal"), _events("minimal")
        direct = town.workspace.direct_channel(town.ana)
        town.by_socket()
        async with town.run():
            asked = await town.mention("who consumes order.created?")
            assert "billing" in (await town.answers(asked))[0]
            await town.mention("and who owns billing?", user=town.ben, thread=asked)
            assert len(await town.answers(asked, 2)) == 2
            private = await town.workspace.say(town.ana, direct, "who owns billing?")
            await town.answers(private, channel=direct)
            assert {call.outcome for call in town.calls("users.info")} == {"missing_scope"}
            assert {call.outcome for call in town.calls("chat.postMessage")} == {"ok"}
    assert {call.method for call in town.workspace.calls} <= {*CALLS, "apps.connections.open"}
    assert town.states() == ["done"] * 3


def _printed(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["manifest", *arguments])
    assert done.exit_code == 0, done.stderr
    return done.stdout


def _refused(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["manifest", *arguments])
    assert done.exit_code == 2
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("name", ["socket", "minimal"])
def test_a_profile_is_printed_as_it_is(name: str) -> None:
    assert json.loads(_printed("slack", "--profile", name)) == _manifest(name)
    assert json.loads(_printed("slack")) == _manifest("socket")


@pytest.mark.parametrize("url", ["https://me.example.org", "https://me.example.org/slack/events/"])
def test_an_address_of_ones_own_stands_wherever_slack_calls_it(url: str) -> None:
    printed = _printed("slack", "--url", url)
    assert printed == _printed("slack", "--profile", "http", "--url", url)
    assert printed.count("https://me.example.org/slack/events") == 3
    assert printed.count("https://me.example.org/slack/oauth_redirect") == 1
    assert "example.com" not in printed
    assert json.loads(printed.replace("me.example.org", "threadline.example.com")) == _manifest("http")


def test_the_minimal_app_can_be_reached_over_http_too() -> None:
    printed = json.loads(_printed("slack", "--profile", "minimal", "--url", "https://me.example.org"))
    assert printed["settings"].pop("socket_mode_enabled") is False
    for part in ("event_subscriptions", "interactivity"):
        assert printed["settings"][part].pop("request_url") == "https://me.example.org/slack/events"
    expected = _manifest("minimal")
    expected["settings"].pop("socket_mode_enabled")
    assert printed == expected


def test_what_makes_no_manifest_is_refused_with_a_sentence() -> None:
    assert "needs your address" in _refused("slack", "--profile", "http")
    assert "needs no address" in _refused("slack", "--profile", "socket", "--url", "https://me.example.org")
    assert "not https" in _refused("slack", "--url", "http://me.example.org")
    assert "could not reach it" in _refused("slack", "--url", "http://127.0.0.1:8080")
    assert "Name the application" in _refused("discord", "--part", "install-link")
    assert "17 to 20 digits" in _refused("discord", "--application-id", "me")
    with pytest.raises(typer.Exit):
        manifest_text("slack/nobody.json")


def test_discords_parts_are_printed_with_ones_own_application() -> None:
    assert json.loads(_printed("discord")) == json.loads((FOLDER / "discord" / "commands.json").read_text())
    assert (
        json.loads(_printed("discord", "--part", "app"))["name"]
        == _manifest("socket")["display_information"]["name"]
    )
    link = urlsplit(_printed("discord", "--application-id", "123456789012345678").strip())
    assert parse_qs(link.query)["client_id"] == ["123456789012345678"]


def test_the_link_and_the_description_ask_for_the_same_few_permissions() -> None:
    text = (FOLDER / "discord" / "install-url.txt").read_text().strip()
    query = parse_qs(urlsplit(text).query)
    assert query["client_id"] == ["{application_id}"]
    described = json.loads((FOLDER / "discord" / "app.json").read_text())
    asked = described["integration_types_config"]["0"]["oauth2_install_params"]
    assert sorted(query["scope"][0].split()) == asked["scopes"] == ["applications.commands", "bot"]
    assert query["permissions"] == [str(asked["permissions"])]
    assert {name for name, granted in Permissions(asked["permissions"]) if granted} == {
        "attach_files",
        "create_public_threads",
        "read_message_history",
        "send_messages",
        "send_messages_in_threads",
        "read_messages",
    }
    assert text == oauth_url("{application_id}", permissions=Permissions(asked["permissions"]))


def test_discord_is_asked_for_no_privileged_intent_and_told_nothing_too_long() -> None:
    described = json.loads((FOLDER / "discord" / "app.json").read_text())
    names = {"guilds": "GUILDS", "guild_messages": "GUILD_MESSAGES", "dm_messages": "DIRECT_MESSAGES"}
    asked = {names[name] for name, wanted in intents(message_content=False) if wanted}
    assert set(described["intents"]) == asked
    assert len(described["description"]) <= 400
    assert len(described["tags"]) <= 5
    assert all(len(tag) <= 20 for tag in described["tags"])
