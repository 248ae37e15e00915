"""“Threadline is typing …”: how long it is kept up, and that it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bots.demo.discord import DiscordServer, DiscordWorld, HttpError
from bots.discord.client import ThreadlineClient, pointed_at
from bots.discord.typists import Typing
from core.testing import SettableClock

TYPING = "POST /channels/{channel}/typing"


class Hasty(SettableClock):
    """Nobody waits here: time is where the sleeper wants it."""

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


@dataclass
class Town:
    """Two channels that we may type in."""

    world: DiscordWorld
    clock: SettableClock
    typing: Typing
    general: str
    random: str

    def calls(self, channel: str = "") -> list[float]:
        """Return when we were said to type, in seconds from the first time."""
        made = [
            call.at
            for call in self.world.calls_of(TYPING)
            if call.ids["channel"] in {channel or self.general}
        ]
        return [(at - made[0]).total_seconds() for at in made]

    async def shown(self, times: int, channel: str = "") -> None:
        await self.world.until(lambda: len(self.calls(channel)) >= times)

    async def over(self) -> None:
        """Wait until nobody keeps anything up any more."""
        await asyncio.gather(*kept_up(), return_exceptions=True)


def kept_up() -> list["asyncio.Task[None]"]:
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("typing ")]


@asynccontextmanager
async def town_of(clock: SettableClock) -> AsyncIterator[Town]:
    world = DiscordWorld(clock)
    server = DiscordServer(world)
    await server.start()
    guild = world.add_guild("acme")
    general, random = world.add_channel(guild, "general"), world.add_channel(guild, "random")
    with pointed_at(server.api_url, None):
        client = ThreadlineClient(clock, message_content=False, proxy=None)
        await client.login(world.token)
        typing = Typing(client, clock)
        yield Town(world, clock, typing, general, random)
        await typing.aclose()
        assert kept_up() == []
        await client.close()
    await server.stop()


async def test_it_is_kept_up_every_nine_seconds_and_not_for_ever() -> None:
    async with town_of(Hasty()) as town:
        began = town.clock.now()
        town.typing.begin(int(town.general))
        await town.over()
        assert town.calls() == [9.0 * number for number in range(12)]
        assert town.clock.now() - began == timedelta(seconds=108)
        town.typing.end(int(town.general))


async def test_it_can_be_begun_anew_when_it_has_run_out() -> None:
    async with town_of(Hasty()) as town:
        for _ in range(2):
            town.typing.begin(int(town.general))
            await town.over()
        assert len(town.calls()) == 24


async def test_a_channel_where_it_has_ended_is_left_in_peace() -> None:
    async with town_of(SettableClock()) as town:
        for channel in (town.general, town.random):
            town.typing.begin(int(channel))
            await town.shown(1, channel)
        town.typing.end(int(town.general))
        town.typing.end(int(town.general))
        await asyncio.gather(
            *(task for task in kept_up() if town.general in task.get_name()), return_exceptions=True
        )
        assert [task.get_name() for task in kept_up()] == [f"typing {town.random}"]


async def test_begun_twice_it_is_kept_up_once() -> None:
    async with town_of(SettableClock()) as town:
        town.typing.begin(int(town.general))
        await town.shown(1)
        (first,) = kept_up()
        town.typing.begin(int(town.general))
        await asyncio.gather(first, return_exceptions=True)
        await town.shown(2)
        assert [task.get_name() for task in kept_up()] == [f"typing {town.general}"]
        town.typing.end(int(town.general))
        await town.over()
        assert kept_up() == []


async def test_it_is_over_at_once_when_everything_ends() -> None:
    async with town_of(SettableClock()) as town:
        for channel in (town.general, town.random):
            town.typing.begin(int(channel))
            await town.shown(1, channel)
        await town.typing.aclose()
        assert kept_up() == []


@pytest.mark.parametrize("status", [403, 404, 503])
async def test_where_it_may_not_be_shown_it_ends_without_a_sound(status: int) -> None:
    async with town_of(Hasty()) as town:
        town.world.faults.add(TYPING, HttpError(status))
        town.typing.begin(int(town.general))
        (task,) = kept_up()
        await asyncio.wait([task])
        assert task.exception() is None
        assert len(town.calls()) == 1


async def test_what_failed_once_does_not_keep_it_from_being_shown_later() -> None:
    async with town_of(Hasty()) as town:
        town.world.faults.add(TYPING, HttpError(503))
        for _ in range(2):
            town.typing.begin(int(town.general))
            await town.over()
        assert len(town.calls()) == 13
