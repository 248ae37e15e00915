"""What an operator sees and does: outages, pauses, metrics, and what only a human moves."""

import os
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import psycopg
import pytest
from cryptography.fernet import Fernet

from bots.demo.assistant import faults
from bots.demo.slack import HttpError, Refuse
from tests.fixtures.commands import invoke
from tests.fixtures.postgres import Postgres
from tests.fixtures.program import environment
from tests.fixtures.walk import Walk

pytestmark = pytest.mark.usefixtures("elsewhere")


async def test_an_outage_shows_in_status_and_metrics_while_questions_are_taken(town: Walk) -> None:
    for _ in range(200):
        town.assistant.faults.add(faults.disconnect())
    async with town.run() as threadline:
        async with aiohttp.ClientSession() as session:
            for number in range(6):
                await town.mention(f"question {number}", channel=town.general)
            measured = ""
            while "threadline_lane_circuit{" not in measured:
                async with session.get(f"{threadline.url}/metrics") as metrics:
                    measured = await metrics.text()
            await town.mention("and one more?")
            await town.acknowledged()
            async with session.get(f"{threadline.url}/readyz") as ready:
                assert ready.status == 200
        shown = (await invoke("status", env=environment(town))).stdout
    assert "The assistant has not answered since" in shown
    assert "test" not in measured


async def _make_ambiguous(town: Walk) -> str:
    """Have an answer posted of which nobody can tell: the reply is lost, and looking is not allowed."""
    town.workspace.faults.add("chat.postMessage", HttpError(after=True))
    town.workspace.faults.add("conversations.replies", Refuse("missing_scope"))
    ts = await town.mention("who consumes order.created?")
    await town.workspace.until(lambda: town.states() == ["ambiguous"])
    return ts


async def test_what_only_a_human_can_tell_is_listed_and_taken_at_their_word(town: Walk) -> None:
    env = environment(town)
    async with town.run():
        assert "Nothing waits" in (await invoke("queue", "list", env=env)).stdout
        ts = await _make_ambiguous(town)
        ((reference,),) = town.sql("SELECT id FROM deliveries")
        listed = (await invoke("queue", "list", env={**env, "COLUMNS": "200"})).stdout
        assert reference in listed
        assert "ambiguous" in listed
        assert "1 wait for a human" in (await invoke("status", env=env)).stdout
        said = await invoke("queue", "posted", reference, env=env)
        assert "is done" in said.stdout
        assert town.states() == ["done"]
        again = await invoke("queue", "posted", reference, env=env)
        assert (again.exit_code, "is not ambiguous" in again.stderr) == (2, True)
    assert len(town.posted(ts)) == 1


async def test_a_reference_is_listed_whole_however_narrow_the_terminal_is(town: Walk) -> None:
    async with town.run():
        await _make_ambiguous(town)
    ((reference,),) = town.sql("SELECT id FROM deliveries")
    listed = (await invoke("queue", "list", env=environment(town, COLUMNS="60"))).stdout
    assert any(reference in line for line in listed.splitlines())


async def test_what_was_given_up_does_not_wait_for_a_human_and_is_told_apart(town: Walk) -> None:
    town.assistant.faults.add(faults.status(402, code="insufficient_ai_credits"))
    async with town.run():
        await town.answers(await town.mention("who consumes order.created?"))
    assert town.states() == ["buried"]
    shown = (await invoke("status", env=environment(town))).stdout
    assert "1 given up" in shown
    assert "wait for a human" not in shown


@pytest.mark.parametrize(
    "command",
    [("status",), ("queue", "list"), ("queue", "retry", "x"), ("purge", "slack", "T0X", "--yes")],
    ids=" ".join,
)
async def test_in_the_wrong_folder_no_database_is_made(
    town: Walk, tmp_path: Path, command: Sequence[str]
) -> None:
    file = tmp_path / "elsewhere" / "threadline.db"
    file.parent.mkdir()
    os.chdir(file.parent)
    refused = await invoke(*command, env=environment(town, THREADLINE_DATABASE_URL="sqlite:///threadline.db"))
    assert refused.exit_code == 2
    assert f"there is no database at {file}." in refused.stderr
    assert "THREADLINE_DATABASE_URL" in refused.stderr
    assert list(file.parent.iterdir()) == []


async def test_in_another_database_no_tables_are_made(postgres: Postgres) -> None:
    key = Fernet.generate_key().decode()
    commands = [("status",), ("queue", "list"), ("purge", "slack", "T0X", "--yes"), ("secret", "reseal")]
    with postgres.database() as url:
        env = {"THREADLINE_DATABASE_URL": url, "THREADLINE_SECRET_KEY": key}
        for command in commands:
            refused = await invoke(*command, env=env)
            assert (refused.exit_code, "is no database of Threadline" in refused.stderr) == (2, True)
        with psycopg.connect(url) as connection:
            tables = connection.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
            ).fetchone()
    assert tables == (0,)


async def test_what_is_not_there_is_posted_again_at_a_humans_word(town: Walk) -> None:
    env = environment(town)
    async with town.run():
        ts = await _make_ambiguous(town)
        ((reference,),) = town.sql("SELECT id FROM deliveries")
        said = await invoke("queue", "retry", reference, env=env)
        assert f"{reference} is answered now" in said.stdout
        await town.answers(ts, 2)
    assert town.states() == ["done"]
    assert len(town.assistant.journal) == 1


async def test_a_workspace_is_purged_at_an_operators_word(town: Walk) -> None:
    env = environment(town)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        team = town.workspace.team
        assert (await invoke("purge", "slack", team, env=env)).exit_code == 2
        assert (await invoke("purge", "irc", team, "--yes", env=env)).exit_code == 2
        await invoke("link", "shop-demo-7f3k2", "--channel", town.general, env=env)
        done = await invoke("purge", "slack", team, "--yes", env=env)
        assert f"1 link and 1 conversation of slack {team} deleted" in done.stdout
        assert "No token was revoked, as SLACK_CLIENT_ID is not set: the app stays" in done.stderr
    for table in ("deliveries", "turns", "parts", "conversations", "links"):
        assert town.sql(f"SELECT * FROM {table}") == []  # noqa: S608 our own names
    again = await invoke("purge", "slack", team, "--yes", env=env)
    assert (again.exit_code, again.stderr) == (1, f"Nothing is kept of slack {team}.\n")


@pytest.mark.parametrize(
    ("platform", "workspace"),
    [("slack", "80351110224678912"), ("slack", "acme"), ("discord", "T0DEMO01"), ("slack", "@me")],
)
async def test_what_is_no_workspace_of_that_platform_is_not_purged(
    town: Walk, platform: str, workspace: str
) -> None:
    refused = await invoke("purge", platform, workspace, "--yes", env=environment(town))
    assert refused.exit_code == 2
    assert f"{workspace!r} is not a workspace's id of {platform}" in refused.stderr


async def test_what_is_kept_of_discord_is_purged_by_a_servers_number_or_as_direct_messages(
    town: Walk,
) -> None:
    env, guild = environment(town), "80351110224678912"
    for channel in ("80351110224678913", "80351110224678914"):
        await invoke("link", "shop-demo-7f3k2", "--workspace", guild, "--channel", channel, env=env)
    done = (await invoke("purge", "discord", guild, "--yes", env=env)).stdout
    assert f"2 links and 0 conversations of discord {guild} deleted" in done
    assert "Nothing is kept" in (await invoke("purge", "discord", "@me", "--yes", env=env)).stderr
