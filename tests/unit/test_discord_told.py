"""What the gateway tells of messages and servers is passed on as ids, with nothing cached; or to nobody."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any

import discord
import pytest
import pytest_asyncio

from bots.discord.client import ThreadlineClient
from core.clock import SystemClock

AUTHOR = {"id": "5", "username": "ana", "discriminator": "0", "avatar": None}
WHOLE: dict[str, Any] = {
    "id": "9",
    "channel_id": "8",
    "type": 0,
    "author": AUTHOR,
    "content": "who?",
    "timestamp": "2026-01-01T00:00:00+00:00",
    "edited_timestamp": None,
    "attachments": [],
    "embeds": [],
    "components": [],
    "mentions": [],
    "mention_roles": [],
    "mention_everyone": False,
    "pinned": False,
    "tts": False,
    "flags": 0,
}
EDITED = "2026-01-01T00:01:00+00:00"
ME = {"id": "1", "username": "threadline", "discriminator": "0", "avatar": None, "bot": True}


class Heard:
    """A client that is told things, and what it passed on."""

    def __init__(self, client: ThreadlineClient) -> None:
        self.client = client
        self.all: list[object] = []

    def listen(self) -> None:
        self.client.on_edited = self._edited
        self.client.on_half_edited = lambda *told: self.all.append(("half", *told))
        self.client.on_deleted = self._deleted
        self.client.on_left = lambda guild: self.all.append(("left", guild))

    def tell(self, event: str, told: dict[str, Any]) -> None:
        """Do as discord.py's connection does with an event."""
        self.client._connection.parsers[event](told)

    async def passed_on(self) -> list[object]:
        """Return what was passed on, once all listeners have run."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 5)
        return self.all

    def _edited(self, message: discord.Message) -> None:
        self.all.append(("edited", message.id, message.content))

    def _deleted(self, guild: int | None, channel: int, messages: Collection[int]) -> None:
        self.all.append(("deleted", guild, channel, list(messages)))


@pytest_asyncio.fixture
async def heard() -> AsyncIterator[Heard]:
    async with ThreadlineClient(SystemClock(), message_content=False, proxy=None) as client:
        yield Heard(client)


@pytest.mark.parametrize("listens", [True, False])
async def test_edits_deletions_and_removals_are_passed_on_while_somebody_listens(
    heard: Heard, *, listens: bool
) -> None:
    if listens:
        heard.listen()
    heard.tell("READY", {"user": ME, "guilds": [{"id": "7", "unavailable": True}]})
    assert heard.client._connection._ready_task is not None
    heard.client._connection._ready_task.cancel()
    heard.tell("MESSAGE_UPDATE", WHOLE)
    heard.tell("MESSAGE_UPDATE", {"id": "9", "channel_id": "8", "embeds": []})
    heard.tell("MESSAGE_UPDATE", {"id": "9", "channel_id": "8", "edited_timestamp": EDITED})
    heard.tell("MESSAGE_UPDATE", {"id": "9", "channel_id": "8", "guild_id": "7", "edited_timestamp": EDITED})
    heard.tell("MESSAGE_DELETE", {"id": "9", "channel_id": "8", "guild_id": "7"})
    heard.tell("MESSAGE_DELETE", {"id": "9", "channel_id": "8"})
    heard.tell("MESSAGE_DELETE_BULK", {"ids": ["11", "10"], "channel_id": "8", "guild_id": "7"})
    heard.tell("GUILD_DELETE", {"id": "7", "unavailable": True})
    heard.tell("GUILD_DELETE", {"id": "7"})
    passed_on = [
        ("half", None, 8, 9),
        ("half", 7, 8, 9),
        ("edited", 9, "who?"),
        ("deleted", 7, 8, [9]),
        ("deleted", None, 8, [9]),
        ("deleted", 7, 8, [10, 11]),
        ("left", 7),
    ]
    assert await heard.passed_on() == (passed_on if listens else [])


async def test_the_servers_of_former_sessions_are_told_once(heard: Heard) -> None:
    connection = heard.client._connection
    for guilds in (["7", "8"], ["8"], ["8", "9"]):
        heard.tell("READY", {"user": ME, "guilds": [{"id": one, "unavailable": True} for one in guilds]})
        assert connection._ready_task is not None
        connection._ready_task.cancel()
    assert heard.client.guilds_before() == {7, 8}
    assert heard.client.guilds_before() == frozenset()
