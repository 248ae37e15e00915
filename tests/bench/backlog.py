"""The queue among much that is stored: what a claim takes, and an acceptance. The store alone, no program."""

import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from core.clock import SystemClock
from core.model import (
    AuthorId,
    DeliveryId,
    EventId,
    LaneId,
    MessageId,
    Platform,
    ProjectId,
    Question,
    State,
    ThreadKey,
    WorkspaceId,
)
from core.ports import UnitOfWork
from core.services.asking import Asking, AskingRules
from core.services.rush import Rush
from core.store import Store, connect
from tests.bench.counting import Faults, median
from tests.bench.measured import Measured
from tests.bench.stored import LANE, WORKSPACES, stored

SIZES = (1_000, 10_000, 100_000, 1_000_000)
LANES = (10, 10_000)
_WAITING = 10  #: of so many stored, one waits
_WARM_UP, _TIMES = 10, 60
_LEASE = timedelta(seconds=10)


async def backlog(*, quick: bool) -> Measured:
    """Claim, and accept, with 10³ to 10⁶ questions stored, of which every tenth waits; in turns.

    Claim, too, where ten lanes and where ten thousand have questions waiting.
    """
    sizes = SIZES[:3] if quick else SIZES
    deeds: dict[str, Callable[[], Awaitable[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="threadline-bench-") as folder:
        stores = [_store(Path(folder) / f"{rows}.db", rows) for rows in sizes]
        apart = [_apart(Path(folder) / f"lanes-{lanes}.db", lanes) for lanes in LANES]
        try:
            for rows, store in zip(sizes, stores, strict=True):
                await store(lambda uow: uow.lanes.get(LaneId(LANE)))
                power = len(str(rows)) - 1
                deeds[f"claim among 10^{power}, ms"] = partial(_claim, store)
                deeds[f"accept among 10^{power}, ms"] = _accepting(store)
            for lanes, store in zip(LANES, apart, strict=True):
                deeds[f"claim from {lanes} lanes, ms"] = partial(_claim, store)
            seconds = await _in_turns(deeds)
        finally:
            for store in [*stores, *apart]:
                await store.aclose()
    figures = {name: 1000 * median(ones) for name, ones in seconds.items()}
    for deed in ("claim", "accept"):
        first, last = (f"{deed} among 10^{len(str(rows)) - 1}, ms" for rows in (sizes[0], sizes[-1]))
        figures[f"{deed}, 10^{len(str(sizes[-1])) - 1} : 10^3"] = figures[last] / figures[first]
    few, many = (figures[f"claim from {lanes} lanes, ms"] for lanes in LANES)
    figures["claim, 10^4 : 10 lanes"] = many / few
    return Measured(figures, Faults())


def _store(file: Path, rows: int) -> Store:
    stored(file, rows=rows, waiting=rows // _WAITING)
    return Store(connect(f"sqlite:///{file}"))


def _apart(file: Path, lanes: int) -> Store:
    stored(file, rows=LANES[-1], waiting=LANES[-1], lanes=lanes)
    return Store(connect(f"sqlite:///{file}"))


async def _in_turns(deeds: Mapping[str, Callable[[], Awaitable[float]]]) -> Mapping[str, Sequence[float]]:
    """Return each deed's seconds; the first times, which warm things up, are left out."""
    seconds: dict[str, list[float]] = {name: [] for name in deeds}
    for _ in range(_WARM_UP + _TIMES):
        for name, deed in deeds.items():
            seconds[name].append(await deed())
    return {name: ones[_WARM_UP:] for name, ones in seconds.items()}


async def _claim(store: Store) -> float:
    """Claim one question, as a working process does; settle it, unmeasured. Return the seconds."""

    def claim(uow: UnitOfWork) -> list[DeliveryId]:
        now = datetime.now(UTC)
        claimed = uow.deliveries.claim(now, now + _LEASE, 8, 1)
        uow.deliveries.next_due(now)
        return [one.id for one in claimed]

    def settle(uow: UnitOfWork) -> None:
        delivery = uow.deliveries.get(claimed)
        assert delivery is not None
        uow.deliveries.settle(delivery, State.DONE, datetime.now(UTC))

    begun = time.perf_counter()
    (claimed,) = await store(claim)
    seconds = time.perf_counter() - begun
    await store(settle)
    return seconds


def _accepting(store: Store) -> Callable[[], Awaitable[float]]:
    """Return what accepts one question more, in a new thread, and returns the seconds."""
    asking = Asking(
        store,
        SystemClock(),
        AskingRules(lane=LaneId(LANE), default_project=ProjectId("shop-demo-7f3k2")),
        new_id=lambda _: DeliveryId(f"z{secrets.token_hex(9)}"),
        wake=lambda: None,
        cancelled=lambda _: None,
        rush=Rush(SystemClock()),
    )
    numbers = iter(range(1_000_000))

    async def accept() -> float:
        number = next(numbers)
        ts = f"{1_800_000_000 + number}.000000"
        question = Question(
            event=EventId(f"Ev{number}"),
            message=MessageId(ts),
            thread=ThreadKey(Platform("slack"), WorkspaceId(f"T{number % WORKSPACES}"), f"C{number}", ts),
            author=AuthorId(f"U{number}"),
            text="who calls billing, and why?",
            asked_at=datetime.now(UTC),
            addressed=True,
            has_files=False,
            objection=None,
        )
        begun = time.perf_counter()
        await asking.accept(question)
        return time.perf_counter() - begun

    return accept
