"""`/threadline` and the choices while one types."""

from dataclasses import replace
from pathlib import Path

import pytest

from bots.demo.assistant import faults
from tests.fixtures.guild import MEDIA, SHOP, guild_walk


async def test_who_may_manage_the_server_links_and_unlinks_channels(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town, town.run():
        assert "has no project" in await town.slash("threadline status")
        assert f"now asks `{SHOP}`" in await town.slash("threadline link", project=SHOP)
        assert f"asks `{SHOP}` (linked" in await town.slash("threadline status", user=town.ben)
        assert "is gone" in await town.slash("threadline unlink")
        assert "had no link" in await town.slash("threadline unlink")


async def test_a_project_can_be_made_the_servers_default(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town, town.run():
        assert "without a link" in await town.slash("threadline link", project=MEDIA, everywhere=True)
        assert "the workspace's default" in await town.slash("threadline status")
        await town.slash("threadline link", project=SHOP)
        assert f"asks `{SHOP}`" in await town.slash("threadline status")
        other = town.world.add_channel(town.guild, "other")
        assert f"asks `{MEDIA}`" in await town.slash("threadline status", channel=other)
        assert "is gone" in await town.slash("threadline unlink", everywhere=True)


async def test_other_people_may_not_link(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town, town.run():
        for command, options in (("link", {"project": SHOP}), ("unlink", {})):
            told = await town.slash(f"threadline {command}", user=town.ben, **options)
            assert "Only people who may manage this server" in told
        direct = town.world.open_dm(town.ana)
        assert "Only people" in await town.slash("threadline link", channel=direct, project=SHOP)
        assert town.sql("SELECT * FROM links") == []


async def test_whom_the_operator_names_may_link_everywhere(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town:
        town.settings = replace(town.settings, admins=frozenset({town.ben}))
        async with town.run():
            assert "now asks" in await town.slash("threadline link", user=town.ben, project=SHOP)
            direct = town.world.open_dm(town.ben)
            await town.slash("threadline link", user=town.ben, channel=direct, project=MEDIA)
            told = await town.slash("threadline status", user=town.ben, channel=direct)
            assert f"asks `{MEDIA}`" in told


async def test_a_link_to_what_is_no_project_is_refused(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town, town.run():
        assert "is not a project id" in await town.slash("threadline link", project="SHOP")


async def test_help_explains(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        assert "`/ask`" in await town.slash("threadline help", user=town.ben)


@pytest.mark.parametrize("command", ["ask", "threadline link"])
async def test_projects_are_offered_while_one_types(tmp_path: Path, command: str) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        offered = await town.world.complete(town.ana, town.general, command, "project", "sho")
        assert [choice["value"] for choice in offered] == [SHOP]
        assert SHOP in offered[0]["name"]
        asked = len(town.assistant.journal)
        assert await town.world.complete(town.ben, town.general, command, "project", "sho ") == offered
        assert len(town.assistant.journal) == asked  # what was found is remembered for a minute


async def test_with_the_assistant_down_nothing_is_offered_and_an_id_can_be_typed(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        town.assistant.faults.add(faults.status(503))
        assert await town.world.complete(town.ana, town.general, "ask", "project", "sho") == []
        asked = await town.ask("who consumes order.created?", project=SHOP)
        await town.answers(await town.thread_of(asked))


async def test_a_command_that_fails_says_so(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        town.sql("ALTER TABLE links RENAME TO gone")
        assert "did not work" in await town.slash("threadline status")
        town.sql("ALTER TABLE gone RENAME TO links")
        assert "asks" in await town.slash("threadline status")
