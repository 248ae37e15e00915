"""The figures of a fleet's run, and what is wrong with it."""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import quantiles

from tests.faults.fleet import verdict
from tests.faults.fleet.plan import Plan, Toll
from tests.faults.fleet.records import Seen
from tests.faults.report import Report

MOST_RECOVERY = 15.0
"""Seconds from a kill to the answer, for 95 of 100 questions that the killed process held."""


def report(plan: Plan, seed: str, toll: Toll) -> Report:
    """Return the figures. A recovery that takes too long is a fault, too.

    What a process had not acknowledged is Slack's to bring again, and to wait with: it is told apart. Where
    who took a question up was killed in its turn, its recovery is from there; what all took is told, too.
    """
    seen, faults = toll.seen, verdict.faults(toll.seen, toll.states)
    found = verdict.recoveries(seen)
    struck: defaultdict[str, list[float]] = defaultdict(list)
    for one in found:
        if not one.at_web:
            struck[one.marker].append(one.seconds)
    times = [min(seconds) for seconds in struck.values()]
    if times and _mark(times, 95) >= MOST_RECOVERY:
        faults.append(f"slow: recovery p95 {_mark(times, 95):.1f} s")
    figures = {
        "seed": seed,
        "processes": f"{', '.join(plan.layout.slots)}; for {plan.layout.workspaces} workspaces with "
        f"{len({call.key for call in seen.called})} keys",
        "questions": f"{len(seen.asked)} in {len(seen.threads)} threads, by {plan.people} people at once",
        "took": f"{toll.seconds:.0f} s; load average {', '.join(f'{one:.1f}' for one in os.getloadavg())}",
        **_harm_done(seen),
        **{kind: str(sum(one.startswith(kind) for one in faults)) for kind in _KINDS},
        **_pauses(seen),
        "chat calls": _calls(seen),
        "Slack's attempts": _attempts(seen),
        "recovery, from the kill": _spread(times),
        "from the first of several kills": _spread([max(each) for each in struck.values() if len(each) > 1]),
        "what web had not acknowledged": _spread([one.seconds for one in found if one.at_web]),
        "from question to answer": _spread(_waits(seen)),
        "of which after the assistant's": _spread(_after_the_call(seen)),
        "complaints in logs": "; ".join(f"{many} × {said}" for said, many in toll.complaints.items())
        or "none",
    }
    return Report("fleet", figures, faults)


_KINDS = ("lost", "doubled", "out of order", "early", "unwritten", "asked again", "stale", "foreign")


def _harm_done(seen: Seen) -> Mapping[str, str]:
    roles = Counter(one.life.partition("-")[0] for one in seen.killed)
    left = Counter(code for code in seen.left.values())
    return {
        "kills": ", ".join(f"{many} of {role}" for role, many in sorted(roles.items())),
        "database restarts": str(len(seen.away)),
        "ended by themselves, or at the end": ", ".join(f"{n} with {code}" for code, n in left.items()),
    }


def _pauses(seen: Seen) -> Mapping[str, str]:
    kept = verdict.pauses(seen)
    late = kept.in_flight
    return {
        "429s": f"{kept.announced}, of which {kept.unheard} came to who died, or had no database",
        "from a 429 to its pause on disk": _spread(kept.written, "429s", 2),
        "calls in flight as it was stored": f"{len(late)}, up to {max(late, default=0):.3f} s after it",
    }


def _calls(seen: Seen) -> str:
    further = sum(len(calls) - 1 for calls in seen.calls().values())
    refused = sum(call.pause is not None for call in seen.called)
    return (
        f"{len(seen.called)} for {len(seen.asked)} questions; of {further} further ones {refused} after a 429"
    )


def _attempts(seen: Seen) -> str:
    many = sum(len(one.sent) for one in seen.asked.values())
    given_up = sum(not one.is_acknowledged for one in seen.asked.values())
    return f"{many} to have {len(seen.asked)} events taken; {given_up} given up, and caught up on"


def _waits(seen: Seen) -> list[float]:
    posts = seen.posts()
    return [posts[one.marker][0].at - one.at for one in seen.asked.values() if one.marker in posts]


def _after_the_call(seen: Seen) -> list[float]:
    posts, calls = seen.posts(), seen.calls()
    ended = {marker: found[-1].ended for marker, found in calls.items() if marker in posts}
    return [posts[marker][0].at - at for marker, at in ended.items() if at is not None]


def _mark(seconds: Sequence[float], share: int) -> float:
    return seconds[0] if len(seconds) == 1 else quantiles(seconds, n=100, method="inclusive")[share - 1]


def _spread(seconds: Sequence[float], of: str = "questions", digits: int = 1) -> str:
    if not seconds:
        return "–"
    marks = {"p50": _mark(seconds, 50), "p95": _mark(seconds, 95), "longest": max(seconds)}
    return f"{len(seconds)} {of}: " + ", ".join(f"{name} {at:.{digits}f} s" for name, at in marks.items())
