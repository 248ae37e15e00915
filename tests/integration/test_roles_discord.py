"""Processes that share the shards of one Discord bot, over one PostgreSQL database."""

import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest_asyncio

from bots.demo.discord import Delay, DiscordWorld
from bots.wiring import Role, running
from tests.fixtures.commands import invoke
from tests.fixtures.crew import member, sql
from tests.fixtures.guild import RESPOND, GuildWalk, environment, guild_walk

SHARDS = 2


@pytest_asyncio.fixture
async def town(tmp_path: Path, postgres_url: str) -> AsyncIterator[GuildWalk]:
    async with guild_walk(tmp_path) as whole:
        whole.settings = replace(whole.settings, database_url=postgres_url)
        whole.server.shards = SHARDS
        whole.server.gateway.session_start_limit.max_concurrency = SHARDS
        yield whole


def _places(world: DiscordWorld, town: GuildWalk) -> dict[int, str]:
    """Return a channel of each shard."""
    found: dict[int, str] = {}
    while len(found) < SHARDS:
        guild = world.add_guild("another")
        world.join(guild, town.ana)
        found[(int(guild) >> 22) % SHARDS] = world.add_channel(guild, "general")
    return found


async def _answered(town: GuildWalk, channel: str) -> str:
    asked = await town.mention("who consumes order.created?", channel=channel)
    thread = await town.thread(asked)
    await town.answers(thread)
    return thread


def _shards(town: GuildWalk) -> dict[int, int]:
    """Return how many sessions carry each shard now."""
    connected = [session.shard[0] for session in town.server.gateway.sessions if session.link is not None]
    return {shard: connected.count(shard) for shard in range(SHARDS)}


def _holders(town: GuildWalk) -> dict[str, str]:
    rows = sql(town.settings.database_url, "SELECT name, holder FROM seats WHERE name LIKE 'discord shard%'")
    return dict(rows)


async def _shared(town: GuildWalk) -> None:
    """Wait until each of two processes has one shard, and is connected."""
    await town.world.until(lambda: _shards(town) == {0: 1, 1: 1} and len({*_holders(town).values()}) == 2, 60)


async def test_two_share_the_shards_and_one_is_killed_its_shard_moves_and_all_is_answered_once(
    town: GuildWalk, tmp_path: Path
) -> None:
    env, folder, places = environment(town), str(tmp_path), _places(town.world, town)
    async with member("work", env, folder) as work, member("listen", env, folder) as first:
        async with member("listen", env, folder) as second:
            await _shared(town)
            threads = [await _answered(town, channel) for channel in places.values()]
            await second.kill()
            missed = [await town.mention("who owns billing?", channel=one) for one in places.values()]
            await first.said("seat taken", 4)  # among them that of a listener
            await town.world.until(lambda: _shards(town) == {0: 1, 1: 1}, 60)
            for one in missed:
                await town.answers(await town.thread(one))
            threads += [await _answered(town, channel) for channel in places.values()]
        assert [await first.stop(), await work.stop()] == [0, 0]
    assert _shards(town) == {0: 0, 1: 0}
    assert _holders(town) == {}
    assert [len(town.said(thread)) for thread in [*threads, *missed]] == [1] * 6


async def test_a_listener_that_was_stopped_past_its_lease_lets_go_of_its_shard(
    town: GuildWalk, tmp_path: Path
) -> None:
    env, folder, places = (
        environment(town, THREADLINE_DISCORD_SHARDS="1"),
        str(tmp_path),
        _places(town.world, town),
    )
    async with member("all", env, folder) as first, member("listen", env, folder) as second:
        await town.world.until(lambda: town.server.gateway.connections == 1, 60)
        first.child.send_signal(signal.SIGSTOP)
        await second.said("discord ready")
        first.child.send_signal(signal.SIGCONT)
        await first.said("seat lost")
        await town.world.until(lambda: town.server.gateway.connections == 1, 60)
        thread = await _answered(town, places[0])
        assert len(town.said(thread)) == 1


async def test_asked_by_a_command_it_is_answered_where_it_was_asked_and_in_private(town: GuildWalk) -> None:
    """Who posts it has not acknowledged it, and is quicker here."""
    town.server.shards = 1
    async with running(town.settings, town.clock, Role.WORK), running(town.settings, town.clock, Role.LISTEN):
        town.world.faults.add(RESPOND, Delay(0.5))
        thread = await town.thread_of(await town.ask("who consumes order.created?"))
        await town.answers(thread)
        town.world.faults.add(RESPOND, Delay(0.5))
        await town.ask("who consumes order.created?", private=True)
        assert "billing" in (await town.whispers(1))[0]
    assert len(town.said(thread)) == 1
    assert len(town.said(town.general)) == 1  # the question, shown once
    assert town.said(town.world.open_dm(town.ana)) == []


async def test_one_process_has_all_shards_each_with_a_client_of_its_own(town: GuildWalk) -> None:
    places = _places(town.world, town)
    async with running(town.settings, town.clock) as threadline:
        await town.world.until(lambda: _shards(town) == {0: 1, 1: 1})
        async with aiohttp.ClientSession() as session, session.get(f"{threadline.url}/readyz") as ready:
            told = await ready.json()
        seats = ["discord listener 1", "discord shard 0/2", "discord shard 1/2"]
        assert told == {"ready": True, "role": "all", "seats": seats}
        status = (await invoke("status", env=environment(town))).stdout
        assert all(seat in status for seat in seats)
        for channel in places.values():
            assert len(town.said(await _answered(town, channel))) == 1
        await town.server.gateway.drop()
        missed = [await town.mention("who owns billing?", channel=one) for one in places.values()]
        for one in missed:
            await town.answers(await town.thread(one))
    assert _shards(town) == {0: 0, 1: 0}
    assert town.server.gateway.connections == 0


async def test_shards_of_one_bucket_identify_one_after_the_other(town: GuildWalk, tmp_path: Path) -> None:
    town.server.gateway.session_start_limit.max_concurrency = 1
    town.settings = replace(town.settings, database_url=f"sqlite:///{tmp_path / 'threadline.db'}")
    async with running(town.settings, town.clock):
        await town.until_asleep(5)
        assert town.server.gateway.identifies == 1
        town.clock.advance(5)
        await town.world.until(lambda: town.server.gateway.identifies == 2)
