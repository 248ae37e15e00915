"""The bot token is reset while it runs: few calls are refused, it is said once, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import discord
import pytest
from structlog.testing import capture_logs

from bots.demo.assistant import faults
from bots.demo.discord import HttpError
from bots.discord.client import ConnectionRefused, ThreadlineClient, log_in, pointed_at
from bots.discord.gate import ASIDE
from bots.discord.messages import Said
from bots.discord.receipts import Ticket
from bots.discord.replies import Replies
from core.errors import AccountRefused, PostRefused
from tests.fixtures.guild import GuildWalk, guild_walk, in_time
from tests.fixtures.walk import walk

pytestmark = pytest.mark.measured

TYPING = "POST /channels/{channel}/typing"
QUESTIONS = 12
CONCURRENT = 8  #: of the installation
HALF_AN_HOUR = 30  #: minutes


def _unauthorized(town: GuildWalk) -> int:
    return sum(call.status == 401 for call in town.world.calls)


def _refused_since(town: GuildWalk, before: int) -> bool:
    return _unauthorized(town) > before


def _alerts(told: list[Any]) -> list[str]:
    return [one["event"] for one in told if one["log_level"] == "error"]


@asynccontextmanager
async def _answers_held(folder: Path) -> AsyncIterator[tuple[GuildWalk, list[str], Any]]:
    """Questions in threads of their own, whose answers are held back until `release()`."""
    async with guild_walk(folder) as town:
        held = faults.hold()
        town.assistant.faults.add(*[held] * QUESTIONS)
        yield town, [town.world.add_channel(town.guild, f"channel-{one}") for one in range(QUESTIONS)], held


async def _ask_everywhere(town: GuildWalk, channels: list[str]) -> list[str]:
    return [
        await town.thread(await town.mention("who consumes order.created?", channel=one)) for one in channels
    ]


async def test_a_refused_token_costs_a_call_a_minute_one_alert_and_no_answer(tmp_path: Path) -> None:
    async with _answers_held(tmp_path) as (town, channels, held):
        good = town.world.token
        with capture_logs() as told:
            async with town.run() as threadline:
                threads = await _ask_everywhere(town, channels)
                await town.assistant.wait_for_calls(CONCURRENT)
                town.world.token = "made.anew"
                held.release()
                await town.assistant.wait_for_finished(QUESTIONS)
                await town.world.until(lambda: _unauthorized(town))
                minutes = await _minutes_of_refusals(town, HALF_AN_HOUR)
                assert 0 < _unauthorized(town) <= CONCURRENT + minutes
                assert len(_alerts(told)) == 1
                assert not any(task.done() for task in threadline.working)
                town.world.token = good
                await town.until_later(lambda: all(town.said(thread) for thread in threads))
        assert len(_alerts(told)) == 1
        assert "DISCORD_TOKEN" in _alerts(told)[0]
        assert [len(town.said(thread)) for thread in threads] == [1] * QUESTIONS
        assert len(town.assistant.journal) == QUESTIONS
        assert town.states() == ["done"] * QUESTIONS


async def _minutes_of_refusals(town: GuildWalk, at_least: int) -> float:
    """Let that many minutes pass, from one refusal to the next; return how many they were."""
    began = town.clock.monotonic()
    while town.clock.monotonic() - began < at_least * 60:
        await town.until_later(partial(_refused_since, town, _unauthorized(town)))
    return (town.clock.monotonic() - began) / 60


async def test_what_was_owed_when_the_token_was_reset_is_posted_after_a_start_with_the_new_one(
    tmp_path: Path,
) -> None:
    async with _answers_held(tmp_path) as (town, channels, held):
        async with town.run() as threadline:
            threads = await _ask_everywhere(town, channels)
            await town.assistant.wait_for_calls(CONCURRENT)
            town.world.token = "made.anew"
            held.release()
            await town.world.until(lambda: _unauthorized(town))
            await town.server.gateway.close(4004)
            with pytest.raises(ConnectionRefused, match="Reset Token"):
                await in_time(threadline.working[1])
        assert _unauthorized(town) <= 2 * CONCURRENT
        assert town.settings.discord is not None
        renewed = replace(town.settings.discord, token=type(town.settings.discord.token)("made.anew"))
        town.settings = replace(town.settings, discord=renewed)
        async with town.run():
            await town.until_later(lambda: all(town.said(thread) for thread in threads))
        assert [len(town.said(thread)) for thread in threads] == [1] * QUESTIONS
        assert town.states() == ["done"] * QUESTIONS


async def test_the_gate_shuts_once_for_calls_at_once_and_opens_when_the_token_was_good_for_a_reply(
    tmp_path: Path,
) -> None:
    async with guild_walk(tmp_path) as town:
        client = ThreadlineClient(town.clock, message_content=False, proxy=None)
        with pointed_at(town.server.api_url, None), capture_logs() as told:
            await log_in(client, town.world.token)
            channels = [int(town.world.add_channel(town.guild, f"channel-{one}")) for one in range(3)]

            async def tries(channel: int) -> type[Exception] | None:
                try:
                    await client.http.send_typing(channel)
                except (AccountRefused, discord.HTTPException) as error:
                    return type(error)
                return None

            town.world.faults.add(TYPING, HttpError(401), HttpError(401), HttpError(503), HttpError(403))
            town.world.faults.add(TYPING, HttpError(401))
            at_once = await asyncio.gather(*(tries(one) for one in channels[:2]))
            assert at_once == [discord.HTTPException] * 2
            assert await tries(channels[2]) is AccountRefused
            town.clock.advance(ASIDE)
            assert await tries(channels[0]) is discord.DiscordServerError  # which tells nothing of the token
            assert await tries(channels[0]) is AccountRefused
            town.clock.advance(ASIDE)
            assert await tries(channels[0]) is discord.Forbidden
            assert len(_alerts(told)) == 1
            assert await tries(channels[0]) is discord.HTTPException
            assert len(_alerts(told)) == 2
        await client.close()


async def test_a_call_by_an_interactions_own_token_passes_the_gate_and_is_not_the_one_that_tells(
    tmp_path: Path,
) -> None:
    async with guild_walk(tmp_path) as town:
        client = ThreadlineClient(town.clock, message_content=False, proxy=None)
        with pointed_at(town.server.api_url, None):
            await log_in(client, town.world.token)
            town.world.faults.add(TYPING, HttpError(401))
            with pytest.raises(discord.HTTPException):
                await client.http.send_typing(int(town.general))
            for seconds in (1.0, ASIDE):
                town.clock.advance(seconds)
                with pytest.raises(PostRefused):  # by Discord itself, which knows no such interaction
                    await Replies(client).edit(Ticket(1, "token", ""), Said("here"))
            await client.http.send_typing(int(town.general))
            assert len(town.world.calls_of(TYPING)) == 2
        await client.close()


async def test_a_refused_token_on_discord_is_nothing_to_slack(tmp_path: Path) -> None:
    (tmp_path / "slack").mkdir()
    async with walk(tmp_path / "slack") as slack, guild_walk(tmp_path) as town:
        slack.by_socket()
        town.settings = replace(town.settings, slack=slack.settings.slack)
        good = town.world.token
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
            town.world.token = "made.anew"
            await town.mention("and who publishes it?", channel=thread)
            await town.world.until(lambda: _unauthorized(town))
            assert "billing" in (await slack.answers(await slack.mention("who consumes order.created?")))[0]
            town.world.token = good
            await town.until_later(lambda: len(town.said(thread)) == 2)
        assert town.states() == ["done"] * 3
