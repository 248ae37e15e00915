"""The values' own sense."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from core.clock import SystemClock
from core.errors import InvalidProjectId, RateLimited
from core.model import HINTS, SETTLED, Lane, LaneId, Reason, State, project_id
from core.testing import SettableClock

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def _at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("good", ["my-project-a1b2c", "a1234567", "a" * 60, "shop--demo1"])
def test_project_ids_of_the_endpoints_form_are_taken(good: str) -> None:
    assert project_id(good) == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "short",
        "a" * 61,
        "-leading1",
        "trailing-",
        "Upper-case1",
        "../../admin",
        "with space",
        "shop-demo\n",
        "ünicode1",
    ],
)
def test_anything_else_is_refused_with_the_form_named(bad: str) -> None:
    with pytest.raises(InvalidProjectId, match="8 to 60 characters"):
        project_id(bad)


def test_a_lane_adds_up_its_pauses_and_never_shortens_one() -> None:
    lane = Lane(LaneId("key"))
    assert lane.paused_total(NOW) == 0
    lane = lane.pause(NOW, _at(10)).pause(_at(5), _at(8))
    assert lane.paused_until == _at(10)
    assert lane.is_paused(_at(9.9))
    assert not lane.is_paused(_at(10))
    lane = lane.pause(_at(5), _at(20))
    assert [lane.paused_total(_at(seconds)) for seconds in (5, 20, 99)] == [5, 20, 20]
    lane = lane.pause(_at(30), _at(40))
    assert lane.paused_total(_at(35)) == 25
    assert lane.window == 1
    assert lane.widen().window == 2


def test_what_is_kept_holds_up_no_thread_and_a_hint_buries_no_question() -> None:
    assert State.KEPT in SETTLED
    assert {Reason.UNREADABLE, Reason.OTHER_PROJECT} <= HINTS


def test_an_error_without_a_message_says_what_it_is() -> None:
    assert str(RateLimited()) == "The other side asked us to slow down."
    assert str(RateLimited(message="twice")) == "twice"


async def test_the_settable_clock_wakes_sleepers_in_their_time() -> None:
    clock = SettableClock()
    sleeper = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    clock.advance(4)
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.jump(-3600)
    clock.advance(1)
    await sleeper
    assert clock.monotonic() == 5


async def test_the_system_clock_tells_utc_and_sleeps() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    before = clock.monotonic()
    await clock.sleep(0.001)
    assert clock.monotonic() > before
