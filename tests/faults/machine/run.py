"""The machine, run over a store as often as one wants."""

import asyncio
import random
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
#: Stories, and steps of each, that take about two minutes together; a real store takes ten times as long.
_EXAMPLES = {"memory": 400, "sqlite": 40, "postgres": 20}
_STEPS = 60


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


async def run(scale: float = 1.0, seed: str = "") -> Report:
    """Play 400 stories, 40 over a real store; `scale` has more or fewer. A seed like "machine-7" repeats."""
    seed = seed or f"machine-{random.SystemRandom().randrange(10**6)}"
    return await asyncio.to_thread(_played, scale, seed)  # each story has an event loop of its own


def _played(scale: float, seed: str) -> Report:
    """Run the machine over all stores; tell what came of it."""
    figures: dict[str, str] = {"seed": seed}
    faults: list[str] = []
    for store in STORES:
        began = time.monotonic()
        many = max(1, round(_EXAMPLES[store] * scale))
        try:
            taken = play(store, examples=many, steps=_STEPS, seed=_number(seed), shrink=False)
        except Exception as error:  # noqa: BLE001 whatever it is, it is what was looked for
            faults.append(f"{store}: {error} {' '.join(getattr(error, '__notes__', []))} [seed {seed}]")
        else:
            figures |= {f"{store}: {name}": f"{count:,}" for name, count in sorted(taken.items())}
        figures[f"{store}: stories, seconds"] = f"{many}, {time.monotonic() - began:.0f}"
    return Report("machine", figures, faults)


def _number(seed: str) -> int:
    """Return the number at the end of a seed, the same for any other words each time."""
    end = seed.rpartition("-")[2]
    return int(end) if end.isdecimal() else int.from_bytes(seed.encode())
