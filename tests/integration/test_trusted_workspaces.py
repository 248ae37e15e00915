"""Workspaces that the operator has not named: they ask nothing under its key, and see no project of its."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from structlog.testing import capture_logs

from bots.demo.assistant import media_demo
from bots.demo.slack import SlackWorkspace
from bots.discord.client import ConnectionRefused
from bots.settings import ALL_WORKSPACES
from tests.fixtures.guild import KEY, MEDIA, SHOP, GuildWalk, guild_walk
from tests.fixtures.many import Many, many, town_of

ORG = "E0GROUP1"
THEIRS = "a-key-of-the-strangers-a1b2"
QUESTION = "who publishes video.uploaded?"


def trusting(house: Many, *named: str) -> Many:
    house.settings = replace(house.settings, trusted=frozenset(named))
    return house


async def command(workspace: SlackWorkspace, at: tuple[str, str], text: str) -> str:
    done = await workspace.command(*at, "/threadline", text)
    await workspace.until(lambda: done.replies)
    return done.replies[0].text


async def told(workspace: SlackWorkspace, at: tuple[str, str], words: str, many_: int = 1) -> str:
    """Mention the bot and return the last of so many things that it says to that."""
    user, channel = at
    ts = await workspace.say(user, channel, f"<@{workspace.bot_user}> {words}")
    return await said_at(workspace, channel, ts, many_)


async def said_at(workspace: SlackWorkspace, channel: str, ts: str, many_: int) -> str:
    def said() -> list[str]:
        return [m.text for m in workspace.thread(channel, ts) if m.user == workspace.bot_user]

    await workspace.until(lambda: len(said()) >= many_)
    return said()[many_ - 1]


async def test_a_slack_workspace_that_nobody_named_has_no_key_and_sees_no_project(tmp_path: Path) -> None:
    async with many(tmp_path) as house:
        first, second = house.first.workspace, house.second
        trusting(house, first.team)
        house.first.assistant.add_key(THEIRS, [media_demo()])
        at = town_of(second)
        async with house.run():
            await house.install(first.team)
            await house.install(second.team)
            assert "no MicroVisualizer API key" in await told(second, at, QUESTION)
            status = await command(second, at, "status")
            assert "no API key to ask with here" in status
            assert SHOP not in status
            assert "no API key to ask with here yet" in await command(second, at, f"link {SHOP}")
            assert "no MicroVisualizer API key" in await told(second, at, "and now?")
            assert house.first.assistant.journal == []
            assert SHOP in await command(first, (house.first.ana, house.first.general), "status")
            await house.first.answers(await house.first.mention("who consumes order.created?"))
        assert {(call.key, call.project) for call in house.first.assistant.journal} == {(KEY, SHOP)}


async def test_what_strangers_asked_is_answered_under_the_key_that_they_set(tmp_path: Path) -> None:
    async with many(tmp_path) as house:
        trusting(house)
        second = house.second
        house.first.assistant.add_key(THEIRS, [media_demo()])
        user, channel = at = town_of(second)
        with capture_logs() as logs:
            async with house.run():
                await house.install(second.team)
                ts = await second.say(user, channel, f"<@{second.bot_user}> {QUESTION}")
                assert "`/threadline account`" in await said_at(second, channel, ts, 1)
                await command(second, at, f"link {MEDIA}")
                await second.command(user, channel, "/threadline", "account")
                view = await second.until(lambda: second.view(user))
                empty = dict.fromkeys(("projects", "person", "channel", "waiting"), "")
                filled = {name: {name: text} for name, text in {**empty, "key": THEIRS}.items()}
                await second.submit_view(user, view.id, values=filled)
                assert await said_at(second, channel, ts, 2)
        assert {call.key for call in house.first.assistant.journal} == {THEIRS}
        (warned,) = [line for line in logs if "nobody there asks" in line["event"]]
        assert warned["platforms"] == ["slack"]


@pytest.mark.parametrize("named", [ORG, ALL_WORKSPACES])
async def test_all_of_a_named_organisation_are_trusted_and_so_is_whoever_comes_where_all_are(
    tmp_path: Path, named: str
) -> None:
    """One workspace has the app by its organisation, the other has installed it by itself."""
    async with many(tmp_path) as house:
        trusting(house, named)
        places = {one.team: town_of(one) for one in (house.second, house.third)}
        with capture_logs() as logs:
            async with house.run():
                await house.install(ORG)
                house.second.enterprise = ORG
                await house.install(house.second.team)
                for workspace in (house.second, house.third):
                    assert await told(workspace, places[workspace.team], "who consumes order.created?")
        assert [call.key for call in house.first.assistant.journal] == [KEY, KEY]
        loud = [line for line in logs if "THREADLINE_TRUSTED_WORKSPACES is *" in line["event"]]
        assert len(loud) == (named == ALL_WORKSPACES)


def sealing(town: GuildWalk, *named: str) -> GuildWalk:
    """Have servers be able to keep keys of their own, and some of them trusted."""
    secret = SecretStr(Fernet.generate_key().decode())
    town.settings = replace(town.settings, secret_keys=(secret,), trusted=frozenset(named))
    return town


async def offered(town: GuildWalk, channel: str, command_: str = "threadline link") -> list[str]:
    more = {"question": "?"} if command_ == "ask" else {}
    choices = await town.world.complete(town.ana, channel, command_, "project", "", **more)
    return [choice["value"] for choice in choices]


async def test_a_server_that_nobody_named_has_no_key_and_sees_no_project(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        second = town.world.add_guild("strangers")
        town.world.join(second, town.ana, permissions=["manage_guild"])
        there = town.world.add_channel(second, "general")
        sealing(town, town.guild)
        async with town.run():
            assert await offered(town, there) == []
            assert await offered(town, there, "ask") == []
            status = await town.slash("threadline status", channel=there)
            assert "no API key to ask with here" in status
            assert SHOP not in status
            linked = await town.slash("threadline link", channel=there, project=SHOP)
            assert "there is no API key" in linked
            asked = await town.world.slash(town.ana, there, "ask", question=QUESTION, project=MEDIA)
            (words,) = await town.answers(await town.thread_of(asked))
            assert "no MicroVisualizer API key" in words
            direct = town.world.open_dm(town.ben)
            await town.world.say(town.ben, direct, "and here?")
            assert "no API key for direct messages" in (await town.answers(direct))[0]
            assert await offered(town, direct, "ask") == []
            assert town.assistant.journal == []
            assert sorted(await offered(town, town.general)) == sorted([MEDIA, SHOP])
            await town.answers(await town.thread_of(await town.ask("who consumes order.created?")))
        assert {call.key for call in town.assistant.journal} == {KEY}


async def test_direct_messages_can_be_named_and_are_told_of_trusted_servers_projects_only(
    tmp_path: Path,
) -> None:
    async with guild_walk(tmp_path, default=None) as town:
        second = town.world.add_guild("strangers")
        town.world.join(second, town.ana, permissions=["manage_guild"])
        there = town.world.add_channel(second, "general")
        sealing(town, town.guild, "@me")
        async with town.run():
            await town.slash("threadline link", project=MEDIA)
            await town.slash("threadline link", channel=there, project=SHOP)
            direct = town.world.open_dm(town.ana)
            assert await offered(town, direct, "ask") == [MEDIA]
            await town.world.slash(town.ana, direct, "ask", question=QUESTION, project=MEDIA)
            await town.world.until(lambda: [call for call in town.assistant.journal if call.method == "POST"])


async def test_where_servers_can_keep_keys_and_none_is_named_it_is_said_that_none_is_served(
    tmp_path: Path,
) -> None:
    async with guild_walk(tmp_path) as town:
        with capture_logs() as logs:
            async with sealing(town).run():
                asked = await town.ask(QUESTION)
                assert "no MicroVisualizer API key" in (await town.answers(await town.thread_of(asked)))[0]
        assert [line["platforms"] for line in logs if "nobody there asks" in line["event"]] == [["discord"]]
        assert town.assistant.journal == []


@pytest.mark.parametrize("named", [(), (ALL_WORKSPACES,)], ids=["none named", "all"])
async def test_a_bot_that_anybody_can_add_is_refused_unless_it_is_said_whom_the_key_serves(
    tmp_path: Path, named: tuple[str, ...]
) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.is_public = True
        town.settings = replace(town.settings, trusted=frozenset(named))
        if not named:
            with pytest.raises(ConnectionRefused, match=r"Public Bot off.*THREADLINE_TRUSTED_WORKSPACES"):
                async with town.run():
                    pass
            town.settings = replace(town.settings, chat=replace(town.settings.chat, key=None))
            sealing(town)  # there is nothing that a stranger could use
        async with town.run() as threadline:
            assert threadline.working


async def test_naming_the_server_makes_a_public_bot_safe_and_keeps_it_working(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.is_public = True
        town.settings = replace(town.settings, trusted=frozenset({town.guild}))
        async with town.run():
            await town.answers(await town.thread_of(await town.ask("who consumes order.created?")))
        assert {call.key for call in town.assistant.journal} == {KEY}
