"""What became of each question: losses, doubles, order, calls that came too early, times. Pure."""

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

#: Seconds after a 429 within which a call may arrive that was on its way when the program read it.
ON_ITS_WAY = 0.4


@dataclass(slots=True)
class Asked:
    """A question, by its marker. Times are seconds of one monotonic clock, that of the load's process."""

    marker: int
    thread: str
    sent: float
    acked: float | None = None
    """When the program told the platform that it has the event; None if it has not, or refused it."""
    turn: int = 1
    """Its place in its thread, from 1."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A message of the program's; `marker` is that of the question it answers, None if it names none."""

    marker: int | None
    thread: str
    at: float


@dataclass(frozen=True, slots=True)
class Called:
    """A call of the chat endpoint; `pause` is how many seconds a 429 asked to wait, 0 for an answer."""

    marker: int | None
    at: float
    answered: float
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Faults:
    """How many questions were not answered, more than once, before an earlier one; calls made too early."""

    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    early: int = 0
    unacknowledged: int = 0

    def __add__(self, other: "Faults") -> "Faults":
        return Faults(
            self.lost + other.lost,
            self.doubled + other.doubled,
            self.out_of_order + other.out_of_order,
            self.early + other.early,
            self.unacknowledged + other.unacknowledged,
        )

    @property
    def breaches(self) -> int:
        """How often a promise was broken."""
        return self.lost + self.doubled + self.out_of_order + self.early


def faults(asked: Sequence[Asked], posted: Sequence[Posted], called: Sequence[Called]) -> Faults:
    """Return what went wrong. An answer counts only in its question's own thread."""
    found = answers(posted)
    right = {one.marker: len(found.get((one.marker, one.thread), ())) for one in asked}
    astray = sum(
        many for (marker, thread), many in _places(posted).items() if not _asked_in(asked, marker, thread)
    )
    return Faults(
        lost=sum(many == 0 for many in right.values()),
        doubled=sum(many > 1 for many in right.values()) + astray,
        out_of_order=sum(1 for _ in _overtaken(asked, found)),
        early=len(early(called)),
        unacknowledged=sum(one.acked is None for one in asked),
    )


def answers(posted: Iterable[Posted]) -> Mapping[tuple[int, str], Sequence[float]]:
    """Return when each question was answered, by marker and thread, the earliest first."""
    found: dict[tuple[int, str], list[float]] = {}
    for one in sorted(posted, key=lambda one: one.at):
        if one.marker is not None:
            found.setdefault((one.marker, one.thread), []).append(one.at)
    return found


def overheads(asked: Iterable[Asked], posted: Iterable[Posted], endpoint: float) -> list[float]:
    """Return, of what was answered, the seconds from question to answer without the endpoint's own."""
    found = answers(posted)
    return [
        found[one.marker, one.thread][0] - one.sent - endpoint
        for one in asked
        if (one.marker, one.thread) in found
    ]


def acknowledgements(asked: Iterable[Asked]) -> list[float]:
    """Return the seconds after which each event was acknowledged."""
    return [one.acked - one.sent for one in asked if one.acked is not None]


def early(called: Sequence[Called]) -> list[float]:
    """Return, of each call that came although a 429 had asked to wait, how long after that it came.

    What arrives within `ON_ITS_WAY` of the 429 had been sent before that was read.
    """
    pauses = [(one.answered, one.answered + one.pause) for one in called if one.pause]
    return [
        since
        for one in called
        if (since := max((one.at - begin for begin, end in pauses if begin < one.at < end), default=0.0))
        > ON_ITS_WAY
    ]


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which such a share lies, between neighbours in proportion; nan of none."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    at = share * (len(values) - 1)
    ranked = sorted(values)
    low = int(at)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (at - low)


def median(values: Sequence[float]) -> float:
    """Return the middle of some values; nan of none."""
    return statistics.median(values) if values else float("nan")


def _places(posted: Iterable[Posted]) -> Counter[tuple[int, str]]:
    return Counter((one.marker, one.thread) for one in posted if one.marker is not None)


def _asked_in(asked: Sequence[Asked], marker: int, thread: str) -> bool:
    return any(one.marker == marker and one.thread == thread for one in asked)


def _overtaken(
    asked: Sequence[Asked], found: Mapping[tuple[int, str], Sequence[float]]
) -> Iterator[tuple[Asked, Asked]]:
    """Yield neighbours in a thread of which the later was answered first."""
    threads: dict[str, list[Asked]] = {}
    for one in asked:
        if (one.marker, one.thread) in found:
            threads.setdefault(one.thread, []).append(one)
    for ones in threads.values():
        for first, second in pairwise(ones):
            if found[second.marker, second.thread][0] < found[first.marker, first.thread][0]:
                yield first, second
