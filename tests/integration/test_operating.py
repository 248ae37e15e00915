"""What an operator sees and does: outages, pauses, metrics, and what only a human moves."""

import asyncio
import io
import os
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner, Result

from bots.cli import app
from bots.demo.assistant import faults
from bots.demo.slack import HttpError, Refuse
from bots.telemetry import configure
from tests.fixtures.program import environment
from tests.fixtures.walk import Walk


async def invoke(*arguments: str, env: dict[str, str]) -> Result:
    """Run a command in a thread of its own, as it runs an event loop of its own."""
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, list(arguments), env=env))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No .env of the developer's, no variables of theirs; and the logs are afterwards as they were."""
    undo = configure(json=True, stream=io.StringIO())
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("THREADLINE_", "SLACK_", "DISCORD_", "MICROVISUALIZER_")):
            monkeypatch.delenv(name)
    yield
    undo()


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
    assert "Nothing waits" in (await invoke("queue", "list", env=env)).stdout
    async with town.run():
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
        assert "1 conversation of slack" in (await invoke("purge", "slack", team, "--yes", env=env)).stdout
    for table in ("deliveries", "turns", "parts", "conversations", "links"):
        assert town.sql(f"SELECT * FROM {table}") == []  # noqa: S608 our own names
    assert "0 conversations" in (await invoke("purge", "slack", team, "--yes", env=env)).stdout
