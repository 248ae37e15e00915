"""Judges what came of a fleet: losses, doubles, order, early calls, calls without need, recovery. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.faults.fleet.records import Asked, Called, Killed, Life, Posted, Seen, Thread

IN_FLIGHT = 0.5
"""Seconds after a pause was stored in which what had been begun before may arrive; it is counted apart."""
WRITTEN = 2.0
"""Seconds after a 429 in which its pause is stored, if its reader lives and there is a database."""
STORING = 2.0
"""Seconds before a kill in which an answer that had come may not have been stored."""
HEARD = 0.5
"""Seconds after which a 429 is stored as a rule: then its question is not held any more."""
CLOCKS = 0.05
"""Seconds by which the processes' clocks may be apart from the server's."""


def faults(seen: Seen, states: Mapping[str, str], *, in_flight: float = IN_FLIGHT) -> list[str]:
    """Return what is wrong. `states`: what is on disk of each question, by its message's `ts`."""
    posts, calls = seen.posts(), seen.calls()
    found = [
        f"{fault} ({asked.marker})"
        for asked in seen.asked.values()
        for fault in _of_question(seen, asked, states, posts.get(asked.marker, ()), calls)
    ]
    found += [fault for thread in seen.threads for fault in _of_thread(thread, posts, calls)]
    found += [f"said to nobody's question: {one.text[:80]!r}" for one in seen.posted if not one.markers]
    kept = pauses(seen, in_flight)
    return [*found, *kept.unwritten, *kept.early]


def _of_question(
    seen: Seen,
    asked: Asked,
    states: Mapping[str, str],
    posts: Sequence[Posted],
    calls: Mapping[str, Sequence[Called]],
) -> Iterator[str]:
    state = states.get(asked.ts, "not on disk")
    if not posts:
        told = "acknowledged" if asked.is_acknowledged else "given up by Slack"
        yield f"lost: {told}, {state}, and no answer can be seen"
    elif state != "done":
        yield f"not settled: {state}"
    if len(posts) > 1:
        yield f"doubled: {len(posts)} answers, by {', '.join(one.life for one in posts)}"
    for one in posts:
        if (one.channel, one.thread) != (asked.thread.channel, asked.thread.root):
            yield f"misplaced: answered in {one.channel} {one.thread}"
    for key in {call.key for call in calls.get(asked.marker, ())} - {asked.thread.workspace.key}:
        yield f"foreign: asked under {key}"
    yield from _needless(seen, calls.get(asked.marker, ()), posts)


def _needless(seen: Seen, calls: Sequence[Called], posts: Sequence[Posted]) -> Iterator[str]:
    """Find calls without need: beside the first only one may follow that came to nothing."""
    for earlier, later in pairwise(calls):
        if earlier.pause is None and not was_cut_off(seen, earlier, before=later.at):
            yield f"asked again: by {later.life}, and {earlier.life} had been answered"
    if posts and any(call.at > posts[0].at for call in calls):
        yield "stale: asked after its answer was posted"


def was_cut_off(seen: Seen, call: Called, *, before: float) -> bool:
    """Tell whether whoever made a call died over it, or before its answer was stored.

    What was on its way arrives after its sender's death.
    """
    return any(
        kill.life == call.life
        and kill.at <= before
        and (call.ended is None or kill.at - call.ended < STORING)
        for kill in seen.killed
    )


def _of_thread(
    thread: Thread, posts: Mapping[str, Sequence[Posted]], calls: Mapping[str, Sequence[Called]]
) -> Iterator[str]:
    for earlier, later in pairwise(thread.questions):
        first = next((one.at for one in posts.get(earlier.marker, ())), None)
        if first is None:
            continue
        if any(one.at < first for one in posts.get(later.marker, ())):
            yield f"out of order: {later.marker} was answered before {earlier.marker}"
        if any(call.at < first for call in calls.get(later.marker, ())):
            yield f"out of order: {later.marker} was asked before {earlier.marker} was answered"


