"""What Discord is told of our commands."""

from collections.abc import Iterator
from typing import Any

import pytest

from bots.demo.discord import DiscordWorld
from bots.demo.discord.commands import register
from bots.discord.tree import payloads
from bots.discord.views import LONGEST_QUESTION
from core.testing import SettableClock

SUBCOMMAND, TEXT, YES_OR_NO = 1, 3, 5


@pytest.fixture
def commands() -> dict[str, dict[str, Any]]:
    return {command["name"]: command for command in payloads()}


def everything(things: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for thing in things:
        yield thing
        yield from everything(thing.get("options", []))


def options(command: dict[str, Any]) -> dict[str, tuple[int, bool]]:
    return {one["name"]: (one["type"], one["required"]) for one in command.get("options", [])}


def test_there_are_two_commands_and_one_menu_entry(commands: dict[str, dict[str, Any]]) -> None:
    assert {name: command["type"] for name, command in commands.items()} == {
        "ask": 1,
        "threadline": 1,
        "Ask about this message": 3,
    }


def test_discord_would_take_them(commands: dict[str, dict[str, Any]]) -> None:
    assert len(register(DiscordWorld(SettableClock()), payloads())) == len(commands)


def test_they_are_told_the_same_each_time() -> None:
    assert payloads() == payloads()


def test_names_are_lower_case_and_everything_is_described_in_a_hundred_characters() -> None:
    slash = [command for command in payloads() if command["type"] == 1]
    for thing in everything(slash):
        assert thing["name"] == thing["name"].lower()
        assert 1 <= len(thing["description"]) <= 100


def test_they_are_for_servers_and_direct_messages_and_installed_in_servers_alone() -> None:
    for command in payloads():
        assert sorted(command["contexts"]) == [0, 1]
        assert command["integration_types"] == [0]


def test_everybody_sees_them_and_who_may_link_is_looked_at_when_it_is_done() -> None:
    assert {command.get("default_member_permissions") for command in payloads()} == {None}


def test_a_question_is_needed_and_the_rest_may_be_left_out(commands: dict[str, dict[str, Any]]) -> None:
    ask = commands["ask"]
    assert options(ask) == {"question": (TEXT, True), "project": (TEXT, False), "private": (YES_OR_NO, False)}
    question, project, _ = ask["options"]
    assert (question["min_length"], question["max_length"]) == (1, LONGEST_QUESTION)
    assert project["autocomplete"] is True


def test_what_one_can_do_with_threadline(commands: dict[str, dict[str, Any]]) -> None:
    below = {one["name"]: one for one in commands["threadline"]["options"]}
    assert {one["type"] for one in below.values()} == {SUBCOMMAND}
    assert {name: options(one) for name, one in below.items()} == {
        "link": {"project": (TEXT, True), "everywhere": (YES_OR_NO, False), "new_posts": (YES_OR_NO, False)},
        "unlink": {"everywhere": (YES_OR_NO, False)},
        "account": {"remove": (YES_OR_NO, False)},
        "status": {},
        "answers": {},
        "help": {},
    }
    assert below["link"]["options"][0]["autocomplete"] is True
