"""Whatever happens, in any order, over each store: nothing lost, nothing twice, nothing early."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from core.model import DeliveryId, Mark, ThreadKey
from tests.faults.machine.installation import Installation
from tests.faults.machine.invariants import always
from tests.faults.machine.outside import Fate, Kind
from tests.faults.machine.run import play, run
from tests.faults.machine.stores import STORES
from tests.faults.machine.town import LANES, PEOPLE, PLACES, PROJECTS, THREADS

#: Runs and steps that take about ten seconds; `python -m tests.faults.soak machine` takes many more.
_SMALL = {"memory": (40, 50), "sqlite": (6, 30), "postgres": (2, 25)}


@pytest.mark.parametrize("store", sorted(_SMALL))
def test_an_installation_keeps_its_promise_whatever_happens(store: str) -> None:
    examples, steps = _SMALL[store]
    happened = play(store, examples=examples, steps=steps)
    assert happened["questions accepted"] > examples


async def test_a_long_run_is_as_long_as_was_asked_and_its_seed_repeats_it() -> None:
    fresh, other = await run(scale=0.005), await run(scale=0.005)
    assert fresh.figures["seed"].startswith("machine-")
    assert fresh.figures["seed"] != other.figures["seed"]
    assert fresh.figures["memory: stories, seconds"].startswith("2, ")
    assert fresh.figures["sqlite: stories, seconds"].startswith("1, ")
    again = await run(scale=0.005, seed=fresh.figures["seed"])
    assert {**again.figures, **_took(fresh.figures)} == fresh.figures
    assert again.faults == fresh.faults  # whether there are any, the soak looks for: here each run goes alike


def _took(figures: Mapping[str, str]) -> dict[str, str]:
    return {name: figures[name] for name in figures if name.endswith("seconds")}


@pytest.fixture
def town() -> Iterator[Installation]:
    """An installation with a default project."""
    installation = Installation(STORES["memory"], default=True, narrow=False)
    yield installation
    installation.close()


def test_the_judge_sees_a_question_that_is_stored_twice(town: Installation) -> None:
    town.write(THREADS[0], PEOPLE[0], "asks", earlier=0, addressed=True, offered=True, which=0)
    stored = town.everything()
    ((id_, row),) = stored.rows.items()
    assert list(always(town.ledger, town.outside, stored)) == []
    twin = replace(row, id=DeliveryId("twin"))
    twice = replace(
        stored,
        rows={**stored.rows, twin.id: twin},
        parts={**stored.parts, twin.id: stored.parts.get(id_, ())},
    )
    assert "q0 is stored 2 times" in list(always(town.ledger, town.outside, twice))


def test_looking_on_does_not_put_off_what_is_looked_for(town: Installation) -> None:
    town.outside.fates[Kind.MARK] = [Fate.UNREACHABLE]
    town.write(THREADS[0], PEOPLE[0], "asks", earlier=0, addressed=True, offered=True, which=0)
    town.delete(town.ledger.asked[0], town.some(0), said=False)
    town.crash(done=False, step=-3600, lane=LANES[0], project=PROJECTS[0])
    town.heal()
    town.check_in_the_end()
    assert [*town.outside.marks.values()] == [[Mark.DELETED]]


@pytest.mark.parametrize("revived", [False, True])
def test_the_judge_lets_only_what_was_revived_be_asked_behind_what_was_written_later(
    town: Installation, revived: bool
) -> None:
    town.outside.holding = {Kind.ASK}
    for which in range(3):
        town.write(THREADS[0], PEOPLE[which % 2], "asks", earlier=0, addressed=True, offered=True, which=0)
    town.check()
    _, second, third = town.ledger.asked
    second.revived = revived
    town.watch.begins(third)
    assert town.watch.faults == ([] if revived else ["q2 is asked before [q1], which were written earlier"])


def test_no_two_messages_are_written_in_the_same_microsecond(town: Installation) -> None:
    at = [timedelta(0), timedelta(microseconds=1), timedelta(microseconds=2)]
    written = [
        town.ledger.write(THREADS[0], PEOPLE[0], town.now - earlier, addressed=True).asked_at
        for earlier in at
    ]
    assert len(set(written)) == len(written)


def test_who_joins_a_line_that_has_moved_to_another_key_gets_no_turns_beyond_their_own(
    town: Installation,
) -> None:
    town.crash(done=False, step=0, lane=LANES[0], project=None)
    for place in (PLACES[0], PLACES[4]):
        town.link(place, PROJECTS[0], town.some(0), answers_all=False)

    def ask(thread: ThreadKey) -> None:
        town.write(thread, PEOPLE[0], "asks", earlier=0, addressed=True, offered=True, which=0)

    acme, globex, discord = (THREADS[at : at + 4] for at in (0, 4, 8))
    town.outside.fates[Kind.ASK] = [Fate.UNAVAILABLE]
    ask(acme[0])  # tried once, it keeps the first place
    town.outside.holding = {Kind.ASK}
    for thread in (*discord[:3], acme[1], *globex):
        ask(thread)
    town.check()
    town.outside.holding = set()
    town.crash(done=False, step=0, lane=LANES[1], project=PROJECTS[0])
    town.heal()
    town.check_in_the_end()
