"""Row 42: two processes over one database, one of which is stopped past its lease and then goes on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from core.model import Address, AnswerPart, LaneId, Platform
from core.ports import Poster
from core.retry import Limits
from core.services.answering import Answering, AnsweringRules
from core.services.asking import AskingRules
from core.services.delivering import Delivering
from core.services.leases import LEASE, Leases
from core.services.marking import Marking
from core.services.offered import Services
from core.services.posting import Posting
from core.store import Store, connect, migrate
from core.testing import RecordingPoster, ScriptedChat, ScriptedKeys, SettableClock, numbered
from tests.faults.rows import Note
from tests.fixtures.queued import CHAT, SHOP, question

QUESTIONS = 20


class SlowPoster(RecordingPoster):
    """A platform that shows a message at once; its reply takes until `after` is set."""

    after: asyncio.Event | None = None

    async def post(self, to: Address, part: AnswerPart) -> str:
        posted = await super().post(to, part)
        if self.after is not None:
            await self.after.wait()
        return posted


@dataclass
class Replica:
    """One process: services of its own, over the file that it shares with the other."""

    store: Store
    chat: ScriptedChat
    leases: Leases
    delivering: Delivering
    services: Services

    async def begin(self) -> None:
        """Take what is due, and go as far as the assistant and the platform let it."""
        await self.delivering.take_due()

    async def settle(self) -> None:
        """Do all that is due, until nothing more is."""
        await self.leases.sweep()
        while await self.delivering.take_due() or self.leases.tasks():
            await asyncio.gather(*self.leases.tasks(), return_exceptions=True)


@dataclass
class Pair:
    """Two replicas, the platform to which both post, and the time."""

    clock: SettableClock
    poster: SlowPoster
    zombie: Replica
    other: Replica

    @property
    def posted(self) -> list[str]:
        return sorted(text for _, text in self.poster.posted)

    async def until(self, happened: Callable[[], object], *, step: float = 0.001) -> None:
        """Let everyone go on until something has happened, and nobody but sleepers sees time pass."""
        async with asyncio.timeout(10):
            while not happened():
                await asyncio.to_thread(time.monotonic)
                self.clock.advance(step)

    async def ask(self, many: int) -> None:
        for number in range(many):
            await self.zombie.services.asking.accept(question(f"q{number:02}"))


@asynccontextmanager
async def _replica(folder: Path, clock: SettableClock, poster: SlowPoster) -> AsyncIterator[Replica]:
    engine = connect(f"sqlite:///{folder / 'threadline.db'}")
    migrate(engine)
    store, chat = Store(engine), ScriptedChat()
    leases = Leases(store, clock)
    posters: dict[Platform, Poster] = {CHAT: poster}
    asking = AskingRules(lane=LaneId("key"), default_project=SHOP)
    rules = AnsweringRules(60_000, Limits(), own=asking.own)
    answering = Answering(store, chat, posters, clock=clock, leases=leases, rules=rules, random=lambda: 0.5)
    delivering = Delivering(
        store,
        clock,
        leases,
        answering,
        Posting(store, posters, clock, leases, random=lambda: 0.5),
        marking=Marking(store, posters, clock, random=lambda: 0.5),
        concurrency=QUESTIONS,
        on_next_due=lambda _: None,
    )
    services = Services.over(store, clock, asking, delivering, new_id=numbered(), keys=ScriptedKeys())
    try:
        yield Replica(store, chat, leases, delivering, services)
    finally:
        await store.aclose()


@pytest_asyncio.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    clock, poster = SettableClock(), SlowPoster()
    async with _replica(tmp_path, clock, poster) as zombie, _replica(tmp_path, clock, poster) as other:
        yield Pair(clock, poster, zombie, other)


async def test_row_42_an_answer_that_comes_after_the_lease_has_passed_on_is_neither_stored_nor_posted(
    pair: Pair, record_property: Note
) -> None:
    pair.zombie.chat.hold = asyncio.Event()
    await pair.ask(QUESTIONS)
    await pair.zombie.begin()
    await pair.until(lambda: len(pair.zombie.chat.asked) == QUESTIONS)
    pair.zombie.chat.script = ["late and unwanted"] * QUESTIONS
    pair.clock.advance(LEASE.total_seconds() + 1)  # the zombie neither renews nor sweeps: it is stopped
    await pair.other.settle()
    expected = [f"Answer to: q{number:02}?" for number in range(QUESTIONS)]
    assert pair.posted == expected
    late = pair.zombie.leases.tasks()
    pair.zombie.chat.hold.set()
    async with asyncio.timeout(5):  # it learns that at once: no clock is moved
        await asyncio.gather(*late)
    await pair.zombie.settle()
    assert pair.posted == expected
    turns = await pair.other.store(lambda uow: uow.deliveries.tally(pair.clock.now()).by_state)
    assert {state.value: many for state, many in turns.items()} == {"done": QUESTIONS}
    record_property("row 42: N, late answers refused, posted twice", (QUESTIONS, QUESTIONS, 0))


async def test_row_42_stopped_before_it_learns_that_a_part_is_shown_no_part_is_shown_twice(
    pair: Pair,
) -> None:
    pair.poster.limit = 10
    pair.zombie.chat.script = ["0123456789abcdefghijXYZ"]
    pair.poster.after = asyncio.Event()
    await pair.ask(1)
    await pair.zombie.begin()
    await pair.until(lambda: pair.posted)
    late = pair.zombie.leases.tasks()
    stopped, pair.poster.after = pair.poster.after, None
    pair.clock.advance(LEASE.total_seconds() + 1)
    await pair.other.settle()
    assert pair.posted == ["0123456789", "XYZ", "abcdefghij"]
    stopped.set()
    await asyncio.gather(*late)
    await pair.zombie.settle()
    assert pair.posted == ["0123456789", "XYZ", "abcdefghij"]
    assert pair.other.chat.asked == []  # the answer was stored: it is not asked for again


async def test_row_42_whoever_is_first_after_a_stop_asks_and_the_other_does_not(pair: Pair) -> None:
    await pair.ask(QUESTIONS)
    await pair.zombie.begin()
    pair.clock.advance(LEASE.total_seconds() + 1)  # it was stopped between claim and call
    await asyncio.gather(pair.other.settle(), pair.zombie.settle())
    await asyncio.gather(pair.other.settle(), pair.zombie.settle())
    assert pair.posted == [f"Answer to: q{number:02}?" for number in range(QUESTIONS)]
    assert len(pair.zombie.chat.asked) + len(pair.other.chat.asked) == QUESTIONS
