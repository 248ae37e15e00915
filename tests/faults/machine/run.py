"""The machine, run over a store as often as one wants."""

import time
from collections import Counter
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.machine.rules import Machine
from tests.faults.machine.stores import STORES
from tests.faults.report import Report

_PHASES = (Phase.generate, Phase.shrink)


def play(
    store: str, *, examples: int, steps: int, seed: int | None = None, shrink: bool = True
) -> Counter[str]:
    """Run the machine over a store of `STORES`; return what happened in it, counted.

    Without a seed each run goes the same way. Raises what is wrong, with the shortest story that shows it.
    """

    class Over(Machine):
        opened = staticmethod(STORES[store])
        figures: ClassVar[Counter[str]] = Counter()

    rules = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=seed is None,
        database=None,
        phases=_PHASES if shrink else _PHASES[:1],
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    machine = Over if seed is None else seeded(seed)(Over)
    run_state_machine_as_test(machine, settings=rules)
    return Over.figures


def run(examples: int = 2_000, seed: int = 1) -> Report:
    """Run the machine over all stores, a tenth as often over a real one; tell what came of it."""
    figures: dict[str, str] = {"seed": str(seed)}
    faults: list[str] = []
    for store in STORES:
        began = time.monotonic()
        many = examples if store == "memory" else max(1, examples // 10)
        try:
            taken = play(store, examples=many, steps=60, seed=seed)
        except Exception as error:  # noqa: BLE001 whatever it is, it is what was looked for
            faults.append(f"{store}: {error} {' '.join(getattr(error, '__notes__', []))}")
        else:
            figures |= {f"{store}: {name}": f"{count:,}" for name, count in sorted(taken.items())}
        figures[f"{store}: seconds"] = f"{time.monotonic() - began:.0f}"
    return Report("machine", figures, faults)
