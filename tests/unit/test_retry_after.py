"""What a wish to be left alone means, however it is written."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.project_api.retry_after import LONGEST, wanted

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("header", "wish"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e3", None),
        ("1_0", None),
        ("١٢", None),
        ("5, 10", None),
        ("60", seconds(60)),
        (" 60 ", seconds(60)),
        ("+2", seconds(2)),
        ("1.5", seconds(1.5)),
        ("0", seconds(0)),
        ("-5", seconds(0)),
        ("100000000", seconds(10**8)),
        ("9" * 5000, LONGEST),
        ("Tue, 24 Nov 2026 12:01:30 GMT", seconds(90)),
        ("Tuesday, 24-Nov-26 12:01:30 GMT", seconds(90)),
        ("Tue Nov 24 12:01:30 2026", seconds(90)),
        ("Tue, 24 Nov 2026 12:01:30 -0000", seconds(90)),
        ("Tue, 24 Nov 2026 14:01:30 +0200", seconds(90)),
        ("Tue, 24 Nov 2026 11:59:59 GMT", seconds(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST),
        ("Tue, 99 Nov 2026 12:01:30 GMT", None),
        ("Tue, 24 Nov 2026 12:01:30 +9999999999999999999999", None),
    ],
)
def test_a_header_is_seconds_or_a_date_or_nothing(header: str | None, wish: timedelta | None) -> None:
    assert wanted(header, None, NOW) == wish


@pytest.mark.parametrize(
    ("field", "wish"),
    [
        (None, None),
        (True, None),
        (False, None),
        ([], None),
        ({"seconds": 3}, None),
        ("junk", None),
        (math.nan, None),
        (60, seconds(60)),
        (1.5, seconds(1.5)),
        ("60", seconds(60)),
        ("-1.5", seconds(0)),
        (-5, seconds(0)),
        (-math.inf, seconds(0)),
        (10**8, seconds(10**8)),
        (10**400, LONGEST),
        (-(10**400), seconds(0)),
        (math.inf, LONGEST),
    ],
)
def test_a_field_is_a_number_or_nothing(field: object, wish: timedelta | None) -> None:
    assert wanted(None, field, NOW) == wish


def test_of_two_wishes_the_longer_counts() -> None:
    assert wanted("30", 60, NOW) == seconds(60)
    assert wanted("Tue, 24 Nov 2026 12:02:00 GMT", 60, NOW) == seconds(120)
    assert wanted("junk", 0, NOW) == seconds(0)


@given(
    header=st.none() | st.text() | st.from_regex(r"[A-Z][a-z]{2}, [0-9 ]{1,4}[A-Z][a-z]{2} [0-9: +-]{0,30}"),
    field=st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
)
@example(header="Mon, 01 Jan 0001 00:00:00 +2359", field=None)
@example(header="Fri, 31 Dec 9999 23:59:59 -2359", field=None)
def test_nothing_written_there_can_crash_us(header: str | None, field: object) -> None:
    wish = wanted(header, field, NOW)
    assert wish is None or timedelta() <= wish <= LONGEST
