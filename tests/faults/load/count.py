"""Counts what became of everybody's questions: losses, doubles, early calls, order, waits. Pure."""

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from bots.demo.assistant import ReceivedCall
from bots.demo.assistant.journal import Outcome
from tests.faults.load.crowd import Crowd
from tests.faults.load.people import Asked, Chat, Thread, named

#: What is on its way at a 429 may arrive so much later on a busy machine; it is counted, and shown, apart.
IN_FLIGHT = timedelta(milliseconds=400)
#: How many calls of a key the program makes at once: no more can be on their way at a 429.
CONCURRENCY = 8
#: What only the notices of a wait say: that the assistant is away, or that it asks us to wait for long.
_WAITS = "Your question is safe"


# --- questions ---------------------------------------------------------------------------------


def verdict(here: Crowd, states: Mapping[str, str], *, may_give_up: bool = False) -> list[str]:
    """Return what is wrong: each question ends in one answer, in its thread, in order.

    Where one `may_give_up`, it may end in one notice instead.
    """
    calls = by_question(here.chats())
    found = [
        f"{fault} ({asked.marker}, {asked.thread.chat})"
        for asked in here.questions.values()
        for fault in _of_question(asked, states, calls.get(asked.marker, ()))
    ]
    if not may_give_up:
        buried = sum(states.get(asked.message) == "buried" for asked in here.questions.values())
        found += [f"{buried} questions were given up, and all can be answered"] if buried else []
    found += [
        f"{fault} (thread {thread.root}, {thread.chat})"
        for thread in here.threads
        for fault in _of_thread(thread, states, calls)
    ]
    return found + [
        f"said in a foreign place: {said.text[:80]!r} in {said.thread}" for said in here.misplaced
    ]


def _of_question(asked: Asked, states: Mapping[str, str], calls: Sequence[ReceivedCall]) -> Iterator[str]:
    state = states.get(asked.message)
    if state is None:
        yield "lost: not on disk"
    elif state not in {"done", "buried"}:
        yield f"not settled: {state}"
    elif state == "done" and not asked.shown:
        yield "lost: done, and no answer can be seen"
    if len(asked.shown) > 1 or (state == "buried" and asked.shown):
        yield f"doubled: {len(asked.shown)} answers, {state}"
    answered = sum(call.outcome is Outcome.ANSWERED for call in calls)
    if answered > 1:
        yield f"doubled: the assistant has answered it {answered} times"


def _of_thread(
    thread: Thread, states: Mapping[str, str], calls: Mapping[str, Sequence[ReceivedCall]]
) -> Iterator[str]:
    buried = sum(states.get(asked.message) == "buried" for asked in thread.questions)
    waits_told = sum(_WAITS in said.text for said in thread.strays)
    notices = len(thread.strays) - waits_told
    if notices < buried:
        yield f"lost: {buried} questions were buried, and {notices} notices can be seen"
    if notices > buried:
        yield f"doubled: {notices} messages that are no answer, and {buried} questions were buried"
    if waits_told > 1:
        yield f"doubled: told {waits_told} times that it takes longer"
    for earlier, later in zip(thread.questions, thread.questions[1:], strict=False):
        first = min((said.at for said in earlier.shown), default=None)
        if first is None:
            continue
        if any(said.at < first for said in later.shown):
            yield f"out of order: {later.marker} was answered before {earlier.marker}"
        if any(call.started_at < first for call in calls.get(later.marker, ())):
            yield f"out of order: {later.marker} was asked before {earlier.marker} was answered"


def tell(here: Crowd, states: Mapping[str, str]) -> dict[str, str]:
    """Return the figures that every run has."""
    faults = verdict(here, states)
    calls, questions = here.chats(), len(here.questions)
    ends = Counter(states.values())
    return {
        "questions": f"{questions} in {len(here.threads)} threads",
        "ended as": ", ".join(f"{many} {state}" for state, many in sorted(ends.items())),
        "lost": str(sum(fault.startswith("lost") for fault in faults)),
        "doubled": str(sum(fault.startswith("doubled") for fault in faults)),
        "out of order": str(sum(fault.startswith("out of order") for fault in faults)),
        "chat calls": f"{len(calls)}, {len(calls) / max(1, questions):.2f} a question",
        "from question to answer": spread(waits(here)),
    }


# --- calls -------------------------------------------------------------------------------------


def marker(call: ReceivedCall) -> str:
    """Return the question a chat call is about, "" if it cannot be read."""
    words = named(call.messages[-1][1]) if call.messages else ()
    return words[-1] if words else ""


