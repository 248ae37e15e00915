"""When to try again, decided purely: no clock is read here and nobody waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import (
    AskerAway,
    CreditsSpent,
    EndpointMisplaced,
    KeyRefused,
    OutcomeUnknown,
    OwnKeyRefused,
    Permanent,
    PostRefused,
    ProjectUnknown,
    RateLimited,
    ThreadlineError,
)
from core.model import Reason

#: A wait longer than this buries the question; shorter ones are kept exactly.
LONGEST_WAIT = timedelta(hours=24)
#: The whole age of a question, pauses included, after which it is not tried again.
MAX_AGE = timedelta(hours=24)
#: How late a wait of the full `LONGEST_WAIT` may still be probed before age counts against it.
GRACE = timedelta(minutes=5)
#: The pause for a 429 that names no time.
UNNAMED_PAUSE = timedelta(seconds=30)
#: The pause for a 429 that names zero or less: asking again at once would only be told off again.
SHORTEST_PAUSE = timedelta(seconds=1)
#: How long that grows to be while nothing but 429s comes.
LONGEST_FLOOR = timedelta(minutes=1)

_BACKOFF_BASE = timedelta(seconds=2)
_BACKOFF_CAP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to keep trying: attempts (429s not counted), and time (pauses not counted)."""

    attempts: int = 8
    deadline: timedelta = timedelta(minutes=30)
    repeats: int = 1  #: how often an attempt whose outcome is unknown is repeated


@dataclass(frozen=True, slots=True)
class Tried:
    """What one delivery has been through: failed attempts so far, this one included."""

    attempts: int
    maybe_charged: int
    active: timedelta  #: since it became its turn, pauses not counted
    age: timedelta  #: since it was accepted
    strikes: int = 0  #: 429s of its lane since that last let a call through


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Try again at `due_at`."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try again, and tell the asker why."""

    reason: Reason


def decide(
    error: ThreadlineError, tried: Tried, limits: Limits, *, now: datetime, jitter: float
) -> TryAgain | GiveUp:
    """Decide what becomes of a delivery after `error`. `jitter` is uniform in [0, 1)."""
    match error:
        case Permanent():
            return GiveUp(_reason(error))
        case RateLimited():
            return _after_429(error, tried, now)
        case OutcomeUnknown() if tried.maybe_charged > limits.repeats:
            return GiveUp(Reason.MAYBE_CHARGED)
    if tried.attempts >= limits.attempts or tried.age >= MAX_AGE:
        return GiveUp(Reason.GAVE_UP)
    wait = backoff(tried.attempts, jitter)
    if tried.active + wait >= limits.deadline:
        return GiveUp(Reason.GAVE_UP)
    return TryAgain(now + wait)


def backoff(attempts: int, jitter: float) -> timedelta:
    """Return a capped exponential wait with full jitter, for the given count of failed attempts."""
    doublings = min(max(attempts - 1, 0), 16)
    return min(_BACKOFF_CAP, _BACKOFF_BASE * int(2**doublings)) * jitter


def pause_after(error: RateLimited, strikes: int) -> timedelta | None:
    """Return for how long a 429 pauses its lane; None if that is longer than we wait at all.

    Never shorter than it asks. `strikes` counts the lane's 429s since its last success: whoever is told to
    come back at once, again and again, had better come less often.
    """
    asked_for = UNNAMED_PAUSE if error.retry_after is None else error.retry_after
    if asked_for > LONGEST_WAIT:
        return None
    return max(asked_for, min(SHORTEST_PAUSE * (1 << min(strikes, 10)), LONGEST_FLOOR))


def overdue(age: timedelta) -> bool:
    """Tell whether a question is too old to be asked at all, whatever it waited for."""
    return age > MAX_AGE + GRACE


def _after_429(error: RateLimited, tried: Tried, now: datetime) -> TryAgain | GiveUp:
    wait = pause_after(error, tried.strikes)
    if wait is None:
        return GiveUp(Reason.WAIT_TOO_LONG)
    return GiveUp(Reason.GAVE_UP) if tried.age >= MAX_AGE else TryAgain(now + wait)


def _reason(error: Permanent) -> Reason:
    match error:
        case OwnKeyRefused():
            return Reason.OWN_KEY_REFUSED
        case KeyRefused():
            return Reason.KEY_REFUSED
        case ProjectUnknown():
            return Reason.PROJECT_UNKNOWN
        case CreditsSpent():
            return Reason.CREDITS_SPENT
        case EndpointMisplaced():
            return Reason.MISPLACED
        case PostRefused() | AskerAway():
            return Reason.POST_REFUSED
        case _:
            return Reason.REJECTED
