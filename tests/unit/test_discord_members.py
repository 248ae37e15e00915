"""The names people know each other by on Discord."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import pytest_asyncio

from bots.demo.discord import DiscordServer, DiscordWorld, HttpError, RateLimited
from bots.discord.client import ThreadlineClient, pointed_at
from bots.discord.keys import DIRECT
from bots.discord.members import Members
from core.clock import SystemClock
from core.errors import OutcomeUnknown
from core.errors import RateLimited as AskedToSlowDown
from core.model import AuthorId, WorkspaceId
from core.testing import SettableClock
from tests.fixtures.wire import Wire, response, says

MEMBER, USER = "GET /guilds/{guild}/members/{user}", "GET /users/{user}"
NOBODY = AuthorId("99999999")


@dataclass
class Town:
    """A guild with two people in it."""

    world: DiscordWorld
    clock: SettableClock
    guild: WorkspaceId
    ana: AuthorId
    ben: AuthorId
    members: Members

    async def names(self, *who: AuthorId, guild: WorkspaceId | None = None) -> Mapping[AuthorId, str]:
        return await self.members.names(guild or self.guild, who)

    def rename(self, who: AuthorId, name: str) -> None:
        self.world.users[who] = replace(self.world.users[who], name=name)


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    clock = SettableClock()
    world = DiscordWorld(clock)
    server = DiscordServer(world)
    await server.start()
    guild = world.add_guild("acme")
    ana, ben = world.add_user("Ana"), world.add_user("Ben")
    for who in (ana, ben):
        world.join(guild, who)
    with pointed_at(server.api_url, None):
        client = ThreadlineClient(clock, message_content=False, proxy=None)
        await client.login(world.token)
        yield Town(world, clock, WorkspaceId(guild), AuthorId(ana), AuthorId(ben), Members(client, clock))
        await client.close()
    await server.stop()


async def test_people_are_named_and_strangers_left_out(town: Town) -> None:
    outsider = AuthorId(town.world.add_user("Cleo"))
    assert await town.names(town.ana, NOBODY, outsider, town.ben) == {town.ana: "Ana", town.ben: "Ben"}


async def test_in_direct_messages_a_person_has_no_guild_and_a_name_all_the_same(town: Town) -> None:
    assert await town.names(town.ana, NOBODY, guild=DIRECT) == {town.ana: "Ana"}
    assert [call.status for call in town.world.calls_of(USER)][-2:] == [200, 404]
    assert town.world.calls_of(MEMBER) == []


async def test_a_name_is_remembered_for_ten_minutes(town: Town) -> None:
    await town.names(town.ana)
    town.rename(town.ana, "Anna")
    town.clock.advance(599)
    assert await town.names(town.ana) == {town.ana: "Ana"}
    assert len(town.world.calls_of(MEMBER)) == 1
    town.clock.advance(1)
    assert await town.names(town.ana) == {town.ana: "Anna"}
    assert len(town.world.calls_of(MEMBER)) == 2


async def test_that_somebody_is_a_stranger_is_not_remembered(town: Town) -> None:
    cleo = AuthorId(town.world.add_user("Cleo"))
    assert await town.names(cleo) == {}
    town.world.join(town.guild, cleo)
    assert await town.names(cleo) == {cleo: "Cleo"}


async def test_a_name_in_one_guild_is_none_in_another(town: Town) -> None:
    await town.names(town.ana)
    elsewhere = WorkspaceId(town.world.add_guild("other"))
    assert await town.names(town.ana, guild=elsewhere) == {}


async def test_a_discord_that_fails_is_told_to_who_asked(town: Town) -> None:
    town.world.faults.add(MEMBER, HttpError(503))
    with pytest.raises(OutcomeUnknown):
        await town.names(town.ana)
    town.world.faults.add(MEMBER, RateLimited(45))
    with pytest.raises(AskedToSlowDown) as limited:
        await town.names(town.ana)
    assert limited.value.retry_after == timedelta(seconds=45)
    assert await town.names(town.ana) == {town.ana: "Ana"}


@pytest.mark.parametrize(
    ("nick", "global_name", "name"),
    [
        ("Nan", "Ana", "Nan"),
        (None, "Ana", "Ana"),
        ("", "Ana", "Ana"),
        (None, None, "ana.1"),
        ("Nan", None, "Nan"),
    ],
)
async def test_the_guilds_name_goes_before_the_global_one_and_that_before_the_account(
    nick: str | None, global_name: str | None, name: str
) -> None:
    person = {
        "id": "1",
        "username": "ana.1",
        "discriminator": "0",
        "avatar": None,
        "global_name": global_name,
    }
    async with Wire.running() as wire:
        wire.act = says(response(json.dumps({**person, "user": person, "nick": nick}).encode()))
        with pointed_at(f"{wire.url}/api/v10", None):
            async with ThreadlineClient(SystemClock(), message_content=False, proxy=None) as client:
                await client.http.static_login("bot.token")
                members = Members(client, SettableClock())
                assert await members.names(WorkspaceId("7"), [AuthorId("1")]) == {"1": name}
                assert await members.names(DIRECT, [AuthorId("1")]) == {"1": global_name or "ana.1"}
