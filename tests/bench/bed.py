"""One run of one program: the other side in this process, the program in its own, and what is measured."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from tests.bench.assistant import Assistant
from tests.bench.carriers import SignedHttp, SocketMode
from tests.bench.counting import Asked, Called, Faults, Posted, acknowledgements, faults, overheads, quantile
from tests.bench.discord import Discord
from tests.bench.journal import Journal, now
from tests.bench.programs import Child, Name, environment, free_port, started
from tests.bench.slack import Slack

_WARM_UP = 100  #: questions
_STARTS_WITHIN = 60.0  #: seconds until the first answer
_SETTLES = 0.3  #: seconds for what a program writes down after an answer: that is part of its cost


class Side(Protocol):
    """The platform, as people and the program see it."""

    @property
    def acknowledges(self) -> bool:
        """Tell whether it is told that an event was received."""
        ...

    async def start(self) -> None:
        """Listen."""
        ...

    async def connect(self, port: int, connections: int) -> None:
        """Open connections to the program, or wait for its own."""
        ...

    async def stop(self) -> None:
        """Listen no more."""
        ...

    def environment(self) -> Mapping[str, str]:
        """Return what a program must be told of it."""
        ...

    async def ask(self, opening: Asked | None = None, turn: int = 1) -> Asked:
        """Have somebody mention the bot, or go on in a thread; return when the program has the event."""
        ...


class Way(Enum):
    """How events reach the program."""

    HTTP = "signed HTTP"
    SOCKET = "Socket Mode"
    GATEWAY = "Discord's gateway"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run needs: seconds the endpoint takes, calls at once, connections events come over."""

    way: Way = Way.HTTP
    delay: float = 0.0
    spread: float = 0.0
    """By how much of the delay some answers come sooner."""
    every: float = 0.0
    """Seconds between two answers that the endpoint gives; 0: as many as come."""
    concurrency: int = 64
    connections: int = 64
    patience: float = 20.0
    """Seconds without any answer, after which those that have not come are taken for lost."""
    limit: float = 240.0
    """Seconds after which all that have not come are."""


@dataclass(frozen=True, slots=True)
class Took:
    """What happened in a part of a run, and what it cost the program."""

    asked: Sequence[Asked]
    posted: Sequence[Posted]
    called: Sequence[Called]
    seconds: float
    cpu: float
    """Seconds of CPU time the program used."""
    load: float
    """Seconds of CPU time this process, the other side, used."""
    others: float
    """Seconds for which others had the program's core."""
    methods: Counter[str]
    connections: Counter[str]

    @property
    def answers(self) -> int:
        """How many answers were posted."""
        return sum(one.marker is not None for one in self.posted)

    def faults(self) -> Faults:
        """Return what went wrong."""
        return faults(self.asked, self.posted, self.called)

    def times(self, delay: float = 0.0) -> dict[str, float]:
        """Return the middles and the slow ends of acknowledgements and overheads, in milliseconds."""
        found = {"ack": acknowledgements(self.asked), "overhead": overheads(self.asked, self.posted, delay)}
        return {
            f"{name} p{share}, ms": 1000 * quantile(values, share / 100)
            for name, values in found.items()
            for share in (50, 99)
        }

    def rates(self) -> dict[str, float]:
        """Return answers a second, and the seconds of CPU time that a thousand cost."""
        thousands = self.answers / 1000 or float("nan")
        undisturbed = max(self.seconds - self.others, 0.001)
        return {
            "answers/s": self.answers / self.seconds,
            "answers/s, its core for itself": self.answers / undisturbed,
            "its core in others' hands, %": 100 * self.others / self.seconds,
            "CPU s/1,000": self.cpu / thousands,
            "the load's CPU s/1,000": self.load / thousands,
        }


@dataclass(eq=False)
class Bed:
    """A running program among light servers."""

    journal: Journal
    side: Side
    assistant: Assistant
    child: Child
    plan: Plan
    idle: float
    """Resident MiB before the first question."""

    async def measured(self, asking: Coroutine[None, None, None]) -> Took:
        """Have questions asked; return what came of them once they are answered, or given up."""
        journal = self.journal
        questions, posts, calls = len(journal.asked), len(journal.posted), len(journal.called)
        methods, connections = journal.methods.copy(), journal.connections.copy()
        begun, before, load = now(), self.child.use(), time.process_time()
        await asking
        seconds, load = now() - begun, time.process_time() - load
        others = self.child.use().others - before.others
        await asyncio.sleep(_SETTLES)
        if isinstance(self.side, Discord):
            self.side.note_calls()
        return Took(
            asked=journal.asked[questions:],
            posted=journal.posted[posts:],
            called=journal.called[calls:],
            seconds=seconds,
            cpu=self.child.use().cpu - before.cpu,
            load=load,
            others=max(0.0, others),
            methods=journal.methods - methods,
            connections=journal.connections - connections,
        )


@asynccontextmanager
async def bed(name: Name, plan: Plan, prepare: Callable[[Path], None] | None = None) -> AsyncIterator[Bed]:
    """Start everything, and warm it up; `prepare` may put a database into the program's folder first."""
    journal = Journal()
    side, assistant = _side(plan.way, journal), Assistant(journal)
    await side.start()
    await assistant.start()
    try:
        with tempfile.TemporaryDirectory(prefix="threadline-bench-") as folder:
            if prepare is not None:
                prepare(Path(folder))
            port = free_port()
            told = environment(
                name,
                side.environment(),
                port=port,
                folder=Path(folder),
                chat=assistant.url,
                concurrency=plan.concurrency,
            )
            listens = plan.way is Way.HTTP or name is Name.THREADLINE
            async with started(name, told, port if listens else None, Path(folder)) as child:
                await side.connect(port, plan.connections)
                here = Bed(journal, side, assistant, child, plan, child.use().resident)
                await warm_up(here)
                assistant.delay, assistant.spread, assistant.every = plan.delay, plan.spread, plan.every
                yield here
    finally:
        await side.stop()
        assistant.stop()


async def warm_up(here: Bed) -> None:
    """Have a first question answered, and some more, at whatever speed."""
    first = await here.side.ask()
    if not await here.journal.answered(first, _STARTS_WITHIN):
        raise RuntimeError(f"no first answer: {here.child.log.read_text()[-2000:]}")
    asked = await asyncio.gather(*(here.side.ask() for _ in range(_WARM_UP)))
    await here.journal.all_answered(asked, here.plan.patience, here.plan.limit)


def _side(way: Way, journal: Journal) -> Side:
    match way:
        case Way.HTTP:
            return Slack(journal, SignedHttp())
        case Way.SOCKET:
            return Slack(journal, SocketMode())
        case Way.GATEWAY:
            return Discord(journal)
