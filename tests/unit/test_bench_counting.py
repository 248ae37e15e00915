"""The bench notices what it is there to notice: losses, doubles, wrong order, early calls."""

from dataclasses import replace

import pytest

from tests.bench.counting import Asked, Called, Faults, Posted, early, faults, median, overheads, quantile
from tests.bench.measured import Measured
from tests.bench.programs import Name
from tests.bench.rows import Results, disturbed, faults_of, ratio, rows

_ASKED = [
    Asked(1, "t1", sent=0.0, acked=0.01),
    Asked(2, "t1", sent=1.0, acked=1.01, turn=2),
    Asked(3, "t2", sent=2.0, acked=2.01),
]
_POSTED = [Posted(1, "t1", 0.5), Posted(2, "t1", 1.5), Posted(3, "t2", 2.5)]


def test_all_is_well_when_each_question_has_its_answer_in_its_thread() -> None:
    assert faults(_ASKED, _POSTED, ()) == Faults()


def test_an_answer_that_never_came_is_lost() -> None:
    assert faults(_ASKED, _POSTED[:2], ()) == Faults(lost=1)


def test_a_second_answer_is_a_double() -> None:
    assert faults(_ASKED, [*_POSTED, Posted(3, "t2", 9.0)], ()) == Faults(doubled=1)


def test_an_answer_in_another_thread_is_one_too_many_there_and_lost_where_it_belongs() -> None:
    astray = [*_POSTED[:2], Posted(3, "t1", 2.5)]
    assert faults(_ASKED, astray, ()) == Faults(lost=1, doubled=1)


def test_a_later_question_answered_first_is_out_of_order() -> None:
    swapped = [Posted(1, "t1", 1.6), *_POSTED[1:]]
    assert faults(_ASKED, swapped, ()) == Faults(out_of_order=1)


def test_threads_do_not_wait_for_each_other() -> None:
    assert (
        faults(_ASKED, [replace(_POSTED[0], at=3.0), replace(_POSTED[1], at=3.5), _POSTED[2]], ()) == Faults()
    )


def test_a_message_that_answers_nothing_is_no_answer() -> None:
    assert faults(_ASKED, [*_POSTED[:2], Posted(None, "t2", 2.5)], ()) == Faults(lost=1)


def test_an_event_nobody_acknowledged_is_told_apart() -> None:
    unheard = [*_ASKED[:2], replace(_ASKED[2], acked=None)]
    assert faults(unheard, _POSTED, ()) == Faults(unacknowledged=1)


@pytest.mark.parametrize(("at", "counts"), [(10.3, 0), (10.5, 1), (11.9, 1), (12.0, 0), (9.9, 0)])
def test_a_call_is_early_between_what_was_on_its_way_and_the_end_of_the_pause(at: float, counts: int) -> None:
    refused = Called(1, at=9.8, answered=10.0, pause=2.0)
    assert len(early([refused, Called(2, at=at, answered=at)])) == counts


def test_the_endpoints_own_time_is_no_overhead() -> None:
    assert overheads(_ASKED, _POSTED, 0.3) == pytest.approx([0.2, 0.2, 0.2])


def test_quantiles_lie_between_neighbours() -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert quantile([1.0], 0.99) == 1.0
    assert quantile([], 0.5) != quantile([], 0.5)
    assert median([3.0, 1.0, 2.0]) == 2.0


def _runs(*values: float, wrong: Faults | None = None) -> list[Measured]:
    names = ("answers/s", "CPU s/1,000", "platform calls/answer", "new connections/answer")
    return [Measured(dict.fromkeys(names, value), wrong or Faults()) for value in values]


def test_ratios_are_of_the_same_round() -> None:
    results: Results = {
        "saturation": {
            Name.FLOOR: _runs(100.0, 10.0, 100.0),
            Name.PLAIN: _runs(20.0, 2.0, 20.0),
            Name.THREADLINE: _runs(60.0, 6.0, 60.0),
        }
    }
    assert ratio(results, "saturation", Name.FLOOR, "answers/s") == pytest.approx(0.6)
    answers, cpu, calls, *_ = rows(results)
    assert answers.goal.holds
    assert answers.least.found == "3.00 × plain Bolt"
    assert cpu.goal.says == "≤ 2.5 × floor"
    assert not cpu.least.holds
    assert not calls.least.holds


def test_one_broken_promise_in_any_run_is_in_the_table() -> None:
    wrong = Faults(lost=1, early=2)
    results: Results = {"saturation": {Name.THREADLINE: [*_runs(1.0), *_runs(1.0, wrong=wrong)]}}
    assert faults_of(results, Name.THREADLINE) == wrong
    *_, promises = rows(results)
    assert promises.figures[Name.THREADLINE] == "1/0/0/2"
    assert not promises.goal.holds


def test_how_much_others_disturbed_is_told_by_the_run_in_the_middle() -> None:
    runs = [Measured({"its core in others' hands, %": share}, Faults()) for share in (1.0, 3.0, 90.0)]
    assert disturbed({"saturation": {Name.FLOOR: runs, Name.PLAIN: runs[:1]}}) == 3.0
    assert disturbed({"order": {Name.PLAIN: [Measured({"questions": 3.0}, Faults())]}}) == 0.0
