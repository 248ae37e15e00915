"""Row 27: somebody, or NTP, sets the machine's wall clock while it runs, or between two runs."""

import asyncio
import time
from datetime import datetime, timedelta

import pytest

from bots.demo.assistant.faults import hold, rate_limited
from core.clock import SystemClock
from tests.faults.rows import Note
from tests.fixtures.guild import ShiftedClock
from tests.fixtures.walk import Walk

HOUR = 3600.0
STEPS = pytest.mark.parametrize(
    "step", [HOUR, -HOUR, 24 * HOUR, -24 * HOUR, 1.0, -1.0], ids=["+1h", "-1h", "+24h", "-24h", "+1s", "-1s"]
)


class SetClock(SystemClock):
    """The machine's clocks; its wall clock can be set."""

    def __init__(self, off: float = 0.0) -> None:
        self.off = off
        super().__init__(wall=lambda: time.time() + self.off)


class Driven(ShiftedClock):
    """The machine's clocks, set forward at will, and its wall clock beside."""

    off = 0.0

    def wall(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self.off)


def _set_anew(town: Walk, off: float = 0.0) -> SetClock:
    clock = SetClock(off)
    town.clock = clock
    return clock


@STEPS
async def test_row_27_a_step_ends_no_pause_early_and_strands_no_question(
    town: Walk, step: float, record_property: Note
) -> None:
    clock = _set_anew(town)
    town.assistant.faults.add(rate_limited("2"))
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.workspace.until(lambda: "next try" in town.workspace.status(town.general, ts))
        clock.off = step
        other = await town.mention("who owns billing?")
        async with asyncio.timeout(8):
            await town.answers(ts)
            await town.answers(other)
    refused, *asked = town.assistant.journal
    assert refused.finished_at is not None
    late = min(call.started_at for call in asked) - refused.finished_at
    assert late >= timedelta(seconds=2)
    assert len(asked) == 2
    assert [len(town.posted(one)) for one in (ts, other)] == [1, 1]
    assert town.states() == ["done", "done"]
    record_property(
        f"row 27: {step:+.0f} s: asked again s after a 429 of 2 s", round(late.total_seconds(), 2)
    )


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["+1h", "-1h"])
async def test_row_27_a_step_takes_no_lease_away_from_a_call_that_is_under_way(
    town: Walk, step: float
) -> None:
    town.clock = clock = Driven()
    held = hold()
    town.assistant.faults.add(held)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.assistant.wait_for_calls(1)
        clock.off = step
        leased = town.sql("SELECT lease_until FROM deliveries")
        clock.advance(4.5)  # leases are renewed and swept meanwhile
        await clock.changes.until(lambda: town.sql("SELECT lease_until FROM deliveries") != leased)
        assert len(town.assistant.journal) == 1
        held.release()
        await town.answers(ts)
        await town.workspace.say(town.ben, town.general, "and who owns it?", thread=ts)
        async with asyncio.timeout(5):
            await town.answers(ts, 2)
    assert len(town.assistant.journal) == 2
    assert len(town.posted(ts)) == 2
    assert town.states() == ["done", "done"]


@pytest.mark.parametrize("step", [HOUR, -HOUR, -24 * HOUR], ids=["+1h", "-1h", "-24h"])
async def test_row_27_a_step_between_two_runs_strands_nothing_and_doubles_nothing(
    town: Walk, step: float, record_property: Note
) -> None:
    _set_anew(town)
    town.assistant.faults.add(rate_limited("3"))
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.workspace.until(lambda: "next try" in town.workspace.status(town.general, ts))
        answered = town.clock.monotonic()
    _set_anew(town, step)
    async with town.run():
        async with asyncio.timeout(10):
            (answer,) = await town.answers(ts)
            waited = town.clock.monotonic() - answered
            await town.answers(await town.mention("who owns billing?"))
    assert "billing" in answer
    assert len(town.assistant.journal) == 3
    assert len(town.posted(ts)) == 1
    assert town.states() == ["done", "done"]
    record_property(f"row 27: {step:+.0f} s between runs: answered after s", round(waited, 2))


@pytest.mark.parametrize(
    "switch", ["2026-03-29T01:00+00:00", "2026-10-25T01:00+00:00"], ids=["spring", "autumn"]
)
async def test_row_27_summer_time_begins_and_ends_without_a_wait_that_is_longer_or_shorter(
    town: Walk, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Zurich")
    time.tzset()
    try:
        _set_anew(town, datetime.fromisoformat(switch).timestamp() - 1.5 - time.time())
        town.assistant.faults.add(rate_limited("3"))
        async with town.run():
            begun = town.clock.now()
            ts = await town.mention("who consumes order.created?")
            async with asyncio.timeout(8):
                await town.workspace.until(lambda: any("billing" in text for text in town.posted(ts)))
            assert begun < datetime.fromisoformat(switch) < town.clock.now()
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    refused, answered = town.assistant.journal
    assert refused.finished_at is not None
    assert answered.started_at - refused.finished_at >= timedelta(seconds=3)
    assert town.states() == ["done"]
