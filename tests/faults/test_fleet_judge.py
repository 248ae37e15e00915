"""The judge of a fleet sees each thing that may be wrong, and nothing where all is right."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.fleet import verdict
from tests.faults.fleet.figures import report
from tests.faults.fleet.plan import Plan, Toll
from tests.faults.fleet.records import Away, Called, Killed, Posted, Seen, Sent, Stored, Thread, Workspace
from tests.faults.fleet.slack import Slack
from tests.faults.fleet.stories import stories

HERE = Workspace("T1", "B1", "UBOT", "xoxb-1", "key-1", ["C1"])


@pytest.fixture
def seen() -> Seen:
    """A question and its follow-up, each asked and answered once."""
    found = Seen()
    thread = Thread(HERE, "C1", "UANA")
    found.threads.append(thread)
    slack = Slack(found, random.Random(1), [HERE])  # noqa: S311 - to be repeated
    for number, at in enumerate((10.0, 20.0)):
        asked = slack.write(thread, f"q{number:05}z")
        asked.sent.append(Sent("web-1.1", at, at + 0.1, taken=True))
        found.called.append(Called(asked.marker, "key-1", "work-1.1", at + 1, at + 2))
        found.posted.append(Posted([asked.marker], "C1", thread.root, "", "work-1.1", at + 3))
    return found


def judged(seen: Seen) -> list[str]:
    """Return what the judge finds where all that was asked is settled."""
    return verdict.faults(seen, {one.ts: "done" for one in seen.asked.values()})


def test_the_judge_finds_nothing_where_each_question_is_answered_once(seen: Seen) -> None:
    assert judged(seen) == []
    toll = Toll(seen, {one.ts: "done" for one in seen.asked.values()}, {}, 1.0)
    assert report(Plan(), "", toll).faults == []


def test_each_story_is_told_in_a_line(seen: Seen) -> None:
    seen.called.insert(0, _refused(10.8))
    seen.killed.append(Killed("work-1.1", 12.0))
    seen.away.append(Away(13.0, 14.0))
    first, _, killed, away = stories(seen)
    began = seen.asked["q00000z"].at
    assert first.startswith("q00000z T1 ")
    assert f"sent web-1.1 {10 - began:.2f} {10.1 - began:.2f} taken; called by work-1.1" in first
    assert f"{10.8 - began:.2f} 429 2; called by work-1.1" in first
    assert first.endswith(f"posted by work-1.1 {13 - began:.2f}")
    assert killed == f"work-1.1 killed {12 - began:.2f}"
    assert away == f"database away {13 - began:.2f} {14 - began:.2f}"


def _lose(seen: Seen) -> None:
    seen.posted.pop()


def _double(seen: Seen) -> None:
    seen.posted.append(seen.posted[-1])


def _misplace(seen: Seen) -> None:
    last = seen.posted.pop()
    seen.posted.append(Posted(last.markers, "C2", last.thread, "", last.life, last.at))


def _swap(seen: Seen) -> None:
    first, second = seen.asked.values()
    first.thread.questions[:] = [second, first]


def _overtake(seen: Seen) -> None:
    seen.called[1].at = 12.5


def _ask_again(seen: Seen) -> None:
    seen.called.insert(1, Called("q00000z", "key-1", "work-2.1", 12.5, 12.8))


def _ask_under_another_key(seen: Seen) -> None:
    seen.called[0].key = "key-2"


def _ask_late(seen: Seen) -> None:
    seen.called[0].pause = 1.0
    seen.called.insert(1, Called("q00000z", "key-1", "work-2.1", 14.5, 14.8))


def _say_something_else(seen: Seen) -> None:
    seen.posted.append(Posted([], "C1", "", "Who?", "work-1.1", 30.0))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_lose, "lost: acknowledged, done"),
        (_double, "doubled: 2 answers"),
        (_misplace, "misplaced: answered in C2"),
        (_swap, "out of order: q00000z was answered before q00001z"),
        (_overtake, "out of order: q00001z was asked before q00000z was answered"),
        (_ask_again, "asked again: by work-2.1"),
        (_ask_under_another_key, "foreign: asked under key-2"),
        (_ask_late, "stale: asked after its answer"),
        (_say_something_else, "said to nobody's question"),
    ],
)
def test_the_judge_sees_each_breach(seen: Seen, harm: Callable[[Seen], None], said: str) -> None:
    harm(seen)
    assert any(fault.startswith(said) for fault in judged(seen))


def test_the_judge_sees_what_is_not_settled_and_what_nobody_has_taken(seen: Seen) -> None:
    first, second = seen.asked.values()
    seen.posted.pop()
    second.sent[0].taken = False
    found = verdict.faults(seen, {first.ts: "asking"})
    assert found == [
        "not settled: asking (q00000z)",
        "lost: given up by Slack, not on disk, and no answer can be seen (q00001z)",
    ]


@pytest.mark.parametrize(
    ("killed", "is_needless"), [(11.0, False), (12.4, False), (10.9, False), (15.0, True), (12.6, True)]
)
def test_a_call_may_be_repeated_only_if_who_made_it_died_over_it(
    seen: Seen, killed: float, is_needless: bool
) -> None:
    _ask_again(seen)
    seen.killed.append(Killed("work-1.1", killed))
    assert any("asked again" in fault for fault in judged(seen)) is is_needless


def _refused(at: float = 30.0) -> Called:
    return Called("q00000z", "key-1", "work-1.1", at - 0.1, at, pause=2.0)


@pytest.mark.parametrize(
    ("key", "at", "early", "in_flight"),
    [("key-1", 30.6, 0, 1), ("key-1", 30.8, 1, 0), ("key-1", 32.1, 0, 0), ("key-2", 31.0, 0, 0)],
)
def test_the_judge_sees_a_call_in_a_pause_of_its_key(
    seen: Seen, key: str, at: float, early: int, in_flight: int
) -> None:
    seen.called += [_refused(), Called("q00001z", key, "work-2.1", at)]
    seen.stored += [Stored("key-1", 29.0, 31.0), Stored("key-2", 30.0, 32.0), Stored("key-1", 30.2, 32.3)]
    kept = verdict.pauses(seen)
    assert (kept.announced, kept.unheard, [round(one, 3) for one in kept.written]) == (1, 0, [0.2])
    assert (len(kept.early), len(kept.in_flight)) == (early, in_flight)


@pytest.mark.parametrize(("at", "told"), [(None, "never"), (32.1, "late"), (31.9, "")])
def test_the_judge_sees_a_429_that_is_not_written_down_in_time(
    seen: Seen, at: float | None, told: str
) -> None:
    seen.called.append(replace(_refused(), pause=9.0))
    seen.stored += [] if at is None else [Stored("key-1", at, 39.5)]
    found = [one for one in judged(seen) if one.startswith("unwritten")]
    assert found == ([f"unwritten: a 429 to work-1.1, {told} stored"] if told else [])


def test_what_left_before_anybody_could_know_of_a_pause_is_not_early(seen: Seen) -> None:
    seen.called += [_refused(), Called("q00001z", "key-1", "work-1.1", 30.9)]
    seen.stored.append(Stored("key-1", 31.0, 33.0))
    assert (verdict.pauses(seen).early, verdict.pauses(seen).in_flight) == ([], [])


def test_a_429_that_nobody_could_write_down_pauses_nothing(seen: Seen) -> None:
    seen.called += [_refused(), Called("q00001z", "key-1", "work-2.1", 31.0)]
    seen.killed.append(Killed("work-1.1", 30.1))
    assert (verdict.pauses(seen).unheard, verdict.pauses(seen).early) == (1, [])
    seen.killed.clear()
    seen.away.append(Away(30.2, 36.0))
    assert (verdict.pauses(seen).unheard, verdict.pauses(seen).early) == (1, [])


def test_recovery_is_from_the_kill_to_the_answer_of_what_was_held(seen: Seen) -> None:
    seen.called[1].life = "work-2.1"
    seen.killed += [Killed("work-1.1", 11.5), Killed("web-1.1", 20.05), Killed("work-2.1", 30.0)]
    assert [(one.marker, round(one.seconds, 2), one.at_web) for one in verdict.recoveries(seen)] == [
        ("q00000z", 1.5, False),
        ("q00001z", 2.95, True),
    ]


def test_where_who_took_it_up_is_killed_too_recovery_is_from_there(seen: Seen) -> None:
    del seen.asked["q00001z"], seen.called[1]
    seen.called.append(Called("q00000z", "key-1", "work-2.1", 21.5, 22.0))
    seen.posted[0] = replace(seen.posted[0], at=32.0)
    seen.killed += [Killed("work-1.1", 11.5), Killed("work-2.1", 21.8)]
    figures = report(Plan(), "", Toll(seen, {}, {}, 1.0)).figures
    assert figures["recovery, from the kill"].endswith("longest 10.2 s")
    assert figures["from the first of several kills"].endswith("longest 20.5 s")


@pytest.mark.parametrize(("answered", "faults"), [(26.0, []), (27.0, ["slow: recovery p95 15.5 s"])])
def test_a_recovery_that_takes_too_long_is_a_fault(seen: Seen, answered: float, faults: list[str]) -> None:
    seen.threads[0].questions.pop()
    del seen.asked["q00001z"], seen.called[1], seen.posted[:]
    seen.posted.append(Posted(["q00000z"], "C1", seen.threads[0].root, "", "work-2.1", answered))
    seen.killed.append(Killed("work-1.1", 11.5))
    toll = Toll(seen, {one.ts: "done" for one in seen.asked.values()}, {}, 1.0)
    assert report(Plan(), "", toll).faults == faults