def by_question(calls: Iterable[ReceivedCall]) -> Mapping[str, Sequence[ReceivedCall]]:
    """Return the calls of each question, in order."""
    found: dict[str, list[ReceivedCall]] = {}
    for call in calls:
        found.setdefault(marker(call), []).append(call)
    return found


@dataclass(frozen=True, slots=True)
class Announced:
    """A 429, when it was decided by the server's clock, and for how many seconds it asked to wait."""

    at: datetime
    seconds: float

    @property
    def end(self) -> datetime:
        return self.at + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Pauses:
    """How the announced pauses of a key were kept."""

    announced: int
    under_way: int
    """Calls that had arrived before a 429 and were answered after it."""
    in_flight: Sequence[float]
    """Seconds after a 429 at which calls arrived that had been on their way."""
    early: Sequence[str]
    overshoots: Sequence[float]
    """Seconds from the end of a pause to the next call; of pauses that overlap the last end counts."""


def announced(calls: Sequence[ReceivedCall], seconds: float) -> list[Announced]:
    """Return the 429s among calls, each of which asked for so many seconds."""
    return [
        Announced(call.finished_at, seconds)
        for call in calls
        if call.outcome is Outcome.RATE_LIMITED and call.finished_at is not None
    ]


def pauses(
    calls: Sequence[ReceivedCall],
    asked_for: Sequence[Announced],
    *,
    at_once: int = CONCURRENCY,
    on_its_way: timedelta = IN_FLIGHT,
) -> Pauses:
    """Hold the arrivals of calls against the pauses that were asked for.

    A call that arrives so soon after a 429 that it may have been `on_its_way` had most likely begun before
    that was read: it is counted apart, but no more of them can have been on their way than are made
    `at_once`. Every later one is early, until the time has passed that the 429 asked for.
    """
    in_flight: list[float] = []
    early: list[str] = []
    for call in calls:
        over = [one for one in asked_for if one.at < call.started_at < one.end]
        since = max((call.started_at - one.at for one in over), default=timedelta())
        if since > on_its_way:
            first = over[0]
            early.append(f"early: a call {since.total_seconds():.3f} s after a 429 of {first.seconds:g} s")
        elif over:
            in_flight.append(since.total_seconds())
    on_their_way = [(one, _on_their_way(calls, one, on_its_way)) for one in asked_for]
    early += [
        f"early: {many} calls were on their way at a 429 of {one.seconds:g} s, and {at_once} are made at once"
        for one, many in on_their_way
        if many > at_once
    ]
    ends = [one.end for one in asked_for if not any(other.at < one.end < other.end for other in asked_for)]
    late = [found for end in ends if (found := _first_after(calls, end)) is not None]
    under_way = sum(any(_spans(call, one.at) for one in asked_for) for call in calls)
    return Pauses(len(asked_for), under_way, in_flight, early, late)


def _on_their_way(calls: Sequence[ReceivedCall], over: Announced, longest: timedelta) -> int:
    """Return how many calls a 429 could not stop: what arrived just after it, and what went on meanwhile."""
    until = min(over.at + longest, over.end)
    late = [call.started_at for call in calls if over.at < call.started_at < until]
    if not late:
        return 0
    last = max(late)
    return len(late) + sum(_spans(call, over.at) and _spans(call, last) for call in calls)


def _first_after(calls: Sequence[ReceivedCall], end: datetime) -> float | None:
    """Return how many seconds after a pause's end the first call came."""
    return next(((one.started_at - end).total_seconds() for one in calls if one.started_at >= end), None)


def _spans(call: ReceivedCall, at: datetime) -> bool:
    return call.started_at < at and (call.finished_at is None or call.finished_at > at)


# --- times -------------------------------------------------------------------------------------


def waits(here: Crowd, *chats: Chat) -> list[float]:
    """Return the seconds from each question to its first answer, on these platforms, by default on all."""
    return [
        (asked.shown[0].at - asked.at).total_seconds()
        for asked in here.questions.values()
        if asked.shown and asked.thread.chat in (chats or Chat)
    ]


def peak(here: Crowd) -> int:
    """Return how many questions waited for an answer at once, at most."""
    moments = [(asked.at, 1) for asked in here.questions.values()]
    moments += [(asked.shown[0].at, -1) for asked in here.questions.values() if asked.shown]
    return max(accumulate(change for _, change in sorted(moments)), default=0)


def spread(seconds: Sequence[float]) -> str:
    """Return the middle, the slow ones and the slowest of some times."""
    if len(seconds) < 2:
        return ", ".join(f"{one:.2f} s" for one in seconds) or "–"
    marks = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"p50 {marks[49]:.2f} s, p95 {marks[94]:.2f} s, p99 {marks[98]:.2f} s, max {max(seconds):.2f} s"
