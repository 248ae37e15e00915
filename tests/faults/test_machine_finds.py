"""What the state machine has found, each as the shortest story that shows it."""

from collections.abc import Iterator

import pytest

from core.model import State
from tests.faults.machine.installation import Installation
from tests.faults.machine.ledger import Asked
from tests.faults.machine.outside import Fate, Kind
from tests.faults.machine.stores import STORES
from tests.faults.machine.town import LANES, PEOPLE, PROJECTS, THREADS


@pytest.fixture(params=sorted(STORES))
def town(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """An installation with a default project, over each store."""
    installation = Installation(STORES[request.param], default=True, narrow=False)
    yield installation
    installation.close()


def asks(town: Installation, thread: int = 0, *, author: int = 0) -> Asked:
    """Have somebody ask in a thread, and look whether all is well."""
    town.write(THREADS[thread], PEOPLE[author], "asks", earlier=0, addressed=True, offered=True, which=0)
    town.check()
    return town.ledger.asked[-1]


def passes(town: Installation, seconds: float) -> None:
    town.wait(seconds)
    town.check()


def ends(town: Installation, kind: Kind, fate: Fate = Fate.WELL) -> None:
    """Have the oldest of its kind that is under way outside end."""
    town.release(next(one for one in town.outside.under_way if one.kind is kind), fate)
    town.check()


def restarts(town: Installation, *, lane: int = 0) -> None:
    town.crash(done=False, step=0, lane=LANES[lane], project=PROJECTS[0])
    town.check()


def states(town: Installation) -> list[State]:
    return [row.state for row in town.everything().rows.values()]


def is_well_in_the_end(town: Installation) -> None:
    town.heal()
    town.check_in_the_end()


def is_left_ambiguous(town: Installation) -> Asked:
    """Have an answer's post come to nothing that one knows of, where one cannot look either."""
    town.outside.fates[Kind.POST] = [Fate.UNKNOWN_NOT]
    town.outside.fates[Kind.FIND] = [Fate.BLIND]
    asked = asks(town)
    passes(town, 12)
    assert states(town) == [State.AMBIGUOUS]
    return asked


def test_who_stood_still_while_looking_for_a_message_does_not_post_what_another_has_posted(
    town: Installation,
) -> None:
    town.outside.fates[Kind.POST] = [Fate.UNKNOWN_NOT]
    town.outside.holding = {Kind.FIND}
    asks(town)
    passes(town, 12)
    town.second(freeze=True)
    passes(town, 20)
    ends(town, Kind.FIND)
    ends(town, Kind.FIND)
    town.thaw(town.processes[0])
    town.check()
    is_well_in_the_end(town)


def test_after_a_pause_that_passed_while_names_were_looked_up_one_call_probes_alone(
    town: Installation,
) -> None:
    town.outside.holding = {Kind.NAMES}
    for thread in (0, 1):
        asks(town, thread)
        asks(town, thread, author=1)
    town.outside.fates[Kind.ASK] = [Fate.SLOW_2]
    asks(town, 2)
    passes(town, 10)
    town.outside.holding = {Kind.ASK}
    while any(one.kind is Kind.NAMES for one in town.outside.under_way):
        ends(town, Kind.NAMES)
    passes(town, 1)
    assert [one.kind for one in town.outside.under_way].count(Kind.ASK) == 1
    is_well_in_the_end(town)


def test_an_answer_that_an_operator_has_posted_again_says_that_its_question_was_edited_meanwhile(
    town: Installation,
) -> None:
    asked = is_left_ambiguous(town)
    town.edit(asked, asked.rewritten(), town.some(0))
    town.review(0, town.some(0))
    is_well_in_the_end(town)
    assert states(town) == [State.DONE]


def test_a_buried_question_that_was_edited_is_asked_again_with_its_latest_text(town: Installation) -> None:
    town.outside.fates[Kind.ASK] = [Fate.REFUSED]
    asked = asks(town)
    assert states(town) == [State.BURIED]
    town.edit(asked, asked.rewritten(), town.some(0))
    town.review(0, town.some(0))
    is_well_in_the_end(town)
    assert list(town.outside.replies.values()) == [asked.text]


@pytest.mark.parametrize("lane", [0, 1])
def test_an_answer_that_waits_to_be_posted_again_is_not_asked_for_anew_after_a_restart(
    town: Installation, lane: int
) -> None:
    is_left_ambiguous(town)
    town.outside.holding = {Kind.ASK}
    asks(town)
    town.review(0, town.some(0))
    assert states(town) == [State.WAITING, State.ASKING]
    restarts(town, lane=lane)
    is_well_in_the_end(town)
    assert town.outside.calls == 2


def test_questions_that_waited_for_an_old_key_are_not_passed_by_a_workspaces_newer_ones(
    town: Installation,
) -> None:
    for _ in range(8):
        asks(town)
    town.outside.fates[Kind.ASK] = [Fate.SLOW_MINUTES]
    asks(town)
    restarts(town, lane=1)
    town.outside.holding = {Kind.ASK}
    for thread in (4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7):
        asks(town, thread)
    for _ in range(3):  # what is under way now does not hear of it
        passes(town, 61)
    while any(one.kind is Kind.ASK for one in town.outside.under_way):
        ends(town, Kind.ASK)
    is_well_in_the_end(town)


def test_what_was_buried_while_nobody_knew_whether_it_was_posted_is_looked_for_when_it_is_revived(
    town: Installation,
) -> None:
    town.outside.fates[Kind.POST] = [Fate.UNKNOWN_DONE]
    town.outside.fates[Kind.FIND] = [Fate.SLOW_DAYS]
    asks(town)
    passes(town, 12)
    assert states(town) == [State.BURIED]
    town.review(0, town.some(0))
    is_well_in_the_end(town)
    assert states(town) == [State.DONE]


def test_to_stop_a_question_that_was_written_before_the_one_under_way_strands_nobody(
    town: Installation,
) -> None:
    town.outside.holding = {Kind.ASK}
    asks(town)
    town.write(THREADS[0], PEOPLE[0], "asks", earlier=400, addressed=True, offered=True, which=0)
    asks(town, author=1)
    town.stop(THREADS[0], PEOPLE[0], town.some(0))
    town.check()
    assert states(town) == [State.CANCELLED, State.CANCELLED, State.ASKING]
    is_well_in_the_end(town)
