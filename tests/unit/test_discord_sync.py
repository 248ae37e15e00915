"""Commands here and at Discord: what counts as a difference, and what is done about it, over real HTTP."""

import asyncio
import copy
import io
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from bots.cli import app
from bots.demo.discord import DiscordServer, DiscordWorld
from bots.discord.sync import CommandsRefused, TokenRefused, compare, sync
from bots.discord.tree import payloads
from bots.telemetry import configure
from core.clock import SystemClock
from core.errors import (
    BrokenAnswer,
    OutcomeUnknown,
    RateLimited,
    ThreadlineError,
    Unavailable,
    Unreachable,
)
from tests.fixtures.wire import Act, Wire, resets, response, says

TOKEN = "canary.token"
APP = "1234567890123456789"

ASK: dict[str, Any] = {
    "name": "ask",
    "type": 1,
    "description": "Ask",
    "options": [
        {"type": 3, "name": "question", "description": "What", "required": True, "max_length": 2000},
        {"type": 3, "name": "project", "description": "Which", "autocomplete": True},
        {"type": 5, "name": "private", "description": "Alone", "required": False},
    ],
    "contexts": [0, 1],
    "integration_types": [0],
    "nsfw": False,
}
LINK: dict[str, Any] = {
    "name": "threadline",
    "description": "Projects",
    "options": [
        {"type": 1, "name": "link", "description": "Link", "options": [ASK["options"][1]]},
        {"type": 1, "name": "status", "description": "See"},
    ],
    "default_member_permissions": 32,
}
MENU: dict[str, Any] = {"name": "Ask about this message", "type": 3}
OURS = [ASK, LINK, MENU]


