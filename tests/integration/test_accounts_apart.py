"""Three workspaces on one installation, each with its own key: keys, projects and lanes never cross."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import SecretStr

from bots.demo.assistant import Catalogue, faults, media_demo, shop_demo
from bots.demo.discord import Interaction
from core.project_api import lane_of
from tests.fixtures.both import both
from tests.fixtures.guild import MEDIA, SHOP, GuildWalk
from tests.fixtures.walk import Walk

SLACKS, GUILDS, OTHERS = "key-of-the-slack-team-a1b2", "key-of-the-guild-c3d4e5", "key-of-another-f6a7b8"
OPS = "ops-demo-2c3d4"
ASKED = {SLACKS: "who consumes order.created?", GUILDS: "who publishes video.uploaded?"}


@dataclass
class Three:
    """A Slack team and two guilds, of which ana may manage both."""

    guilds: GuildWalk
    slack: Walk
    other: str  #: a channel of the second guild

    async def set_all(self) -> None:
        """Give each its key, and link a channel of each to a project of its own."""
        team, ana = self.slack.workspace, self.slack.ana
        await team.command(ana, self.slack.general, "/threadline", "account")
        view = await team.until(lambda: team.view(ana))
        values = {"key": SLACKS, "projects": "", "person": "", "channel": "", "waiting": ""}
        written = {name: {name: text} for name, text in values.items()}
        done = await team.submit_view(ana, view.id, values=written)
        assert done.body["response_action"] == "update"
        linked = await team.command(ana, self.slack.general, "/threadline", f"link {SHOP}")
        await team.until(lambda: linked.replies)
        for channel, key, project in ((self.guilds.general, GUILDS, MEDIA), (self.other, OTHERS, OPS)):
            opened = await self.guilds.world.slash(self.guilds.ana, channel, "threadline account")
            told = await self.guilds.world.submit(self.guilds.ana, opened, key=key)
            await self.guilds.world.until(partial(_is_told, told))
            assert "now asks" in await self.guilds.slash("threadline link", channel=channel, project=project)

    def asked(self) -> set[tuple[str | None, str]]:
        """Return which key came with which project, in all that was asked."""
        return {(call.key, call.project) for call in self.guilds.assistant.journal if call.method == "POST"}

    async def ask(self, question: str, channel: str | None = None) -> str:
        """Ask in a guild, and return the first thing that is said to it."""
        where = channel or self.guilds.general
        asked = await self.guilds.world.slash(self.guilds.ana, where, "ask", question=question)
        return (await self.guilds.answers(await self.guilds.thread_of(asked)))[0]

    async def offered(self, channel: str) -> list[str]:
        ana, world = self.guilds.ana, self.guilds.world
        choices = await world.complete(ana, channel, "threadline link", "project", "")
        return [choice["value"] for choice in choices]


def _is_told(done: Interaction) -> bool:
    return done.original is not None and not done.original.is_loading


@asynccontextmanager
async def three(folder: Path) -> AsyncIterator[Three]:
    async with both(folder) as (guilds, slack):
        second = guilds.world.add_guild("globex")
        guilds.world.join(second, guilds.ana, permissions=["manage_guild"])
        other = guilds.world.add_channel(second, "elsewhere")
        secret = SecretStr(Fernet.generate_key().decode())
        chat = replace(guilds.settings.chat, key=None)
        guilds.settings = replace(
            guilds.settings, secret_keys=(secret,), chat=chat, default_project=None, concurrency=2
        )
        ops = Catalogue(OPS, "Ops demo", shop_demo().services, shop_demo().topics, "")
        for key, project in ((SLACKS, shop_demo()), (GUILDS, media_demo()), (OTHERS, ops)):
            guilds.assistant.add_key(key, [project])
        yield Three(guilds, slack, other)


async def test_each_asks_under_its_own_key_about_its_own_projects_and_sees_no_others(tmp_path: Path) -> None:
    async with three(tmp_path) as town:
        async with town.guilds.run():
            await town.set_all()
            ts = await town.slack.mention(ASKED[SLACKS])
            assert "upload-api" in await town.ask(ASKED[GUILDS])
            assert "billing" in await town.ask(ASKED[SLACKS], town.other)
            assert "billing" in (await town.slack.answers(ts))[0]
            assert await town.offered(town.guilds.general) == [MEDIA]
            assert await town.offered(town.other) == [OPS]
        assert town.asked() == {(SLACKS, SHOP), (GUILDS, MEDIA), (OTHERS, OPS)}
        lanes = town.guilds.sql("SELECT platform, lane FROM accounts")
        assert sorted(lane for _, lane in lanes) == sorted(map(lane_of, (SLACKS, GUILDS, OTHERS)))
        text = "\n".join(str(row) for row in town.guilds.sql("SELECT * FROM accounts"))
        assert not any(key in text for key in (SLACKS, GUILDS, OTHERS))


async def test_a_project_of_another_ones_is_unknown_to_who_names_it(tmp_path: Path) -> None:
    async with three(tmp_path) as town:
        async with town.guilds.run():
            await town.set_all()
            link = await town.guilds.slash("threadline link", channel=town.other, project=MEDIA)
            assert "now asks" in link
            assert "does not know the project" in await town.ask(ASKED[GUILDS], town.other)
        assert town.asked() == {(OTHERS, MEDIA)}


async def test_a_429_and_a_refused_key_of_one_stop_no_other(tmp_path: Path) -> None:
    async with three(tmp_path) as town:
        async with town.guilds.run():
            await town.set_all()
            town.guilds.assistant.faults.add(faults.rate_limited("3600"))
            ts = await town.slack.mention(ASKED[SLACKS])
            await town.slack.workspace.until(lambda: town.asked() == {(SLACKS, SHOP)})
            town.guilds.assistant.revoke(OTHERS)
            assert "Someone who may manage this server has to set" in await town.ask("who?", town.other)
            assert "upload-api" in await town.ask(ASKED[GUILDS])
            assert all("order.created" not in said for said in town.slack.posted(ts))
        paused = town.guilds.sql("SELECT id FROM lanes WHERE paused_until IS NOT NULL AND strikes > 0")
        assert paused == [(lane_of(SLACKS),)]


async def test_what_one_changes_moves_nothing_of_another(tmp_path: Path) -> None:
    async with three(tmp_path) as town:
        async with town.guilds.run():
            await town.set_all()
            held = faults.hold()
            for _ in range(3):
                town.guilds.assistant.faults.add(held)
            first = await town.slack.mention(ASKED[SLACKS])
            second = await town.slack.mention("who owns billing?")
            await town.slack.workspace.until(lambda: town.asked() == {(SLACKS, SHOP)})
            gone = await town.guilds.slash("threadline account", remove=True)
            assert "own API key is gone" in gone
            held.release()
            await town.slack.answers(first)
            await town.slack.answers(second)
        assert town.asked() == {(SLACKS, SHOP)}
        kept = town.guilds.sql("SELECT platform FROM accounts ORDER BY platform")
        assert kept == [("discord",), ("slack",)]
