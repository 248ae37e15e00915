"""`/threadline` and the choices while one types."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bots.demo.assistant import faults
from bots.demo.discord import HttpError
from tests.fixtures.guild import FOLLOW_UP, MEDIA, RESPOND, SHOP, guild_walk


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
        assert "the server's default" in await town.slash("threadline status")
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


async def test_a_command_that_fails_after_its_first_sign_says_so_too(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        town.sql("ALTER TABLE deliveries RENAME TO gone")
        done = await town.world.slash(town.ana, town.general, "threadline answers")
        await town.world.until(lambda: done.original is not None and not done.original.is_loading)
        assert done.original is not None
        assert "did not work" in done.original.content
        assert done.original.ephemeral
        town.sql("ALTER TABLE gone RENAME TO deliveries")


async def test_a_fault_of_our_own_is_not_explained_to_people(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        await town.slash("threadline link", project=SHOP)
        town.sql("UPDATE links SET linked_at = 'yesterday or so'")
        assert "something unexpected happened, and is in the log" in await town.slash("threadline status")


@pytest.mark.parametrize("form", [False, True], ids=["command", "form"])
async def test_a_failure_that_cannot_be_told_harms_nobody(tmp_path: Path, *, form: bool) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await town.thread_of(await town.ask("who consumes order.created?"))
        await town.answers(thread)
        town.world.deny(town.general, "send_messages_in_threads")
        spent = HttpError(404, code=10062)
        if form:
            (answer,) = town.said(thread)
            pressed = await town.world.press(town.ana, thread, answer.id, FOLLOW_UP)
            town.world.faults.add(RESPOND, spent, spent)
            submitted = asyncio.create_task(town.world.submit(town.ana, pressed, question="and?"))
        else:
            town.world.faults.add(RESPOND, spent, spent)
            submitted = asyncio.create_task(town.world.slash(town.ana, thread, "ask", question="and?"))
        await town.called(RESPOND, 404, 2)
        town.clock.advance(3.1)
        assert (await submitted).failed
        assert "asks" in await town.slash("threadline status")


async def test_a_form_of_somebody_else_is_not_ours_to_answer(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        message = await town.world.say(town.ben, town.general, "order.created is late")
        opened = await town.world.menu(town.ana, town.general, message, "Ask about this message")
        assert opened.modal is not None
        opened.modal = {**opened.modal, "custom_id": "strange"}
        submitted = asyncio.create_task(town.world.submit(town.ana, opened))
        assert "asks" in await town.slash("threadline status")
        town.clock.advance(3.1)
        assert (await submitted).failed


async def test_a_slow_database_keeps_nobody_waiting_for_the_first_sign(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town, town.run():
        with closing(sqlite3.connect(town.settings.database_url.removeprefix("sqlite:///"))) as other:
            other.isolation_level = None
            other.execute("BEGIN IMMEDIATE")
            linking = await town.world.slash(town.ana, town.general, "threadline link", project=SHOP)
            assert not linking.failed
            asking = await town.world.slash(town.ana, town.general, "threadline status")
            assert not asking.failed
            other.execute("COMMIT")
        await town.world.until(lambda: linking.original is not None and not linking.original.is_loading)
        assert linking.original is not None
        assert "now asks" in linking.original.content
        await town.world.until(lambda: asking.original is not None and not asking.original.is_loading)


async def test_a_named_project_is_looked_up_in_time_or_not_at_all(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        with closing(sqlite3.connect(town.settings.database_url.removeprefix("sqlite:///"))) as other:
            other.isolation_level = None
            other.execute("BEGIN IMMEDIATE")
            asked = await town.world.slash(town.ben, town.general, "ask", question="who?", project=SHOP)
            other.execute("COMMIT")
        assert not asked.failed
        assert asked.original is not None
        assert asked.original.ephemeral
        assert "did not work" in asked.original.content
