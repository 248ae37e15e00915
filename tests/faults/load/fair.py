"""One workspace with a long queue, one that asks a little, and one API key: `run` counts their turns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.clock import SystemClock
from tests.faults.load import count
from tests.faults.load.crowd import Crowd, Known, crowd, let_be
from tests.faults.load.evidence import carried_out
from tests.faults.load.people import Chat
from tests.faults.load.watch import program
from tests.faults.report import Report

#: Calls of the busy workspace before each of the other, while that waits: they take turns. One more, as the
#: next call may have been claimed already when the first question came.
MOST = 2
_LATENCY = 0.05


@dataclass(frozen=True, slots=True)
class Turns:
    """So many questions wait on Slack when a few come on Discord; one call is made at a time."""

    busy: int = 200
    few: int = 5
    patience: float = 240.0


async def run(scale: float = 1.0, seed: str = "") -> Report:
    """Have 200 questions wait on Slack, then five be asked on Discord; `scale` changes the 200."""
    plan = Turns(max(20, round(Turns().busy * scale)))
    return await carried_out("fair", seed, lambda folder, chosen: fair(plan, folder, chosen))


async def fair(plan: Turns, folder: Path, seed: str, known: Known = let_be) -> Report:
    """Carry a plan out in a folder of its own. `known` is called with the crowd before anybody asks."""
    async with crowd(folder, SystemClock()) as here:
        known(here)
        here.assistant.latency = _LATENCY
        many = [here.newcomer(Chat.SLACK) for _ in range(plan.busy)]
        few = [here.newcomer(Chat.DISCORD) for _ in range(plan.few)]
        async with program(here, THREADLINE_CONCURRENCY="1"):
            for thread in many:
                await here.ask(thread)
            await here.taken()
            for thread in few:
                await here.ask(thread)
            missing = await here.settled(plan.patience)
        return _report(here, seed, missing)


def _report(here: Crowd, seed: str, missing: Sequence[str]) -> Report:
    states = here.states()
    between = _between(here)
    figures = {
        "seed": seed,
        **count.tell(here, states),
        "calls of the busy one": f"{', '.join(map(str, between))} before each of the other as that waited",
        "waits on Slack": count.spread(count.waits(here, Chat.SLACK)),
        "waits on Discord": count.spread(count.waits(here, Chat.DISCORD)),
    }
    unfair = [
        f"{many} calls of the busy workspace before one of the other" for many in between if many > MOST
    ]
    return Report("fair", figures, [*missing, *count.verdict(here, states), *unfair])


def _between(here: Crowd) -> list[int]:
    """Return how many calls of Slack came before each of Discord: since that waited, and it was its turn."""
    calls = [(here.questions[count.marker(call)], call.started_at) for call in here.chats()]
    busy = [at for asked, at in calls if asked.thread.chat is Chat.SLACK]
    between, before = [], datetime.min.replace(tzinfo=UTC)
    for asked, at in calls:
        if asked.thread.chat is Chat.DISCORD:
            since, before = max(here.accepted(asked), before), at
            between.append(sum(since < one < at for one in busy))
    return between
