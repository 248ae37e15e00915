"""`/threadline account` in Discord: the form, what is wrong with it, and what is asked under whose key."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from structlog.testing import capture_logs

from bots.demo.assistant import faults, media_demo
from bots.demo.discord import HttpError, Interaction
from bots.discord.keys import DIRECT
from tests.fixtures.guild import MEDIA, SHOP, GuildWalk, guild_walk

OURS = "a-key-of-the-server-a1b2c3"
PATCH_ORIGINAL = "PATCH /webhooks/{application}/{token}/messages/{message}"


@asynccontextmanager
async def sealing(folder: Path, *, own: bool = True) -> AsyncIterator[GuildWalk]:
    """Give an installation that keeps servers' keys; not `own`: it has none itself."""
    async with guild_walk(folder, default=None) as town:
        secret = SecretStr(Fernet.generate_key().decode())
        chat = town.settings.chat if own else replace(town.settings.chat, key=None)
        ours = frozenset({town.guild, DIRECT})
        town.settings = replace(town.settings, secret_keys=(secret,), chat=chat, trusted=ours)
        town.assistant.add_key(OURS, [media_demo()])
        yield town


async def form(town: GuildWalk) -> Interaction:
    return await town.world.slash(town.ana, town.general, "threadline account")


async def said(town: GuildWalk, done: Interaction) -> str:
    await town.world.until(lambda: done.original is not None and not done.original.is_loading)
    assert done.original is not None
    assert done.original.ephemeral
    return done.original.content


async def fill_in(town: GuildWalk, opened: Interaction, *, user: str | None = None, **fields: str) -> str:
    return await said(town, await town.world.submit(user or town.ana, opened, **fields))


async def offered(town: GuildWalk, *, user: str | None = None) -> list[str]:
    who = user or town.ana
    choices = await town.world.complete(who, town.general, "ask", "project", "", question="?")
    return [choice["value"] for choice in choices]


async def test_a_server_sets_its_key_asks_under_it_and_takes_it_away(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with sealing(tmp_path) as town, town.run():
            assert sorted(await offered(town)) == [MEDIA, SHOP]
            told = await fill_in(town, await form(town), key=OURS, projects=MEDIA, person="7")
            assert told.startswith("MicroVisualizer accepts the key.")
            town.clock.advance(61)  # for as long what was offered before is remembered
            assert await offered(town) == [MEDIA]
            assert await offered(town, user=town.ben) == []
            assert "not on the list" in await town.slash("threadline link", project=SHOP)
            assert "now asks" in await town.slash("threadline link", project=MEDIA)
            assert await offered(town, user=town.ben) == [MEDIA]
            assert "not on the list" in await town.slash("ask", question="who?", project=SHOP)
            status = await town.slash("threadline status")
            assert f"`{OURS[-4:]}`), about `{MEDIA}` only, set by <@{town.ana}>" in status
            asked = await town.ask("who publishes video.uploaded?")
            assert "upload-api" in (await town.answers(await town.thread_of(asked)))[0]
            again = await form(town)
            assert OURS not in str(again.modal)
            assert MEDIA in str(again.modal)
            assert "own API key is gone" in await town.slash("threadline account", remove=True)
            assert "no API key of its own" in await town.slash("threadline account", remove=True)
    chats = [(call.key, call.project) for call in town.assistant.journal if call.method == "POST"]
    assert chats == [(OURS, MEDIA)]
    assert OURS not in str(logs)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"key": "unknown"}, "**API key of your organisation**: MicroVisualizer does not accept this key"),
        ({"key": OURS, "projects": SHOP}, f"The key does not see `{SHOP}`"),
        (
            {"key": OURS, "person": "many", "waiting": "0"},
            "**Questions that may wait at once**: This has to be",
        ),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_kept(
    tmp_path: Path, fields: dict[str, str], words: str
) -> None:
    async with sealing(tmp_path) as town, town.run():
        assert words in await fill_in(town, await form(town), **fields)
        assert town.sql("SELECT * FROM accounts") == []


