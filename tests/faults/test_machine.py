"""Whatever happens, in any order, over each store: nothing lost, nothing twice, nothing early."""

import pytest

from tests.faults.machine.run import play

#: Runs and steps that take about ten seconds; `python -m tests.faults.soak machine` takes many more.
_SMALL = {"memory": (40, 50), "sqlite": (6, 30)}


@pytest.mark.parametrize("store", sorted(_SMALL))
def test_an_installation_keeps_its_promise_whatever_happens(store: str) -> None:
    examples, steps = _SMALL[store]
    happened = play(store, examples=examples, steps=steps)
    assert happened["questions accepted"] > examples
