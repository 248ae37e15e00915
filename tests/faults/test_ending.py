"""Row 41: it is told to end while questions are under way, once and again; the next process goes on."""

import asyncio
import signal
from pathlib import Path

from bots.demo.assistant.faults import hold
from tests.faults.rows import Note, percentile
from tests.fixtures.program import environment, program
from tests.fixtures.walk import Walk

ROUNDS = 6
DRAIN = 20.0  #: seconds that what is under way has at most


async def test_row_41_whatever_is_under_way_at_the_end_is_answered_before_it(
    town: Walk, record_property: Note
) -> None:
    """Rolling restarts under load: each round ends with four questions under way and four behind them."""
    town.assistant.latency = 0.3
    drains, messages = [], []
    for _ in range(ROUNDS):
        async with town.run():
            begun = len(town.assistant.journal)
            asked = [await town.mention("who consumes order.created?") for _ in range(4)]
            await _taken_in(town)
            for ts in asked:
                await town.workspace.say(town.ben, town.general, "and who owns it?", thread=ts)
            await _taken_in(town)
            await town.assistant.wait_for_calls(begun + 1)
            messages += asked
            ending = town.clock.monotonic()
        drains.append(town.clock.monotonic() - ending)
    async with town.run(), asyncio.timeout(30):
        for ts in messages:
            await town.answers(ts, 2)
    assert [len(town.posted(ts)) for ts in messages] == [2] * len(messages)
    assert len(town.assistant.journal) == 2 * len(messages)  # none was cut off and asked again
    assert town.states() == ["done"] * 2 * len(messages)
    assert max(drains) < DRAIN
    record_property("row 41: drain p95 s with answers of 0.3 s", round(percentile(drains, 95), 2))


async def test_row_41_a_second_signal_changes_nothing_and_what_is_left_is_answered_by_the_next(
    town: Walk, tmp_path: Path, record_property: Note
) -> None:
    held = hold()
    town.assistant.faults.add(held)
    env = environment(town)
    async with program("run", env=env, folder=str(tmp_path)) as first:
        await town.workspace.until(lambda: town.slack.socket_connections)
        ts = await town.mention("who consumes order.created?")
        await town.assistant.wait_for_calls(1)
        await town.acknowledged()
        first.send_signal(signal.SIGTERM)
        begun = town.clock.monotonic()
        # It takes nothing more in once that is closed.
        await town.workspace.until(lambda: not town.slack.socket_connections)
        missed = await town.mention("who owns billing?")
        first.send_signal(signal.SIGTERM)
        assert await first.wait() == 0
        took = town.clock.monotonic() - begun
    assert took < DRAIN + 5
    assert town.posted(ts) == town.posted(missed) == []
    assert town.states() == ["asking"]  # leased by nobody who lives
    async with program("run", env=env, folder=str(tmp_path)) as second:
        async with asyncio.timeout(20):
            await town.answers(ts)
            await town.answers(missed)
        second.send_signal(signal.SIGTERM)
        assert await second.wait() == 0
    assert [len(town.posted(one)) for one in (ts, missed)] == [1, 1]
    assert len(town.assistant.journal) == 3
    assert town.states() == ["done", "done"]
    record_property("row 41: drain s at its limit, two signals", round(took, 1))


async def _taken_in(town: Walk) -> None:
    """Wait until whatever people wrote was taken; what the bot itself says at its end nobody hears."""
    bot = town.workspace.bot_user
    people = {event for event, body in town.workspace.events.items() if body["event"].get("user") != bot}
    async with asyncio.timeout(10):
        await town.workspace.until(
            lambda: {one.event_id for one in town.workspace.deliveries if one.acked} >= people
        )
