"""The values' own sense."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from core.clock import SystemClock
from core.errors import InvalidProjectId, RateLimited
from core.model import HINTS, SETTLED, Lane, LaneId, Reason, State, project_id
from core.model.lanes import TRIP
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
    lane = lane.pause(NOW, _at(10), busy=8).pause(_at(5), _at(8), busy=7)
    assert lane.paused_until == _at(10)
    assert lane.is_paused(_at(9.9))
    assert not lane.is_paused(_at(10))
    lane = lane.pause(_at(5), _at(20), busy=6)
    assert [lane.paused_total(_at(seconds)) for seconds in (5, 20, 99)] == [5, 20, 20]
    assert (lane.window, lane.strikes) == (4, 1)
    lane = lane.pause(_at(30), _at(40), busy=1)
    assert lane.paused_total(_at(35)) == 25
    assert (lane.window, lane.room(8), lane.strikes) == (1, 1, 2)


def test_after_a_pause_one_call_probes_then_half_as_many_go_as_before_and_one_more_for_each_success() -> None:
    lane = Lane(LaneId("key")).pause(NOW, _at(10), busy=8)
    assert lane.room(8) == 1
    assert lane.succeeded(_at(5)).room(8) == 1  # it was under way before the pause, and tells nothing
    assert lane.succeeded(_at(11)).room(8) == 5
    assert lane.succeeded(_at(11)).succeeded(_at(12)).room(8) == 6
    assert lane.succeeded(_at(11)).pause(_at(12), _at(13), busy=5).succeeded(_at(14)).room(8) == 3


def test_so_many_failures_in_a_row_and_nobody_is_taken_to_be_there_until_a_probe_succeeds() -> None:
    lane = Lane(LaneId("key"))
    for _ in range(TRIP - 1):
        lane = lane.failed(NOW, 0)
    assert lane.away_since is None
    lane = lane.failed(NOW, 0)
    assert (lane.away_since, lane.paused_until, lane.room(8)) == (NOW, _at(5), 1)
    assert lane.failed(_at(4), 0) == lane  # it was under way when nobody was found to be there
    waits = []
    for _ in range(5):
        assert lane.paused_until is not None
        at = lane.paused_until
        lane = lane.failed(at, 0)
        assert lane.paused_until is not None
        waits.append((lane.paused_until - at).total_seconds())
    assert waits == [10, 20, 40, 60, 60]
    assert lane.away_since == NOW
    assert lane.paused_total(_at(500)) == 0  # nobody asked for that: the deadline runs on
    lane = lane.succeeded(_at(500))
    assert (lane.away_since, lane.paused_until, lane.failures, lane.room(8)) == (None, None, 0, 2)


def test_the_search_for_somebody_is_spread_by_chance_and_a_success_in_between_ends_it() -> None:
    lane = Lane(LaneId("key"))
    for _ in range(TRIP):
        lane = lane.failed(NOW, 1)
    assert lane.paused_until == _at(6.25)
    assert not lane.succeeded(_at(1)).is_paused(_at(1))


def test_a_429_shows_that_somebody_is_there() -> None:
    lane = Lane(LaneId("key"))
    for _ in range(TRIP):
        lane = lane.failed(NOW, 0)
    lane = lane.pause(_at(1), _at(3), busy=1)
    assert (lane.away_since, lane.failures, lane.paused_until) == (None, 0, _at(5))
    assert lane.paused_total(_at(60)) == 4


def test_a_refused_account_is_taken_to_be_away_at_once_and_for_long() -> None:
    lane = Lane(LaneId("post"))
    for begins in (NOW, _at(600), _at(1200)):
        lane = lane.failed(begins, 0, trips_at=1, wait=timedelta(minutes=10))
        assert lane.paused_until == begins + timedelta(minutes=10)


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