async def test_an_endpoint_that_is_away_is_said_to_be_so(tmp_path: Path) -> None:
    async with sealing(tmp_path) as town, town.run():
        town.assistant.faults.add(faults.status(503))
        opened = await form(town)
        assert "does not answer as it should" in await fill_in(town, opened, key=OURS)
        assert "accepts the key" in await fill_in(town, opened, key=OURS)


async def test_only_who_may_manage_the_server_may_set_a_key(tmp_path: Path) -> None:
    async with sealing(tmp_path) as town, town.run():
        refused = await town.world.slash(town.ben, town.general, "threadline account")
        assert "may manage this server" in await said(town, refused)
        assert "may manage this server" in await town.slash("threadline account", user=town.ben, remove=True)
        opened = await form(town)
        assert "may manage this server" in await fill_in(town, opened, user=town.ben, key=OURS)
        direct = town.world.open_dm(town.ana)
        assert "Direct messages have no API key" in await town.slash("threadline account", channel=direct)
        assert town.sql("SELECT * FROM accounts") == []


async def test_without_a_secret_key_the_operator_is_named(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        assert "THREADLINE_SECRET_KEY" in await town.slash("threadline account")


async def test_without_any_key_a_question_waits_for_one(tmp_path: Path) -> None:
    async with sealing(tmp_path, own=False) as town, town.run():
        assert await offered(town) == []
        assert "But there is no API key" in await town.slash("threadline link", project=MEDIA)
        thread = await town.thread_of(await town.ask("who publishes video.uploaded?"))
        (told,) = await town.answers(thread)
        assert "There is no MicroVisualizer API key" in told
        direct = town.world.open_dm(town.ben)
        await town.world.say(town.ben, direct, "and here?")
        assert "no API key for direct messages" in (await town.answers(direct))[0]
        assert "accepts the key" in await fill_in(town, await form(town), key=OURS)
        assert "upload-api" in (await town.answers(thread, 2))[1]
        assert len(town.said(direct)) == 1


async def test_what_is_done_stays_done_where_that_cannot_be_said(tmp_path: Path) -> None:
    async with sealing(tmp_path) as town:
        town.leaves_thinking = True
        async with town.run():
            opened = await form(town)
            town.world.faults.add(PATCH_ORIGINAL, HttpError(404))
            await town.world.submit(town.ana, opened, key=OURS)
            await town.called(PATCH_ORIGINAL, 404)
            assert len(town.sql("SELECT * FROM accounts")) == 1


async def test_a_slow_database_opens_no_form_too_late(tmp_path: Path) -> None:
    async with sealing(tmp_path) as town, town.run():
        with closing(sqlite3.connect(town.settings.database_url.removeprefix("sqlite:///"))) as other:
            other.isolation_level = None
            other.execute("BEGIN IMMEDIATE")
            refused = await form(town)
            other.execute("COMMIT")
        assert "database is not available" in await said(town, refused)


async def test_projects_of_a_server_with_a_key_of_its_own_are_not_named_in_direct_messages(
    tmp_path: Path,
) -> None:
    async with sealing(tmp_path) as town, town.run():
        await town.slash("threadline link", project=MEDIA)
        direct = town.world.open_dm(town.ben)
        choose = (town.ben, direct, "ask", "project", "")
        before = await town.world.complete(*choose, question="?")
        assert [choice["value"] for choice in before] == [MEDIA]
        await fill_in(town, await form(town), key=OURS)
        assert await town.world.complete(*choose, question="?") == []


async def test_a_key_that_is_checked_while_its_server_leaves_is_not_kept(tmp_path: Path) -> None:
    async with sealing(tmp_path) as town:
        town.leaves_thinking = True
        held = faults.hold()
        with capture_logs() as logs:
            async with town.run():
                await town.slash("threadline link", project=MEDIA)
                opened = await form(town)
                town.assistant.faults.add(held)
                await town.world.submit(town.ana, opened, key=OURS)
                await town.until_later(
                    lambda: [call for call in town.assistant.journal if call.key == OURS], 0
                )
                town.world.remove_bot(town.guild)
                await town.until_later(lambda: not town.sql("SELECT * FROM links"), 0)
                held.release()
                await town.until_later(
                    lambda: [one for one in logs if one["event"] in {"account set", "account not set"}], 0
                )
        assert town.sql("SELECT * FROM accounts") == []