def as_discord_has(command: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a command as Discord gives it back, with everything that it adds."""
    drawn = copy.deepcopy(command)
    permissions = drawn.get("default_member_permissions")
    for option in drawn.get("options", []):
        if option.get("required") is False:
            del option["required"]
        option |= {"name_localizations": None, "description_localizations": None, "name_localized": "x"}
    return {
        "contexts": None,
        "integration_types": [0, 1],
        "description": "",
        "type": 1,
        **drawn,
        "id": str(10**18 + number),
        "application_id": APP,
        "version": str(10**18 + number),
        "dm_permission": True,
        "nsfw": False,
        "name_localizations": None,
        "default_member_permissions": None if permissions is None else str(permissions),
    }


THEIRS = [as_discord_has(command, number) for number, command in enumerate(OURS)]


def said(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[str]:
    return [str(difference) for difference in compare(ours, theirs)]


def test_what_discord_adds_is_no_difference_nor_is_the_order_of_commands() -> None:
    assert said(OURS, THEIRS) == []
    assert said(OURS, THEIRS[::-1]) == []
    assert said([MENU | {"contexts": [0, 1, 2], "integration_types": [1, 0]}], [THEIRS[2]]) == []
    assert said([MENU | {"contexts": [1, 0]}], [THEIRS[2] | {"contexts": [0, 1]}]) == []


@given(st.lists(st.sampled_from(range(3)), unique=True), st.permutations(range(3)))
def test_every_command_is_missed_or_too_much_or_equal(kept: list[int], order: list[int]) -> None:
    there = [THEIRS[number] for number in order if number in kept]
    assert {(one.command, one.place) for one in compare(OURS, there)} == {
        (name, "")
        for number, name in enumerate(("/ask", "/threadline", "“Ask about this message”"))
        if number not in kept
    }
    assert len(compare([], there)) == len(kept)


def test_every_difference_is_told_in_a_line() -> None:
    other = copy.deepcopy(THEIRS)
    other[0]["description"] = "Frag"
    other[0]["options"][0]["required"] = False
    other[0]["contexts"] = [0]
    other[1]["options"].reverse()
    other[1]["default_member_permissions"] = "0"
    other[2] = as_discord_has({"name": "old"}, 3)
    assert said(OURS, other) == [
        '/ask: description is "Frag" at Discord, and should be "Ask"',
        "/ask: options.question.required is false at Discord, and should be true",
        "/ask: contexts is [0] at Discord, and should be [0, 1]",
        '/threadline: options is ["status", "link"] at Discord, and should be ["link", "status"]',
        '/threadline: default_member_permissions is "0" at Discord, and should be "32"',
        "“Ask about this message” is not at Discord",
        "/old is at Discord, but not ours",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("description", "Which one"),
        ("type", 4),
        ("autocomplete", False),
        ("choices", [{"name": "a", "value": "b", "name_localizations": {}}]),
        ("max_length", 5),
        ("min_length", 1),
        ("min_value", 1),
        ("max_value", 1),
        ("channel_types", [0]),
        ("name_localizations", {"de": "projekt"}),
        ("description_localizations", {"de": "Welches"}),
    ],
)
def test_nothing_of_an_option_is_overlooked_however_deep(field: str, value: object) -> None:
    other = copy.deepcopy(THEIRS)
    other[1]["options"][0]["options"][0][field] = value
    (difference,) = compare(OURS, other)
    assert difference.place == f"options.link.options.project.{field}"
    assert difference.theirs == value


def test_choices_are_compared_in_the_order_people_see() -> None:
    yes, no = {"name": "yes", "value": "y"}, {"name": "no", "value": "n", "name_localizations": None}
    ours = {"name": "a", "options": [{"type": 3, "name": "b", "description": "c", "choices": [yes, no]}]}
    theirs = copy.deepcopy(ours)
    assert compare([ours], [theirs]) == []
    theirs["options"][0]["choices"].reverse()  # type: ignore[index]  # JSON
    assert [one.place for one in compare([ours], [theirs])] == ["options.b.choices"]


class Discord:
    """As much of Discord as has to do with commands."""

    def __init__(self) -> None:
        self.commands = copy.deepcopy(THEIRS)
        self.calls: list[str] = []
        self.adds: dict[str, Any] = {}

    async def me(self, request: web.Request) -> web.Response:
        self.calls.append("me")
        assert request.headers["Authorization"] == f"Bot {TOKEN}"
        return web.json_response({"id": APP, "name": "Threadline"})

    async def get(self, request: web.Request) -> web.Response:
        self.calls.append("get")
        assert request.query["with_localizations"] == "true"
        return web.json_response(self.commands)

    async def put(self, request: web.Request) -> web.Response:
        self.calls.append("put")
        sent = await request.json()
        self.commands = [as_discord_has(one, number) | self.adds for number, one in enumerate(sent)]
        return web.json_response(self.commands)


@pytest_asyncio.fixture
async def discord() -> AsyncIterator[tuple[Discord, str]]:
    there = Discord()
    application = web.Application()
    application.router.add_get("/api/v10/oauth2/applications/@me", there.me)
    application.router.add_get(f"/api/v10/applications/{APP}/commands", there.get)
    application.router.add_put(f"/api/v10/applications/{APP}/commands", there.put)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield there, f"http://127.0.0.1:{runner.addresses[0][1]}/api/v10/"
    await runner.cleanup()


async def test_nothing_is_written_where_nothing_differs(discord: tuple[Discord, str]) -> None:
    there, url = discord
    assert await sync(TOKEN, url, OURS, apply=True) == []
    assert there.calls == ["me", "get"]


async def test_a_look_writes_nothing(discord: tuple[Discord, str]) -> None:
    there, url = discord
    there.commands.pop()
    assert [str(one) for one in await sync(TOKEN, url, OURS, apply=False)] == [
        "“Ask about this message” is not at Discord"
    ]
    assert there.calls == ["me", "get"]


async def test_whatever_differs_is_set_right_with_one_request(discord: tuple[Discord, str]) -> None:
    there, url = discord
    there.commands = [as_discord_has({"name": "old"}, 7), there.commands[0]]
    assert len(await sync(TOKEN, url, OURS, apply=True)) == 3
    assert there.calls == ["me", "get", "put"]
    assert await sync(TOKEN, url, OURS, apply=True) == []
    assert there.calls.count("put") == 1


async def test_a_default_of_discords_that_we_do_not_know_is_logged_not_fought(
    discord: tuple[Discord, str],
) -> None:
    there, url = discord
    there.commands, there.adds = [], {"nsfw": True}
    assert len(await sync(TOKEN, url, OURS, apply=True)) == 3
    assert there.calls.count("put") == 1


INVALID = {
    "code": 50035,
    "message": "Invalid Form Body",
    "errors": {"0": {"options": {"1": {"name": {"_errors": [{"code": "X", "message": "Too long"}]}}}}},
}


def reply(status: str, content: object, *headers: str) -> Act:
    return says(response(json.dumps(content).encode(), *headers, status=status))


@pytest.mark.parametrize(
    ("act", "meaning", "words"),
    [
        (reply("401 Unauthorized", {"message": "401: Unauthorized"}), TokenRefused, "copy DISCORD_TOKEN"),
        (reply("400 Bad Request", INVALID), CommandsRefused, "Invalid Form Body; 0.options.1.name: Too long"),
        (reply("403 Forbidden", {"message": "Missing Access"}), CommandsRefused, "Missing Access"),
        (reply("404 Not Found", ["?"]), CommandsRefused, "is DISCORD_API_URL right?"),
        (reply("302 Found", {}, "Location: https://example.com/"), CommandsRefused, "HTTP 302"),
        (reply("429 Too Many", {"retry_after": 30.2}, "Retry-After: 31"), RateLimited, "in 31 seconds"),
        (reply("429 Too Many", {}, "Retry-After: 9"), RateLimited, "in 9 seconds"),
        (reply("429 Too Many", {"retry_after": "soon"}), RateLimited, "in a while"),
        (reply("503 Unavailable", {}), Unavailable, "HTTP 503"),
        (says(response(b"<html>")), BrokenAnswer, "unreadable"),
        (reply("200 OK", []), BrokenAnswer, "unreadable"),
        (resets, OutcomeUnknown, "no reply"),
    ],
)
async def test_what_discord_answers_is_said_in_a_sentence(
    act: Act, meaning: type[ThreadlineError], words: str
) -> None:
    async with Wire.running() as wire:
        wire.act = act
        with pytest.raises(ThreadlineError) as raised:
            await sync(TOKEN, f"{wire.url}/api/v10", OURS, apply=True)
        assert act is resets or len(wire.heard) == 1
    assert type(raised.value) is meaning
    assert words in str(raised.value)
    assert TOKEN not in str(raised.value)


async def test_a_rate_limit_says_how_long() -> None:
    async with Wire.running() as wire:
        wire.act = reply("429 Too Many", {"retry_after": 30.2})
        with pytest.raises(RateLimited) as raised:
            await sync(TOKEN, wire.url, OURS, apply=False)
    assert raised.value.retry_after == timedelta(seconds=31)


async def test_a_discord_that_is_not_there_has_seen_nothing() -> None:
    async with Wire.running() as wire:
        gone = wire.url
    with pytest.raises(Unreachable, match="cannot be reached"):
        await sync(TOKEN, gone, OURS, apply=True)


@pytest_asyncio.fixture
async def simulated() -> AsyncIterator[tuple[DiscordWorld, DiscordServer]]:
    world = DiscordWorld(SystemClock())
    server = DiscordServer(world)
    await server.start()
    yield world, server
    await server.stop()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No .env of the developer's, no token of theirs; and the logs are afterwards as they were."""
    undo = configure(json=True, stream=io.StringIO())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    yield
    undo()


async def command(*arguments: str, **env: str) -> Result:
    """Run `threadline discord sync` in a thread of its own, as it runs an event loop of its own."""
    words = ["discord", "sync", *arguments]
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, words, env=env))


