"""Interactions that can no longer be answered: the answer comes all the same, and pings its asker alone."""

from pathlib import Path

import pytest

from bots.demo.assistant import faults
from bots.demo.discord import Hold, HttpError
from tests.fixtures.guild import EDIT, POST, RESPOND, GuildWalk, guild_walk, in_time

QUARTER_OF_AN_HOUR = 15 * 60
DEAD = [50027, 10015, 10062]


def _pinged(town: GuildWalk) -> list[str]:
    return [ping.mention for ping in town.world.pings]


async def _shown_by_a_message(town: GuildWalk) -> str:
    """Wait for the question as a message of our own, and return the answer in the thread that hangs on it."""
    await town.world.until(lambda: town.world.calls_of(POST))
    shown = town.said(town.general)[-1]
    assert shown.content == f"<@{town.ana}> asked: who consumes order.created?"
    return (await town.answers(await town.thread(shown.id)))[0]


async def test_a_first_sign_that_comes_too_late_is_made_up_for_by_a_message(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(RESPOND, HttpError(404, code=10062))
        town.world.faults.add(EDIT, HttpError(404, code=10015), times=3)  # there is no "thinking" to edit
        town.leaves_thinking = True
        async with town.run():
            await town.ask("who consumes order.created?")
            assert "billing" in await _shown_by_a_message(town)
        assert _pinged(town) == [town.ana]
        assert len(town.world.calls_of(RESPOND)) == 1
        assert town.states() == ["done"]


async def test_an_interaction_that_was_acknowledged_already_goes_on_in_its_own_message(
    tmp_path: Path,
) -> None:
    """By a former process, say, that did not live to know it."""
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(RESPOND, HttpError(400, code=40060, after=True))
        async with town.run():
            thread = await town.thread_of(await town.ask("who consumes order.created?"))
            assert "billing" in (await town.answers(thread))[0]
        assert len(town.world.calls_of(RESPOND)) == 1
        assert len(town.said(town.general)) == 1
        assert _pinged(town) == []
        assert town.states() == ["done"]


@pytest.mark.parametrize("dead", DEAD)
async def test_a_token_that_died_before_its_question_was_shown_leads_to_a_message(
    tmp_path: Path, dead: int
) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.expired_as, town.leaves_thinking = dead, True
        held = Hold()
        town.world.faults.add(EDIT, held)
        async with town.run():
            asked = await town.ask("who consumes order.created?")
            await in_time(held.held.wait())
            town.world.expire(asked)
            held.release()
            assert "billing" in await _shown_by_a_message(town)
        assert _pinged(town) == [town.ana]
        assert len(town.world.calls_of(EDIT)) == 1
        assert town.states() == ["done"]


@pytest.mark.parametrize("dead", DEAD)
async def test_an_answer_after_a_quarter_of_an_hour_needs_no_token_and_pings_nobody(
    tmp_path: Path, dead: int
) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.expired_as = dead
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            asked = await town.ask("who consumes order.created?")
            thread = await town.thread_of(asked)
            town.clock.advance(QUARTER_OF_AN_HOUR + 1)
            held.release()
            assert "billing" in (await town.answers(thread))[0]
        assert _pinged(town) == []
        assert len(town.world.calls_of(EDIT)) == 1
        assert town.states() == ["done"]


@pytest.mark.parametrize("dead", DEAD)
async def test_where_there_is_no_thread_the_late_answer_names_its_asker_in_the_channel(
    tmp_path: Path, dead: int
) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.expired_as = dead
        town.world.deny(town.general, "create_public_threads")
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            asked = await town.ask("who consumes order.created?", user=town.ben)
            await town.world.until(lambda: asked.original is not None and not asked.original.is_loading)
            town.world.expire(asked)
            held.release()
            answer = (await town.answers(town.general, 2))[-1]
            assert answer.startswith(f"<@{town.ben}>")
            assert "billing" in answer
        assert _pinged(town) == [town.ben]
        assert town.states() == ["done"]
