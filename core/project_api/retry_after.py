"""How long the other side asked us to wait, from whatever it wrote; never how long we do wait."""

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(days=3650)  #: absurd wishes are cut to this, so that they can be reckoned with

_NUMBER = re.compile(r"\s*[+-]?[0-9]+(\.[0-9]*)?\s*", re.ASCII)


def wanted(header: str | None, field: object, now: datetime) -> timedelta | None:
    """Return the longer of a Retry-After `header` and a JSON `field`, or None if neither is usable.

    The header may be seconds, fractions too, or an HTTP-date (RFC 9110, 10.2.3), which is taken
    against `now`; the field a number, or a string that holds one. Never negative, at most LONGEST.
    """
    wishes = [wish for wish in (_from_header(header or "", now), _from_field(field)) if wish is not None]
    return max(wishes, default=None)


def _from_header(text: str, now: datetime) -> timedelta | None:
    if _NUMBER.fullmatch(text):
        return _within_reason(float(text))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:  # the email parser's word for "-0000" and for C's asctime form: both mean UTC
        at = at.replace(tzinfo=UTC)
    return _within_reason((at - now).total_seconds())


def _from_field(field: object) -> timedelta | None:
    match field:
        case bool():
            return None
        case float() if math.isnan(field):
            return None
        case int() | float():
            return _within_reason(field)
        case str() if _NUMBER.fullmatch(field):
            return _within_reason(float(field))
        case _:
            return None


def _within_reason(seconds: float) -> timedelta:
    return timedelta(seconds=min(max(seconds, 0), LONGEST.total_seconds()))
