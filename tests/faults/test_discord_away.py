"""Discord is away, at the start or later: Slack goes on, Discord is sought with care, and nothing is lost."""

from pathlib import Path

import pytest

from bots.demo.assistant import faults
from bots.demo.discord import Hold, HttpError, RateLimited
from bots.discord.client import ThreadlineClient, log_in, pointed_at
from bots.discord.line import Pauses
from core.clock import SystemClock
from core.errors import OutcomeUnknown, Unreachable
from tests.fixtures.both import both
from tests.fixtures.guild import POST, guild_walk
from tests.fixtures.walk import Walk

pytestmark = pytest.mark.measured

ME, APPLICATION = "GET /users/{user}", "GET /oauth2/applications/@me"
HOUR = 3_600


async def _slack_works(slack: Walk) -> None:
    assert "billing" in (await slack.answers(await slack.mention("who consumes order.created?")))[0]


async def test_with_discord_away_at_the_start_slack_works_and_discord_follows(tmp_path: Path) -> None:
    async with both(tmp_path) as (town, slack):
        await town.server.stop()
        async with town.run() as threadline:
            await _slack_works(slack)
            missed = await town.mention("who owns billing?")
            town.clock.advance(HOUR)
            await _slack_works(slack)
            await town.server.start()
            await town.until_later(lambda: missed in town.world.channels and town.said(missed))
            assert not any(task.done() for task in threadline.working)
        assert town.server.gateway.identifies == 1
        assert town.states() == ["done"] * 3


@pytest.mark.parametrize("route", [ME, APPLICATION], ids=["who we are", "what we are"])
@pytest.mark.parametrize(
    "fault", [HttpError(503), HttpError(520), RateLimited(40.0), RateLimited(40.0, via=False)]
)
async def test_a_login_that_fails_for_now_is_made_again(
    tmp_path: Path, route: str, fault: HttpError | RateLimited
) -> None:
    async with both(tmp_path) as (town, slack):
        town.world.faults.add(route, *[fault] * 3)
        async with town.run():
            await _slack_works(slack)
            await town.until_later(lambda: town.server.gateway.identifies)
            await town.answers(await town.thread(await town.mention("who owns billing?")))
        assert len([call for call in town.world.calls if call.status >= 400]) == 3
        assert town.server.gateway.identifies == 1


async def test_what_is_owed_there_waits_for_a_login_and_is_posted_once(tmp_path: Path) -> None:
    """Left over by a process before: it must be neither buried nor taken for posted while nobody knows us."""
    async with both(tmp_path) as (town, slack):
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.assistant.wait_for_calls(1)
            town.world.faults.add(POST, HttpError(503), times=50)
            held.release()
            await town.called(POST, 503)
        assert town.states() == ["answered"]
        town.world.faults.clear()
        await town.server.stop()
        async with town.run():
            await _slack_works(slack)
            town.clock.advance(HOUR)
            await _slack_works(slack)
            assert town.states() != ["done"] * 3  # one that hangs on its way is "posting", at times
            assert town.said(thread) == []
            await town.server.start()
            await town.until_later(lambda: town.said(thread))
        assert len(town.said(thread)) == 1
        assert town.states() == ["done"] * 3


async def test_a_gateway_and_rest_that_are_lost_while_it_runs_end_nothing(tmp_path: Path) -> None:
    async with both(tmp_path) as (town, slack):
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run() as threadline:
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.assistant.wait_for_calls(1)
            await town.server.stop()
            held.release()
            await _slack_works(slack)
            missed = await town.mention("who owns billing?")
            await town.server.gateway.invalidate()  # Discord keeps a session for minutes
            town.clock.advance(HOUR)
            await _slack_works(slack)
            await town.server.start()
            await town.until_later(lambda: town.said(thread))
            await town.until_later(lambda: missed in town.world.channels and town.said(missed))
            assert not any(task.done() for task in threadline.working)
        assert (len(town.said(thread)), len(town.said(missed))) == (1, 1)
        assert town.server.gateway.identifies <= 2
        assert town.states() == ["done"] * 4


async def test_a_login_has_its_time_and_leaves_no_connection_behind(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        clock, held = SystemClock(), Hold()
        town.world.faults.add(ME, held)
        client = ThreadlineClient(clock, message_content=False, proxy=None)
        with pointed_at(town.server.api_url, town.server.gateway_url):
            with pytest.raises(OutcomeUnknown):
                await log_in(client, town.world.token, 0.1)
            with pytest.raises(Unreachable, match="who we are"):
                await client.http.send_typing(int(town.general))
            await log_in(client, town.world.token)
            await client.http.send_typing(int(town.general))
        held.release()
        await client.close()
        assert town.world.typing(town.general)


def test_pauses_grow_to_a_minute_and_begin_anew_after_a_connection_that_lasted() -> None:
    always, never = Pauses(lambda: 0.999_999), Pauses(lambda: 0.0)
    assert [round(always.after(None)) for _ in range(8)] == [2, 4, 8, 16, 32, 60, 60, 60]
    assert [never.after(None) for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert never.after(59.9) == 30
    assert never.after(60.0) == 0
    assert never.after(1.0) == 2
    assert [never.after(None) for _ in range(10_000)][-1] == 30