@pytest.mark.usefixtures("elsewhere")
async def test_the_command_sets_a_new_application_right_and_then_leaves_it_alone(
    simulated: tuple[DiscordWorld, DiscordServer],
) -> None:
    world, server = simulated
    env = {"DISCORD_TOKEN": world.token, "DISCORD_API_URL": server.api_url}
    missing = await command("--check", **env)
    assert missing.exit_code == 1
    assert missing.stdout.splitlines() == [
        "/ask is not at Discord",
        "/threadline is not at Discord",
        "“Ask about this message” is not at Discord",
    ]
    applied = await command("--apply", **env)
    assert applied.exit_code == 0
    assert applied.stdout.splitlines()[3:] == ["Set right."]
    assert {one["name"] for one in world.commands} == {one["name"] for one in payloads()}
    for again in ("--check", "--apply"):
        equal = await command(again, **env)
        assert equal.exit_code == 0
        assert equal.stdout == "Discord has the commands as they should be.\n"
    routes = [call.route for call in world.calls]
    assert routes.count("PUT /applications/{application}/commands") == 1


@pytest.mark.usefixtures("elsewhere")
async def test_the_command_says_what_has_to_be_set_right_first(
    simulated: tuple[DiscordWorld, DiscordServer],
) -> None:
    world, server = simulated
    for arguments in ((), ("--check", "--apply")):
        unsaid = await command(*arguments, DISCORD_TOKEN=world.token)
        assert unsaid.exit_code == 2
        assert "Say one of --check" in unsaid.stderr
    unset = await command("--check")
    assert unset.exit_code == 2
    assert "Set DISCORD_TOKEN" in unset.stderr
    wrong = await command("--check", DISCORD_TOKEN="somebody.elses", DISCORD_API_URL=server.api_url)
    assert wrong.exit_code == 2
    assert "copy DISCORD_TOKEN again" in wrong.stderr
    assert "somebody.elses" not in wrong.stderr


def test_the_manifest_is_what_the_code_registers() -> None:
    """Renew it, after a look at what has changed, with
    python -c 'import json; from bots.discord.tree import payloads as p;
    print(json.dumps(p(), indent=2, sort_keys=True, ensure_ascii=False))' > manifests/discord/commands.json
    """
    written = (Path(__file__).parents[2] / "manifests" / "discord" / "commands.json").read_text()
    assert written == json.dumps(payloads(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
