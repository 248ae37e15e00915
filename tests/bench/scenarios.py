"""What is asked, how fast, of which programs, and what is measured of it: one run of each."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.bench import asking, backlog, workers
from tests.bench.bed import Plan, Took, Way, bed
from tests.bench.counting import acknowledgements
from tests.bench.measured import Measured
from tests.bench.programs import DATABASE, Name
from tests.bench.stored import stored

_ACK_WITHIN = 3.0  #: seconds Slack waits for an acknowledgement
_CONVERSATIONS = 100_000  #: stored ones, of one question each


class Run(Protocol):
    """Runs one program once, `quick` for fewer questions."""

    def __call__(self, name: Name, *, quick: bool) -> Awaitable[Measured]: ...


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is run, of which programs, and how often at least; `says` is what for."""

    run: Run
    programs: Sequence[Name]
    says: str
    times: int | None = None
    """How often it is run at most; None: as often as is wished."""
    once: Sequence[Name] = ()
    """Programs that take too long to be run more than once."""


async def latency(name: Name, *, quick: bool, way: Way = Way.HTTP) -> Measured:
    plan = Plan(way, delay=0.3)
    async with bed(name, plan) as here:
        took = await here.measured(asking.steadily(here, a_second=20, many=80 if quick else 240))
    figures = took.times(plan.delay) | _calls(took) | {"resident idle, MiB": here.idle}
    return _measured(figures, took, way)


async def saturation(name: Name, *, quick: bool, way: Way = Way.HTTP) -> Measured:
    async with bed(name, Plan(way)) as here:
        took = await here.measured(asking.closed_loop(here, at_once=64, seconds=3 if quick else 6))
    return _measured(took.rates() | took.times() | _calls(took), took, way)


async def crowd(name: Name, *, quick: bool) -> Measured:
    plan = Plan(delay=2.0, concurrency=500, connections=256)
    async with bed(name, plan) as here:
        took = await here.measured(asking.begin(here, threads=500, until=1 if quick else 2))
        memory = {"resident idle, MiB": here.idle, "resident peak, MiB": here.child.use().peak}
    return Measured(took.rates() | took.times(plan.delay) | memory, took.faults())


async def rush(name: Name, *, quick: bool) -> Measured:
    many = 500 if quick else 2_000
    async with bed(name, Plan(concurrency=200, connections=256)) as here:
        took = await here.measured(asking.at_once(here, many=many))
    in_time = sum(one <= _ACK_WITHIN for one in acknowledgements(took.asked))
    share = {"acknowledged within 3 s, %": 100 * in_time / many}
    return Measured(share | took.times() | took.rates(), took.faults())


async def order(name: Name, *, quick: bool) -> Measured:
    plan = Plan(delay=0.3, spread=1.0, concurrency=64)
    async with bed(name, plan) as here:
        took = await here.measured(asking.in_quick_succession(here, threads=12 if quick else 48, each=3))
    return Measured({"questions": float(len(took.asked))}, took.faults())


async def long_threads(name: Name, *, quick: bool) -> Measured:
    last, ends = (20, 5) if quick else (50, 5)
    figures: dict[str, float] = {}
    async with bed(name, Plan(concurrency=8)) as here:
        first = await here.measured(asking.begin(here, threads=8, until=ends))
        openings = [one for one in first.asked if one.turn == 1]
        middle = await here.measured(asking.all_go_on(here, openings, ends, last - ends))
        late = await here.measured(asking.all_go_on(here, openings, last - ends, last))
    for which, took in ((f"turns 1–{ends}", first), (f"turns {last - ends + 1}–{last}", late)):
        figures[f"{which}: CPU s/1,000"] = took.rates()["CPU s/1,000"]
        figures[f"{which}: overhead p50, ms"] = took.times()["overhead p50, ms"]
    figures["CPU of the last turns against the first"] = late.cpu / first.cpu
    whole = replace(
        first,
        asked=[*first.asked, *middle.asked, *late.asked],
        posted=[*first.posted, *middle.posted, *late.posted],
    )
    return Measured(figures, whole.faults())


