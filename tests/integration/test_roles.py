"""Threadline in several processes, each with its role, over one PostgreSQL database."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from bots.demo.assistant import faults
from bots.slack.http import PATH
from bots.wiring import Role, Threadline, running
from bots.wiring.roles import RoleImpossible
from tests.fixtures.crew import member, sql
from tests.fixtures.program import environment
from tests.fixtures.signed import sealed, send
from tests.fixtures.walk import Walk, walk


@pytest_asyncio.fixture
async def town(tmp_path: Path, postgres_url: str) -> AsyncIterator[Walk]:
    async with walk(tmp_path) as whole:
        whole.settings = replace(whole.settings, database_url=postgres_url)
        yield whole


@asynccontextmanager
async def _member(town: Walk, role: Role) -> AsyncIterator[Threadline]:
    """Run one process's part in this process."""
    async with running(town.settings, town.clock, role) as threadline:
        yield threadline


def _signed(town: Walk, **more: str) -> dict[str, str]:
    """Return an environment in which Slack calls us."""
    secret = town.workspace.signing_secret
    return environment(town, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=secret, **more)


async def test_what_web_accepts_work_answers(town: Walk, tmp_path: Path) -> None:
    folder, posts = str(tmp_path), environment(town, SLACK_APP_TOKEN="")
    async with member("web", _signed(town), folder) as web, member("work", posts, folder) as work:
        town.slack.send_events_to(web.url + PATH)
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        assert len(await town.answers(ts, 2)) == 2
        async with aiohttp.ClientSession() as session:
            for url in (web.url, work.url):
                async with session.get(f"{url}/readyz") as ready:
                    assert ready.status == 200
                async with session.get(f"{url}/metrics") as metrics:
                    assert 'threadline_questions{state="waiting"} 0.0' in await metrics.text()
            async with session.post(work.url + PATH) as nothing:
                assert nothing.status == 404
        assert [await web.stop(), await work.stop()] == [0, 0]
    assert len(town.assistant.journal) == 2


async def test_what_is_stopped_at_web_is_let_go_by_work_which_shows_it_no_more(town: Walk) -> None:
    held = faults.hold()
    town.assistant.faults.add(held)
    status = "assistant.threads.setStatus"
    async with _member(town, Role.WORK), _member(town, Role.WEB) as web:
        town.slack.send_events_to(web.url + PATH)
        ts = await town.mention("who consumes order.created?")
        await town.assistant.wait_for_calls(1)
        await town.until_called(status)
        await town.workspace.say(town.ana, town.general, "stop", thread=ts)
        await town.workspace.until(lambda: town.calls(status)[-1].arguments.get("status") == "")
    held.release()
    cancelled = sql(town.settings.database_url, "SELECT count(*) FROM deliveries WHERE state = 'cancelled'")
    assert cancelled == [(1,)]


async def test_a_follow_up_that_comes_to_one_web_before_its_mention_comes_to_another_is_answered(
    town: Walk,
) -> None:
    async with _member(town, Role.WORK), _member(town, Role.WEB) as one, _member(town, Role.WEB) as other:
        ts = await town.mention("who consumes order.created?")
        follow_up = await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        for web, at in ((one, follow_up), (other, ts)):
            told = next(told for told in town.workspace.events.values() if told["event"]["ts"] == at)
            body = json.dumps(told).encode()
            headers = sealed(body, secret=town.workspace.signing_secret)
            assert await send(web.url + PATH, body, headers=headers) == (200, "")
        assert len(await town.answers(ts, 2)) == 2


@pytest.mark.parametrize(
    ("role", "url", "said"),
    [
        (Role.WORK, "sqlite:///threadline.db", "needs a database that processes share"),
        (Role.LISTEN, "postgresql://me@nowhere/threadline", "SLACK_APP_TOKEN or DISCORD_TOKEN"),
        (Role.WEB, "postgresql://me@nowhere/threadline", "SLACK_SIGNING_SECRET"),
    ],
)
async def test_a_role_that_has_nothing_to_stand_on_is_refused_before_anything_is_opened(
    tmp_path: Path, role: Role, url: str, said: str
) -> None:
    async with walk(tmp_path) as town:
        if role is Role.WEB:
            town.by_socket()
        with pytest.raises(RoleImpossible, match=said):
            async with running(replace(town.settings, database_url=url), town.clock, role):
                pass


async def test_two_hold_a_socket_each_and_one_of_them_catches_up(town: Walk, tmp_path: Path) -> None:
    folder, env = str(tmp_path), environment(town)
    async with member("work", env, folder), member("listen", env, folder) as first:
        await first.said("caught up")
        async with member("listen", env, folder) as second:
            await town.workspace.until(lambda: town.slack.socket_connections == 2)
            questions = [await town.mention("who consumes order.created?") for _ in range(4)]
            for ts in questions:
                await town.answers(ts)
            await first.kill()
            ts = await town.mention("who owns billing?")
            await town.answers(ts)
            assert second.logged("caught up") == []
            await second.said("caught up")
            await second.stop()
    assert [len(town.posted(one)) for one in [*questions, ts]] == [1] * 5
    holders = [holder for (holder,) in sql(town.settings.database_url, "SELECT holder FROM seats")]
    assert not [one for one in holders if f":{second.child.pid} " in one]
