"""What Discord refuses for good: no loop, few requests, and nothing more of it a day and a restart later."""

from pathlib import Path

import pytest

from bots.demo.discord import ApiCall, HttpError
from tests.fixtures.guild import OPEN_THREAD, POST, GuildWalk, guild_walk

FOR_GOOD = [
    (404, 10003),
    (404, 10008),
    (403, 50001),
    (403, 50013),
    (403, 50007),
    (400, 160002),
    (403, 160005),
    (400, 160006),
]
OPEN_DIRECT = "POST /users/@me/channels"
DAY = 86_400
ALWAYS = 500
INVALID = frozenset({401, 403, 429})
"""What counts towards a ban: 10,000 of these within ten minutes (Discord, topics/rate-limits)."""


def _refused(town: GuildWalk) -> list[ApiCall]:
    return [call for call in town.world.calls if call.status >= 400]


def _invalid(town: GuildWalk) -> int:
    return sum(call.status in INVALID for call in town.world.calls)


async def _a_day_and_a_restart_later(town: GuildWalk) -> None:
    """See that a question asked then is the first thing that Discord hears of us, catching up aside."""
    town.world.faults.clear()
    town.clock.advance(DAY)
    async with town.run():
        await town.answers(await town.thread(await town.mention("who owns billing?")))


@pytest.mark.parametrize(("status", "code"), FOR_GOOD)
async def test_an_answer_that_is_refused_everywhere_is_put_aside_after_four_requests(
    tmp_path: Path, status: int, code: int
) -> None:
    """Two places for the answer (its thread, then its channel or a new thread), two for the word about it."""
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, HttpError(status, code=code), times=ALWAYS)
        async with town.run():
            for number in (1, 2):
                await town.mention("who consumes order.created?")
                await town.called(OPEN_DIRECT, many=number)
                town.clock.advance(DAY / 4)
        assert town.states() == ["kept", "kept"]
        tried = len(_refused(town))
        assert tried <= 2 * 4
        assert _invalid(town) == (tried if status in INVALID else 0)
        await _a_day_and_a_restart_later(town)
        assert len(_refused(town)) == tried
        assert town.states() == ["done", "kept", "kept"]
        assert len(town.assistant.journal) == 3


@pytest.mark.parametrize("slash", [False, True], ids=["mention", "slash"])
@pytest.mark.parametrize(("status", "code"), FOR_GOOD)
async def test_a_thread_that_is_refused_is_asked_for_once_and_the_channel_has_the_answer(
    tmp_path: Path, status: int, code: int, *, slash: bool
) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(OPEN_THREAD, HttpError(status, code=code), times=ALWAYS)
        async with town.run():
            if slash:
                await town.ask("who consumes order.created?")
            else:
                await town.mention("who consumes order.created?")
            answer = (await town.answers(town.general, 1 + slash))[-1]
            assert answer.startswith(f"<@{town.ana}>")
            assert "billing" in answer
            town.clock.advance(DAY / 4)
        assert town.states() == ["done"]
        assert len(_refused(town)) == 1
        await _a_day_and_a_restart_later(town)
        assert len(_refused(town)) == 1
        assert {ping.mention for ping in town.world.pings} == {town.ana}


@pytest.mark.parametrize(("status", "code"), [(403, 50001), (403, 50013), (404, 10003)])
async def test_forty_questions_to_a_wall_stay_far_from_a_ban(tmp_path: Path, status: int, code: int) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, HttpError(status, code=code), times=ALWAYS)
        town.world.faults.add(OPEN_THREAD, HttpError(status, code=code), times=ALWAYS)
        channels = [town.world.add_channel(town.guild, f"channel-{number}") for number in range(40)]
        async with town.run():
            for channel in channels:
                await town.mention("who consumes order.created?", channel=channel)
            await town.called(OPEN_DIRECT, many=40)
        assert town.states() == ["kept"] * 40
        refused = len(_refused(town))
        assert refused <= 40 * 4
        assert _invalid(town) <= refused
        await _a_day_and_a_restart_later(town)
        assert len(_refused(town)) == refused
