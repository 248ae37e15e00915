"""Work processes over one PostgreSQL database: the answers that one gives a second, and that two give."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.bench import asking
from tests.bench.assistant import Assistant
from tests.bench.bed import Bed, Plan, warm_up
from tests.bench.carriers import SignedHttp
from tests.bench.counting import Faults
from tests.bench.journal import Journal
from tests.bench.measured import Measured
from tests.bench.programs import AT_START, Name, environment, free_port, started
from tests.bench.slack import Slack
from tests.fixtures.postgres import server

_APART = 4  #: cores, from which on each process has one of its own


async def workers(*, quick: bool) -> Measured:
    """Have one, and then two, answer what a web process takes in, 64 people each asking anew once answered.

    With four cores and more each work process has one for itself, and the database one with the load; with
    fewer all share all of them, and the figures tell little.
    """
    figures, wrong = {}, Faults()
    for many in (1, 2):
        async with _town(many) as here:
            took = await here.measured(asking.closed_loop(here, at_once=64, seconds=3 if quick else 8))
        figures[f"{many} at work: answers/s"] = took.rates()["answers/s"]
        wrong += took.faults()
    one, two = figures.values()
    compared = "two against one" if len(AT_START) >= _APART else "two against one, cores shared"
    return Measured({**figures, compared: two / one}, wrong)


@asynccontextmanager
async def _town(many: int) -> AsyncIterator[Bed]:
    """Start a database, a web process and so many work processes."""
    journal, plan = Journal(), Plan()
    side, assistant = Slack(journal, SignedHttp()), Assistant(journal)
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(server())
        url = stack.enter_context(postgres.database())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="threadline-bench-")))
        for other in (side, assistant):
            await other.start()
        stack.push_async_callback(side.stop)
        stack.callback(assistant.stop)
        port = free_port()
        told = environment(
            Name.THREADLINE,
            side.environment(),
            port=port,
            folder=folder,
            chat=assistant.url,
            concurrency=plan.concurrency,
        ) | {"THREADLINE_DATABASE_URL": url}
        web, *own = _places(many)
        await stack.enter_async_context(started(Name.THREADLINE, told, port, folder, role="web", place=web))
        for number, place in enumerate(own):
            there = folder / f"work-{number}"
            there.mkdir()
            probe = free_port()
            working = {**told, "THREADLINE_HTTP_PORT": str(probe)}
            child = await stack.enter_async_context(
                started(Name.THREADLINE, working, probe, there, role="work", place=place)
            )
        await side.connect(port, plan.connections)
        here = Bed(journal, side, assistant, child, plan, child.use().resident)
        await warm_up(here)
        yield here


def _places(many: int) -> Sequence[set[int]]:
    """Return the cores of the web process, and of each work process."""
    cores = sorted(AT_START)
    if len(cores) < _APART:
        return [set(cores)] * (1 + many)
    return [{cores[-2]}, *({core} for core in cores[:many])]