async def storm(name: Name, *, quick: bool) -> Measured:
    async with bed(name, Plan(every=1.0, concurrency=8)) as here:
        took = await here.measured(asking.at_once(here, many=10 if quick else 40))
    refused = sum(1 for one in took.called if one.pause)
    answered = {"seconds": took.seconds, "calls": float(len(took.called)), "429s": float(refused)}
    return Measured(answered, took.faults())


async def memory(name: Name, *, quick: bool) -> Measured:
    many = _CONVERSATIONS // 10 if quick else _CONVERSATIONS

    def fill(folder: Path) -> None:
        stored(folder / DATABASE, rows=many, waiting=0, each=1)

    plan = Plan(delay=2.0, concurrency=500, connections=256)
    async with bed(name, plan, fill) as here:
        took = await here.measured(asking.at_once(here, many=500))
        figures = {"resident idle, MiB": here.idle, "resident peak, MiB": here.child.use().peak}
    return Measured(figures, took.faults())


async def queue(name: Name, *, quick: bool) -> Measured:
    return await backlog.backlog(quick=quick)


async def at_work(name: Name, *, quick: bool) -> Measured:
    return await workers.workers(quick=quick)


_ALL, _TWO, _OURS = tuple(Name), (Name.PLAIN, Name.THREADLINE), (Name.THREADLINE,)

SCENARIOS: Mapping[str, Scenario] = {
    "latency": Scenario(latency, _ALL, "20 new threads a second, the endpoint takes 300 ms"),
    "saturation": Scenario(saturation, _ALL, "64 people, each asks anew once answered; endpoint 0 ms"),
    "crowd": Scenario(crowd, _ALL, "500 threads at once, two turns each; endpoint 2 s"),
    "rush": Scenario(
        rush, _ALL, "2,000 events at once over 256 connections; endpoint 0 ms", once=(Name.PLAIN,)
    ),
    "order": Scenario(order, _TWO, "48 threads with three quick questions each; endpoint 0 to 300 ms"),
    "long": Scenario(long_threads, _TWO, "8 threads of 50 turns; endpoint 0 ms"),
    "storm": Scenario(storm, _TWO, "40 threads at once, the endpoint answers once a second", times=1),
    "memory": Scenario(memory, _OURS, "500 threads at once among 10⁵ stored; endpoint 2 s", times=1),
    "backlog": Scenario(queue, _OURS, "the store alone: claims and acceptances, in turns", times=1),
    "workers": Scenario(at_work, _OURS, "one and two work processes over PostgreSQL; endpoint 0 ms"),
    "socket latency": Scenario(partial(latency, way=Way.SOCKET), _TWO, "as latency, over Socket Mode"),
    "socket saturation": Scenario(
        partial(saturation, way=Way.SOCKET), _TWO, "as saturation, over Socket Mode"
    ),
    "gateway latency": Scenario(partial(latency, way=Way.GATEWAY), _OURS, "as latency, on Discord"),
    "gateway saturation": Scenario(partial(saturation, way=Way.GATEWAY), _OURS, "as saturation, on Discord"),
}


def _measured(figures: Mapping[str, float], took: Took, way: Way) -> Measured:
    """Leave out what Discord does not have, or does not tell us."""
    hidden = ("ack", "new connections", "look-ups") if way is Way.GATEWAY else ()
    return Measured(
        {name: one for name, one in figures.items() if not name.startswith(hidden)}, took.faults()
    )


def _calls(took: Took) -> dict[str, float]:
    """Return calls of the platform's and new connections per answer; look-ups, which are cached, apart."""
    many = took.answers or float("nan")
    looks = sum(count for method, count in took.methods.items() if _looks_up(method))
    return {
        "platform calls/answer": (took.methods.total() - looks) / many,
        "look-ups/answer": looks / many,
        "new connections/answer": took.connections.total() / many,
    }


def _looks_up(method: str) -> bool:
    return method.startswith(("users.", "conversations.", "auth.", "apps."))
