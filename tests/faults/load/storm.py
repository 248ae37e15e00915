"""Far more questions than the API key's limit lets through: `run` asks them of the real program."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bots.demo.assistant import Fault, faults
from bots.demo.assistant.faults import FaultQueue
from bots.demo.assistant.limit import Limit
from core.clock import Clock, SystemClock
from tests.faults.load import count
from tests.faults.load.crowd import Crowd, Known, crowd, let_be
from tests.faults.load.evidence import carried_out
from tests.faults.load.people import Chat
from tests.faults.load.watch import program
from tests.faults.report import Report

#: What a 429 asks for beyond the time after which there is room again: some services ask for more.
_MORE = (0, 1, 3)


@dataclass(frozen=True, slots=True)
class Storm:
    """So many questions in so many threads, against so many requests a second."""

    questions: int = 500
    threads: int = 50
    per_second: float = 1.0
    burst: int = 4
    patience: float = 900.0
    on_its_way: timedelta = count.IN_FLIGHT

    @property
    def each(self) -> int:
        """Return how many questions each thread has, one after the other."""
        return max(1, self.questions // self.threads)


class _Limited(FaultQueue):
    """A steady limit, with a 429 that names whole seconds for whatever exceeds it; it notes what it named."""

    def __init__(self, plan: Storm, clock: Clock, rng: random.Random) -> None:
        super().__init__()
        self.announced: list[count.Announced] = []
        self._limit = Limit(plan.per_second, plan.burst)
        self._clock = clock
        self._rng = rng

    def take(self) -> Fault | None:
        wait = self._limit.wait("", self._clock.monotonic())
        if not wait:
            return None
        seconds = wait + self._rng.choice(_MORE)
        self.announced.append(count.Announced(self._clock.now(), seconds))
        return faults.rate_limited(str(seconds))


async def run(scale: float = 1.0, seed: str = "") -> Report:
    """Ask 500 questions of a key that may be used once a second; `scale` has fewer or more asked."""
    usual = Storm()
    plan = Storm(max(20, round(usual.questions * scale)), max(2, round(usual.threads * scale)))
    return await carried_out("storm", seed, lambda folder, chosen: storm(plan, folder, chosen))


async def storm(plan: Storm, folder: Path, seed: str, known: Known = let_be) -> Report:
    """Carry a plan out in a folder of its own. `known` is called with the crowd before anybody asks."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    async with crowd(folder, SystemClock()) as here:
        known(here)
        here.assistant.latency = 0.02
        here.assistant.faults = limited = _Limited(plan, here.clock, rng)
        for _ in range(plan.threads):
            here.newcomer(Chat.SLACK)
        async with program(here):
            began = here.clock.monotonic()
            await _ask_all(here, plan.each, rng)
            missing = await here.settled(plan.patience)
            took = here.clock.monotonic() - began
        kept = count.pauses(here.chats(), limited.announced, on_its_way=plan.on_its_way)
        return _report(here, plan, seed, took=took, kept=kept, missing=missing)


async def _ask_all(here: Crowd, each: int, rng: random.Random) -> None:
    """Have everybody ask, then everybody again: nobody writes a second question before the first is there."""
    for _ in range(each):
        for thread in rng.sample(here.threads, len(here.threads)):
            await here.ask(thread)
        await here.taken()


def _report(
    here: Crowd, plan: Storm, seed: str, *, took: float, kept: count.Pauses, missing: Sequence[str]
) -> Report:
    states = here.states()
    figures = {
        "seed": seed,
        "limit": f"{plan.per_second:g} a second, {plan.burst} at once; each thread has {plan.each} questions",
        **count.tell(here, states),
        "429s": str(kept.announced),
        "early calls": str(len(kept.early)),
        "calls under way at a 429": f"{kept.under_way}, and {len(kept.in_flight)} arrived after it, "
        f"the last {max(kept.in_flight, default=0):.3f} s",
        "overshoot of a pause": count.spread(kept.overshoots),
        "peak queue": str(count.peak(here)),
        "drained in": f"{took:.1f} s, {len(here.questions) / took:.2f} questions a second",
    }
    return Report("storm", figures, [*missing, *count.verdict(here, states), *kept.early])
