"""Servers that the bot leaves are forgotten, however it hears of that; those it is not sure of are not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from bots.demo.discord import Hold, HttpError
from tests.fixtures.guild import SHOP, GuildWalk, guild_walk, in_time

GET_GUILD = "GET /guilds/{guild}"


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[GuildWalk]:
    async with guild_walk(tmp_path) as whole:
        yield whole


def linked(town: GuildWalk) -> list[str]:
    return [where for (where,) in town.sql("SELECT workspace FROM links")]


def kept(town: GuildWalk) -> list[str]:
    return [where for (where,) in town.sql("SELECT workspace FROM conversations") if where == town.guild]


async def link(town: GuildWalk) -> None:
    assert "now asks" in await town.slash("threadline link", project=SHOP)


async def new_session(town: GuildWalk) -> None:
    """Have the session lost, and another begun."""
    before = town.server.gateway.identifies
    await town.server.gateway.invalidate()
    await town.until_later(lambda: town.server.gateway.identifies > before, 5.0)
    await town.elsewhere()


async def lost_session(town: GuildWalk) -> None:
    """Have the session lost, and the bot removed before there is another."""
    before = town.server.gateway.identifies
    await town.server.gateway.invalidate()
    await town.world.until(lambda: not town.server.gateway.sessions)
    town.world.remove_bot(town.guild)
    await town.until_later(lambda: town.server.gateway.identifies > before, 5.0)


async def test_a_server_left_between_two_sessions_is_forgotten_once_discord_confirms_it(
    town: GuildWalk,
) -> None:
    async with town.run():
        await link(town)
        await lost_session(town)
        await town.called(GET_GUILD, 404)
        await town.elsewhere()
        assert linked(town) == []
        await new_session(town)
    assert len(town.world.calls_of(GET_GUILD)) == 1


async def test_where_discord_does_not_say_it_is_asked_again(town: GuildWalk) -> None:
    async with town.run():
        await link(town)
        town.world.faults.add(GET_GUILD, HttpError(501))
        await lost_session(town)
        await town.called(GET_GUILD, 501)
        assert linked(town) == [town.guild]
        await town.until_later(lambda: not linked(town), 30.0)


@pytest.mark.parametrize("code", [20001, 0])
async def test_what_discord_does_not_confirm_is_kept(town: GuildWalk, code: int) -> None:
    async with town.run():
        await link(town)
        town.world.faults.add(GET_GUILD, HttpError(403, code))
        await lost_session(town)
        await town.called(GET_GUILD, 403)
        await town.elsewhere()
        assert linked(town) == [town.guild]


async def test_a_token_that_is_refused_meanwhile_costs_no_purge(town: GuildWalk) -> None:
    async with town.run():
        await link(town)
        town.world.faults.add(GET_GUILD, HttpError(401))
        await lost_session(town)
        await town.called(GET_GUILD, 401)
        assert linked(town) == [town.guild]
        await town.until_later(lambda: not linked(town), 30.0)


async def test_servers_that_are_all_there_are_not_asked_about(town: GuildWalk) -> None:
    async with town.run():
        await link(town)
        await new_session(town)
    assert linked(town) == [town.guild]
    assert town.world.calls_of(GET_GUILD) == []


async def test_what_was_left_while_nobody_ran_is_told_of_and_kept(town: GuildWalk) -> None:
    async with town.run():
        await link(town)
    town.world.remove_bot(town.guild)
    with capture_logs() as logs:
        async with town.run():
            strange = "the bot is not in servers that it has links of"
            await town.until_later(lambda: [line for line in logs if line["event"] == strange], 0.0)
            await town.elsewhere()
    assert [line["workspaces"] for line in logs if line["event"] == strange] == [[town.guild]]
    assert linked(town) == [town.guild]


async def test_where_the_purge_cannot_be_stored_it_is_done_soon_after(town: GuildWalk) -> None:
    async with town.run():
        await link(town)
        town.sql("ALTER TABLE conversations RENAME TO away")
        town.world.remove_bot(town.guild)
        await town.until_asleep(30.0)
        town.sql("ALTER TABLE away RENAME TO conversations")
        town.clock.advance(30.0)
        await town.until_later(lambda: not linked(town), 0.0)


async def test_a_server_that_has_the_bot_back_before_that_is_kept(town: GuildWalk) -> None:
    async with town.run():
        await link(town)
        town.sql("ALTER TABLE conversations RENAME TO away")
        guild, channels = town.world.guilds[town.guild], dict(town.world.channels)
        town.world.remove_bot(town.guild)
        await town.until_asleep(30.0)
        town.sql("ALTER TABLE away RENAME TO conversations")
        town.world.guilds[town.guild] = guild
        town.world.channels.update(channels)
        town.world.recover(town.guild)
        await town.elsewhere()
        with capture_logs() as logs:
            town.clock.advance(30.0)
            await town.until_later(lambda: logs, 0.0)
            await town.elsewhere()
        assert "back before" in str(logs)
        assert linked(town) == [town.guild]


async def test_what_was_read_before_it_was_left_does_not_come_back_after_the_purge(town: GuildWalk) -> None:
    await town.mention("who consumes order.created?")  # nobody runs
    hold = Hold(after=True)
    town.world.faults.add("GET /channels/{channel}/messages", hold)
    async with town.run():
        await in_time(hold.held.wait())
        town.world.remove_bot(town.guild)
        await town.elsewhere()
        hold.release()
        await town.elsewhere()
        assert kept(town) == []
    assert town.states() == ["done", "done"]


async def test_an_edit_that_failed_before_it_was_left_does_not_come_after_the_purge(town: GuildWalk) -> None:
    async with town.run():
        talk = await town.world.say(town.ana, town.general, "who consumes order.created?")
        town.sql("ALTER TABLE conversations RENAME TO away")
        await town.edit(talk, "who consumes order.created?")
        await town.until_asleep(30.0)
        town.sql("ALTER TABLE away RENAME TO conversations")
        town.world.remove_bot(town.guild)
        await town.elsewhere()
        town.clock.advance(30.0)
        await town.elsewhere()
        assert kept(town) == []
    assert town.states() == ["done", "done"]
