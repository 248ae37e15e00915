"""The alarm clock: a real APScheduler on the real clock, and steps of a settable one."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bots.schedule import Schedule
from core.clock import Clock, SystemClock
from core.testing import SettableClock

SOON = timedelta(seconds=0.05)
LATER = timedelta(hours=1)


class CountedClock(SettableClock):
    """Tells when someone has gone to sleep."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))
        self.asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asleep.set()
        await super().sleep(seconds)

    async def second(self) -> None:
        """Let a second pass, and the sleeper go round once."""
        await self.asleep.wait()
        self.asleep.clear()
        self.advance(1)
        await self.asleep.wait()


@asynccontextmanager
async def running(clock: Clock, woken: asyncio.Event) -> AsyncIterator[Schedule]:
    schedule = Schedule(clock, woken.set)
    schedule.start()
    try:
        yield schedule
    finally:
        await schedule.stop()


def registrations(caplog: pytest.LogCaptureFixture) -> int:
    """Count what APScheduler itself reports."""
    return sum(message.startswith("Added job") for message in caplog.messages)


@pytest.fixture(autouse=True)
def apscheduler_tells(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="apscheduler")


async def test_it_wakes_when_the_time_has_come_and_not_before() -> None:
    clock, woken = SystemClock(), asyncio.Event()
    async with running(clock, woken) as schedule:
        at = clock.now() + SOON
        schedule.next_due(at)
        await asyncio.wait_for(woken.wait(), 5)
        assert clock.now() >= at


async def test_a_time_in_the_past_wakes_at_once_however_late() -> None:
    clock, woken = SystemClock(), asyncio.Event()
    async with running(clock, woken) as schedule:
        schedule.next_due(clock.now() - LATER)
        await asyncio.wait_for(woken.wait(), 5)


async def test_what_was_planned_before_the_start_is_not_forgotten() -> None:
    clock, woken = SystemClock(), asyncio.Event()
    schedule = Schedule(clock, woken.set)
    schedule.next_due(clock.now() + SOON)
    schedule.start()
    await asyncio.wait_for(woken.wait(), 5)
    await schedule.stop()


async def test_an_earlier_time_takes_the_place_of_a_later_one() -> None:
    clock, woken = SystemClock(), asyncio.Event()
    async with running(clock, woken) as schedule:
        schedule.next_due(clock.now() + LATER)
        schedule.next_due(clock.now() + SOON)
        await asyncio.wait_for(woken.wait(), 5)


async def test_a_cancelled_wake_up_never_comes() -> None:
    clock, cancelled = SystemClock(), asyncio.Event()
    async with running(clock, cancelled) as schedule:
        schedule.next_due(clock.now() + SOON)
        schedule.next_due(None)
        schedule.next_due(None)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(cancelled.wait(), 0.15)


async def test_after_a_wake_up_nothing_is_planned_and_cancelling_is_no_fault() -> None:
    clock, woken = SystemClock(), asyncio.Event()
    async with running(clock, woken) as schedule:
        for _ in range(2):
            woken.clear()
            schedule.next_due(clock.now())
            await asyncio.wait_for(woken.wait(), 5)
        schedule.next_due(None)


async def test_the_same_time_again_costs_nothing_until_it_has_come(caplog: pytest.LogCaptureFixture) -> None:
    clock, woken = SystemClock(), asyncio.Event()
    async with running(clock, woken) as schedule:
        at = clock.now() + SOON
        schedule.next_due(at)
        schedule.next_due(at)
        assert registrations(caplog) == 1
        await asyncio.wait_for(woken.wait(), 5)
        schedule.next_due(at)
        assert registrations(caplog) == 2


async def test_a_replaced_wake_up_that_is_already_ringing_does_not_hide_the_new_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = CountedClock()
    woken, later = asyncio.Event(), clock.now() + LATER
    schedule = Schedule(clock, woken.set)
    schedule.start()
    schedule.next_due(clock.now())
    # APScheduler submits the job in the loop's next turn and runs it in the one after.
    asyncio.get_running_loop().call_soon(schedule.next_due, later)
    await asyncio.wait_for(woken.wait(), 5)
    schedule.next_due(later)
    assert registrations(caplog) == 2
    await schedule.stop()


@pytest.mark.parametrize("step", [6, -3600, 86_400])
async def test_a_step_of_the_wall_clock_registers_the_wake_up_anew(
    step: float, caplog: pytest.LogCaptureFixture
) -> None:
    clock = CountedClock()
    async with running(clock, asyncio.Event()) as schedule:
        schedule.next_due(clock.now() + LATER)
        await clock.second()
        assert registrations(caplog) == 1
        with capture_logs() as told:
            clock.jump(step)
            await clock.second()
            await clock.second()
        assert registrations(caplog) == 2
        assert [line["seconds"] for line in told] == [step]


async def test_small_steps_count_once_they_have_added_up(caplog: pytest.LogCaptureFixture) -> None:
    clock = CountedClock()
    async with running(clock, asyncio.Event()) as schedule:
        schedule.next_due(clock.now() + LATER)
        for expected in (1, 2):
            clock.jump(3)
            await clock.second()
            assert registrations(caplog) == expected


async def test_a_step_with_nothing_planned_plans_nothing(caplog: pytest.LogCaptureFixture) -> None:
    clock = CountedClock()
    async with running(clock, asyncio.Event()):
        clock.jump(60)
        await clock.second()
        assert registrations(caplog) == 0


async def test_nothing_wakes_after_the_stop_and_stopping_twice_is_no_fault() -> None:
    clock, woken = SystemClock(), asyncio.Event()
    async with running(clock, woken) as schedule:
        schedule.next_due(clock.now() + SOON)
        await schedule.stop()
        schedule.next_due(clock.now())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(woken.wait(), 0.15)


async def test_regular_work_is_done_each_time_and_a_failure_ends_nothing() -> None:
    done = asyncio.Semaphore(0)

    async def work() -> None:
        done.release()
        raise OSError("once")

    async with running(SystemClock(), asyncio.Event()) as schedule:
        schedule.regularly(work, {"second": "*"})
        for _ in range(2):
            await asyncio.wait_for(done.acquire(), 5)


async def test_what_the_watch_died_of_comes_out_at_the_stop() -> None:
    tried = asyncio.Event()

    class BrokenClock(SystemClock):
        async def sleep(self, seconds: float) -> None:
            tried.set()
            raise OSError(f"no {seconds} s from a broken clock")

    schedule = Schedule(BrokenClock(), asyncio.Event().set)
    schedule.start()
    await tried.wait()
    with pytest.raises(OSError, match="broken clock"):
        await schedule.stop()
