"""One run of one program: the other side in this process, the program in its own, and what is measured."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.assistant import Assistant
from tests.bench.counting import Asked, Called, Faults, Posted, acknowledgements, faults, overheads, quantile
from tests.bench.journal import Journal, now
from tests.bench.programs import Child, Name, environment, free_port, started
from tests.bench.slack import Slack

_WARM_UP = 100  #: questions
_STARTS_WITHIN = 30.0  #: seconds until the first answer


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run needs: seconds the endpoint takes, calls at once, connections events come over."""

    delay: float = 0.0
    concurrency: int = 64
    connections: int = 64
    every: float = 0.0
    """Seconds between two answers that the endpoint gives; 0: as many as come."""
    patience: float = 60.0
    """Seconds for an answer, after which it is taken for lost."""


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
    methods: Counter[str]
    connections: Counter[str]

    def faults(self) -> Faults:
        """Return what went wrong."""
        return faults(self.asked, self.posted, self.called)

    def times(self, delay: float) -> dict[str, float]:
        """Return the middles and the slow ends of acknowledgements and overheads, in milliseconds."""
        found = {"ack": acknowledgements(self.asked), "overhead": overheads(self.asked, self.posted, delay)}
        return {
            f"{name} p{share}": 1000 * quantile(values, share / 100)
            for name, values in found.items()
            for share in (50, 99)
        }

    def rates(self) -> dict[str, float]:
        """Return answers a second and the CPU seconds that a thousand cost."""
        many = sum(one.marker is not None for one in self.posted)
        return {
            "answers/s": many / self.seconds,
            "CPU s/1,000": 1000 * self.cpu / many if many else float("nan"),
            "load's CPU s/1,000": 1000 * self.load / many if many else float("nan"),
        }


@dataclass(eq=False)
class Bed:
    """A running program among light servers."""

    journal: Journal
    slack: Slack
    assistant: Assistant
    child: Child
    plan: Plan
    idle: float
    """Resident MiB before the first question."""

    async def measured(self, ask: Callable[[], "asyncio.Future[None]"]) -> Took:
        """Have questions asked; return what came of them once they are answered, or given up."""
        journal, before, cpu, mine = self.journal, self._marks(), self.child.use().cpu, time.process_time()
        methods, connections = journal.methods.copy(), journal.connections.copy()
        begin = now()
        await ask()
        seconds, load = now() - begin, time.process_time() - mine
        await asyncio.sleep(0.3)  # what the program writes down after an answer is part of its cost
        questions, posts, calls = before
        return Took(
            journal.asked[questions:],
            journal.posted[posts:],
            journal.called[calls:],
            seconds,
            self.child.use().cpu - cpu,
            load,
            journal.methods - methods,
            journal.connections - connections,
        )

    def _marks(self) -> tuple[int, int, int]:
        return len(self.journal.asked), len(self.journal.posted), len(self.journal.called)


@asynccontextmanager
async def bed(name: Name, plan: Plan, prepare: Callable[[Path], None] | None = None) -> AsyncIterator[Bed]:
    """Start everything, and warm it up; `prepare` may put a database into the program's folder first."""
    journal = Journal()
    slack, assistant = Slack(journal), Assistant(journal)
    await slack.start()
    await assistant.start()
    try:
        with tempfile.TemporaryDirectory(prefix="threadline-bench-") as folder:
            if prepare is not None:
                prepare(Path(folder))
            port = free_port()
            told = environment(
                name, port, Path(folder), chat=assistant.url, api=slack.url, concurrency=plan.concurrency
            )
            async with started(name, told, port, Path(folder)) as child:
                here = Bed(journal, slack, assistant, child, plan, child.use().resident)
                await slack.connect(port, plan.connections)
                await _warm_up(here)
                assistant.delay, assistant.every = plan.delay, plan.every
                yield here
    finally:
        slack.stop()
        assistant.stop()


async def _warm_up(here: Bed) -> None:
    first = await here.slack.ask()
    if not await here.journal.answered(first, _STARTS_WITHIN):
        raise RuntimeError(f"no first answer: {here.child.log.read_text()[-2000:]}")
    asked = await asyncio.gather(*(here.slack.ask() for _ in range(_WARM_UP)))
    await here.journal.all_answered(asked, _STARTS_WITHIN)
