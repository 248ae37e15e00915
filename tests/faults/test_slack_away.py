"""Slack is away when the program starts: Discord goes on, Slack is sought with care, and nothing is lost."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bots.demo.assistant import faults
from bots.demo.slack import HttpError, RateLimited, Refuse
from bots.slack.calls import TokenRefused
from bots.slack.patience import pause_after
from core.errors import RateLimited as SlowDown
from core.errors import Unreachable
from tests.faults.proxy import FaultProxy
from tests.faults.toxics import Silence
from tests.fixtures.both import both
from tests.fixtures.guild import GuildWalk
from tests.fixtures.program import environment, program
from tests.fixtures.walk import Walk

pytestmark = pytest.mark.measured

HELLO, OPEN = "auth.test", "apps.connections.open"
HOUR = 3_600


async def _discord_works(town: GuildWalk) -> None:
    thread = await town.thread(await town.mention("who consumes order.created?"))
    assert "billing" in (await town.answers(thread))[0]


async def test_with_slack_away_at_the_start_discord_works_and_slack_follows(tmp_path: Path) -> None:
    async with both(tmp_path) as (town, slack):
        await slack.slack.stop()
        async with town.run() as threadline:
            await _discord_works(town)
            missed = await slack.mention("who owns billing?")
            town.clock.advance(HOUR)
            await _discord_works(town)
            await slack.slack.start()
            await town.until_later(lambda: slack.posted(missed))
            assert not any(task.done() for task in threadline.working)
            await slack.answers(await slack.mention("who owns inventory?"))
        assert len(slack.posted(missed)) == 1
        assert town.states() == ["done"] * 4
        assert slack.slack.socket_connections == 0


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        (HELLO, HttpError(503)),
        (HELLO, HttpError(520)),
        (HELLO, RateLimited(40)),
        (HELLO, Refuse("internal_error")),
        (OPEN, HttpError(503)),
        (OPEN, Refuse("internal_error")),
    ],
)
async def test_a_start_that_fails_for_now_is_made_again(
    tmp_path: Path, method: str, fault: HttpError | RateLimited | Refuse
) -> None:
    async with both(tmp_path) as (town, slack):
        slack.workspace.faults.add(method, *[fault] * 3)
        async with town.run():
            await _discord_works(town)
            await town.until_later(lambda: slack.slack.socket_connections)
            await slack.answers(await slack.mention("who owns billing?"))
        assert len(slack.calls(method)) == 4


async def test_a_slack_that_does_not_answer_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with both(tmp_path) as (town, slack), FaultProxy(slack.slack.api_url) as proxy:
        assert town.settings.slack is not None
        town.settings = replace(town.settings, slack=replace(town.settings.slack, api_url=proxy.url))
        proxy.add(Silence())
        async with town.run():
            await _discord_works(town)
            await town.until_later(lambda: slack.slack.socket_connections)
            await slack.answers(await slack.mention("who owns billing?"))


async def test_what_is_owed_there_waits_and_is_posted_once(tmp_path: Path) -> None:
    """Left over by a process before: it must be neither buried nor taken for posted while nobody knows us."""
    async with both(tmp_path) as (town, slack):
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            ts = await slack.mention("who consumes order.created?")
            await town.assistant.wait_for_calls(1)
            slack.workspace.faults.add("chat.postMessage", *[HttpError(503)] * 50)
            held.release()
            await slack.until_called("chat.postMessage")
        assert town.states() == ["answered"]
        slack.workspace.faults.clear()
        slack.workspace.faults.add(HELLO, *[HttpError(503)] * 3)
        called = len(slack.workspace.calls)
        async with town.run():
            await _discord_works(town)
            assert {call.method for call in slack.workspace.calls[called:]} == {HELLO}
            await town.until_later(lambda: slack.posted(ts))
        assert len(slack.posted(ts)) == 1
        assert town.states() == ["done"] * 2


async def test_a_token_that_is_refused_later_ends_it_with_an_instruction(tmp_path: Path) -> None:
    async with both(tmp_path) as (town, slack):
        slack.workspace.faults.add(HELLO, HttpError(503), HttpError(503), Refuse("invalid_auth"))
        async with town.run() as threadline:
            await town.until_later(lambda: any(task.done() for task in threadline.working))
            (ended,) = (task for task in threadline.working if task.done())
            with pytest.raises(TokenRefused, match="SLACK_BOT_TOKEN"):
                ended.result()


async def test_over_signed_http_what_comes_too_early_is_turned_away_and_found(town: Walk) -> None:
    town.workspace.faults.add(HELLO, HttpError(503), HttpError(503))
    async with town.run():
        missed = await town.mention("who owns billing?")
        assert "Payments" in (await town.answers(missed))[0]
    assert 503 in {delivery.status for delivery in town.workspace.deliveries}
    assert town.states() == ["done"]


async def test_slack_alone_is_waited_for_and_a_bad_token_still_ends_it(town: Walk, tmp_path: Path) -> None:
    town.workspace.faults.add(HELLO, HttpError(503), HttpError(503))
    ts = await town.mention("who owns billing?")
    async with program("run", env=environment(town), folder=str(tmp_path)):
        assert "Payments" in (await town.answers(ts))[0]
    town.workspace.faults.add(HELLO, HttpError(503), Refuse("invalid_auth"))
    async with program("run", env=environment(town), folder=str(tmp_path)) as child:
        _, said = await child.communicate()
    assert child.returncode == 2
    assert b"SLACK_BOT_TOKEN" in said
    assert b"Traceback" not in said


def test_pauses_grow_to_a_minute_and_are_never_shorter_than_slack_asks() -> None:
    away, most = Unreachable(), 0.999_999
    assert [round(pause_after(away, failed, most)) for failed in range(1, 7)] == [2, 4, 8, 16, 32, 60]
    assert [pause_after(away, failed, 0.0) for failed in (1, 2, 10_000)] == [1, 2, 30]
    assert pause_after(SlowDown(timedelta(seconds=90)), 1, 0.0) == 90
    assert pause_after(SlowDown(timedelta(days=1)), 1, 0.0) == HOUR
    assert pause_after(SlowDown(None), 1, 0.0) == 1
