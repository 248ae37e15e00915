"""When to try again, decided purely."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import (
    AskerAway,
    CannotLook,
    OutcomeUnknown,
    PostRefused,
    RateLimited,
    ThreadlineError,
    Unavailable,
)
from core.model import Reason
from core.retry import LONGEST_WAIT, GiveUp, Limits, Tried, TryAgain, backoff, decide, overdue, pause_after

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def _tried(attempts: int = 1, charged: int = 0, active: float = 0, age: float = 0) -> Tried:
    return Tried(attempts, charged, timedelta(seconds=active), timedelta(seconds=age))


def _decide(error: ThreadlineError, tried: Tried, jitter: float = 0.5) -> TryAgain | GiveUp:
    return decide(error, tried, Limits(), now=NOW, jitter=jitter)


@pytest.mark.parametrize(
    ("asked_for", "waits"),
    [(None, 30), (0, 1), (1.5, 1.5), (60, 60), (86_400, 86_400)],
    ids=["absent", "zero", "fractional", "a minute", "a day"],
)
def test_a_429_pauses_for_as_long_as_it_asks_and_never_less(asked_for: float | None, waits: float) -> None:
    wait = None if asked_for is None else timedelta(seconds=asked_for)
    assert _decide(RateLimited(wait), _tried()) == TryAgain(NOW + timedelta(seconds=waits))


def test_a_negative_wait_is_no_wait_into_the_past() -> None:
    decision = _decide(RateLimited(timedelta(seconds=-5)), _tried())
    assert decision == TryAgain(NOW + timedelta(seconds=1))


def test_whoever_is_told_to_come_back_at_once_comes_less_and_less_often() -> None:
    waits = [pause_after(RateLimited(timedelta(0)), strikes) for strikes in (0, 1, 2, 5, 6, 99)]
    assert waits == [timedelta(seconds=seconds) for seconds in (1, 2, 4, 32, 60, 60)]
    assert pause_after(RateLimited(timedelta(seconds=90)), 99) == timedelta(seconds=90)
    assert pause_after(RateLimited(LONGEST_WAIT * 2), 0) is None


def test_a_429_counts_no_attempt_and_no_deadline_but_the_whole_age() -> None:
    assert isinstance(_decide(RateLimited(timedelta(1)), _tried(attempts=99, active=99_999)), TryAgain)
    assert _decide(RateLimited(timedelta(1)), _tried(age=86_400)) == GiveUp(Reason.GAVE_UP)
    assert _decide(RateLimited(LONGEST_WAIT * 2), _tried()) == GiveUp(Reason.WAIT_TOO_LONG)


@pytest.mark.parametrize(
    ("tried", "gives_up"),
    [
        (_tried(attempts=7), False),
        (_tried(attempts=8), True),
        (_tried(active=1700), False),
        (_tried(active=1800), True),
        (_tried(age=86_399), False),
        (_tried(age=86_400), True),
    ],
)
def test_attempts_deadline_and_age_each_end_it(tried: Tried, gives_up: bool) -> None:
    assert (_decide(Unavailable(), tried) == GiveUp(Reason.GAVE_UP)) is gives_up


def test_an_unknown_outcome_is_repeated_once() -> None:
    assert isinstance(_decide(OutcomeUnknown(), _tried(charged=1)), TryAgain)
    assert _decide(OutcomeUnknown(), _tried(charged=2)) == GiveUp(Reason.MAYBE_CHARGED)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PostRefused(), Reason.POST_REFUSED),
        (AskerAway(), Reason.POST_REFUSED),
        (CannotLook(), Reason.REJECTED),
    ],
)
def test_what_is_permanent_is_given_up_with_its_reason(error: ThreadlineError, reason: Reason) -> None:
    assert _decide(error, _tried()) == GiveUp(reason)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff_is_bounded_and_has_full_jitter(attempts: int, jitter: float) -> None:
    assert timedelta(0) <= backoff(attempts, jitter) <= timedelta(minutes=5)
    assert backoff(attempts, 0) == timedelta(0)


def test_backoff_doubles() -> None:
    assert [backoff(number, 1).total_seconds() for number in range(1, 6)] == [2, 4, 8, 16, 32]


def test_a_question_is_overdue_a_little_after_a_day() -> None:
    assert not overdue(timedelta(hours=24, minutes=4))
    assert overdue(timedelta(hours=24, minutes=6))