# --- pauses ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pauses:
    """How the pauses that 429s asked for were kept.

    `unheard`: 429s whose reader died, or could not store them. `written`: seconds from a 429 until its pause
    was stored; before, no other process can know of it. `in_flight`: seconds after that at which calls
    arrived that had been on their way.
    """

    announced: int
    unheard: int
    written: Sequence[float]
    in_flight: Sequence[float]
    unwritten: Sequence[str]
    early: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Pause:
    key: str
    since: float
    until: float


def pauses(seen: Seen, allowed: float = IN_FLIGHT) -> Pauses:
    """Hold the arrivals of each key's calls against the pauses that processes have stored.

    A call that left before the one that read a 429 had written its pause down is not early: nobody could
    know. `allowed`: seconds after that in which what was on its way may arrive.
    """
    found = [
        _refusal(seen, call, call.ended, call.pause) for call in seen.called if call.ended and call.pause
    ]
    kept = [_Pause(one.key, one.stored, one.until) for one in found if one.stored is not None]
    in_flight, early = list[float](), list[str]()
    for call in seen.called:
        over = [one for one in kept if one.key == call.key and one.since < call.at < one.until]
        late = max((call.at - one.since for one in over), default=0.0)
        if late > allowed:
            ends = max(one.until for one in over) - call.at
            early.append(
                f"early: a call of {call.life} {late:.3f} s into a pause, {ends:.3f} s before its end"
            )
        elif over:
            in_flight.append(late)
    return Pauses(
        announced=sum(call.pause is not None for call in seen.called),
        unheard=sum(one.is_late and not one.could_be_stored for one in found),
        written=[one.stored - one.at for one in found if one.stored is not None],
        in_flight=in_flight,
        unwritten=[
            f"unwritten: a 429 to {one.life}, {'never' if one.stored is None else 'late'} stored"
            for one in found
            if one.is_late and one.could_be_stored
        ],
        early=early,
    )


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A 429 of then: until when it asks to wait, and when that was stored, by its reader or before."""

    key: str
    life: Life
    at: float
    until: float
    stored: float | None
    could_be_stored: bool

    @property
    def is_late(self) -> bool:
        return self.stored is None or self.stored - self.at > WRITTEN


def _refusal(seen: Seen, call: Called, at: float, pause: float) -> _Refusal:
    until = at + pause
    covering = [one.at for one in seen.stored if one.key == call.key and one.at < until < one.until + CLOCKS]
    stored = max(at, min(covering)) if covering else None
    return _Refusal(call.key, call.life, at, until, stored, _could_be_stored(seen, call, at))


def _could_be_stored(seen: Seen, call: Called, at: float) -> bool:
    died = any(kill.life == call.life and kill.at < at + WRITTEN for kill in seen.killed)
    return not died and not any(away.since < at + WRITTEN and at < away.until for away in seen.away)


# --- recovery ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recovery:
    """From a kill to the answer of one question that was held by who died; `at_web`: not yet acknowledged."""

    life: Life
    marker: str
    seconds: float
    at_web: bool


def recoveries(seen: Seen) -> list[Recovery]:
    """Return, for each kill, after how long what the killed process held was answered."""
    posts = {marker: found[0].at for marker, found in seen.posts().items()}
    calls = seen.calls()
    return [
        Recovery(kill.life, marker, posts[marker] - kill.at, at_web)
        for kill in seen.killed
        for marker, at_web in _held(seen, kill, calls)
        if marker in posts and posts[marker] > kill.at
    ]


def _held(seen: Seen, kill: Killed, calls: Mapping[str, Sequence[Called]]) -> Iterator[tuple[str, bool]]:
    """Return the questions that a process had begun to ask, or to take in, and not ended when it died."""
    for marker, asked in seen.asked.items():
        mine = [one for one in asked.sent if one.life == kill.life and one.at <= kill.at]
        if mine and (mine[-1].ended is None or mine[-1].ended >= kill.at):
            yield marker, True
        until_then = [c for c in calls.get(marker, ()) if c.life == kill.life or c.at <= kill.at]
        last = until_then[-1] if until_then else None
        if last is not None and last.life == kill.life and not _put_back(last, kill):
            yield marker, False


def _put_back(call: Called, kill: Killed) -> bool:
    return call.pause is not None and call.ended is not None and call.ended + HEARD < kill.at
