"""One process of the installation: the real services, whose every way out leads through here."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from core.errors import StoreUnavailable
from core.model import (
    Account,
    Address,
    AnswerPart,
    AuthorId,
    Delivery,
    DeliveryId,
    LaneId,
    Mark,
    Notice,
    Platform,
    ProjectId,
    Remark,
    ThreadState,
    Turn,
    WorkspaceId,
)
from core.ports import Transact, UnitOfWork
from core.services.answering import Answering, AnsweringRules
from core.services.asking import AskingRules
from core.services.delivering import Delivering
from core.services.leases import Leases
from core.services.marking import Marking
from core.services.offered import Services
from core.services.posting import Posting
from core.services.reviewing import Reviewing
from core.testing import ScriptedKeys, SettableClock
from tests.faults.machine.loop import owned_context
from tests.faults.machine.outside import Deed, Kind, Outside

T = TypeVar("T")

CONCURRENCY = 3
PART = 40  #: characters of a message


class Watched(Protocol):
    """Who looks at what a process does, as it does it."""

    def look(self, uow: UnitOfWork) -> object: ...
    def note(self, process: "Process", seen: object) -> None: ...
    def asks(self, process: "Process", project: ProjectId, turns: Sequence[Turn]) -> Delivery: ...
    def posts(self, process: "Process", to: Address, piece: str, text: str) -> None: ...
    def shows(self, to: Address, piece: str, text: str) -> None: ...


@dataclass(frozen=True)
class Surroundings:
    """What all processes share, and with which settings they run."""

    store: Transact
    outside: Outside
    watched: Watched
    platforms: Sequence[Platform]
    new_id: Callable[[datetime], DeliveryId]
    random: Callable[[], float]


@dataclass(eq=False)
class Process:
    """The services over one store. Frozen, it learns nothing; dead, it does nothing more."""

    number: int
    around: Surroundings
    rules: AskingRules
    clock: SettableClock
    dead: bool = False
    frozen: asyncio.Event | None = None
    missed: float = 0.0
    failing: int = 0
    tasks: "set[asyncio.Task[Any]]" = field(default_factory=set)
    due: datetime | None = None

    def __post_init__(self) -> None:
        around = self.around
        posters = {platform: _Poster(self) for platform in around.platforms}
        self.leases = Leases(self.transact, self.clock)
        answering = Answering(
            self.transact,
            _Chat(self),
            posters,
            clock=self.clock,
            leases=self.leases,
            rules=AnsweringRules(self.rules.budget, own=self.rules.own),
            random=around.random,
        )
        posting = Posting(self.transact, posters, self.clock, self.leases, random=around.random)
        self.delivering = Delivering(
            self.transact,
            self.clock,
            self.leases,
            answering,
            posting,
            marking=Marking(self.transact, posters, self.clock, random=around.random),
            concurrency=CONCURRENCY,
            on_next_due=self._due,
        )
        self.services = Services.over(
            self.transact,
            self.clock,
            self.rules,
            self.delivering,
            new_id=around.new_id,
            keys=ScriptedKeys(),
        )
        self.reviewing = Reviewing(self.transact, self.clock, self.rules.own, wake=self.delivering.wake)

    @property
    def lane(self) -> LaneId:
        return self.rules.lane

    async def begin(self, *, alone: bool) -> None:
        """Start as the program does; only who is alone takes over at once what the last one held."""
        if alone:
            await self.leases.take_over()
        self.running = asyncio.create_task(self.delivering.run())
        for platform in self.around.platforms:
            await self.services.linking.begin(platform)

    async def do(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do something in this process; None where the database was away."""
        task = asyncio.get_running_loop().create_task(_tried(work), context=owned_context(self.tasks))
        return await task

    async def transact(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run a transaction, and have it looked at."""
        await asyncio.sleep(0)
        self.alive()
        if self.failing:
            self.failing -= 1
            raise StoreUnavailable
        result, seen = await self.around.store(lambda uow: (work(uow), self.around.watched.look(uow)))
        self.around.watched.note(self, seen)
        await self.thawed()
        return result

    def alive(self) -> None:
        if self.dead:
            raise asyncio.CancelledError

    async def thawed(self) -> None:
        """Return when the process goes on; a dead one never does."""
        self.alive()
        if self.frozen is not None:
            await self.frozen.wait()
            self.alive()

    def freeze(self) -> None:
        self.frozen = asyncio.Event()

    def thaw(self) -> None:
        """Go on, and find that time has passed."""
        if self.frozen is not None:
            frozen, self.frozen = self.frozen, None
            self.clock.advance(self.missed)
            self.missed = 0.0
            frozen.set()

    def advance(self, seconds: float) -> None:
        if self.frozen is not None:
            self.missed += seconds
        else:
            self.clock.advance(seconds)

    async def die(self) -> None:
        """Vanish: nothing of it runs on, not even what would clean up."""
        self.dead = True
        if self.frozen is not None:
            self.frozen.set()
        while self.tasks:
            for task in list(self.tasks):
                task.cancel()
            await asyncio.sleep(0)

    def _due(self, at: datetime | None) -> None:
        self.due = at

    def deed(self, kind: Kind, delivery: DeliveryId | None, effect: Callable[[], None]) -> Deed:
        self.alive()
        return Deed(kind, self, delivery, effect, asyncio.get_running_loop().create_future())


async def _tried(work: Coroutine[Any, Any, T]) -> T | None:
    try:
        return await work
    except StoreUnavailable:
        return None


class _Chat:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def ask(self, _: Account | None, project: ProjectId, turns: Sequence[Turn]) -> str:
        around = self._process.around
        self._process.alive()
        held = around.watched.asks(self._process, project, turns)
        deed = self._process.deed(Kind.ASK, held.id, lambda: None)
        deed.fence = held.fence
        await around.outside.do(deed)
        return around.outside.answer(project, turns)


class _Poster:
    """A platform's way of showing things, over what is outside."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._outside = process.around.outside

    def split(self, answer: str, remarks: Collection[Remark]) -> Sequence[str]:  # noqa: ARG002 said elsewhere
        return [answer[at : at + PART] for at in range(0, len(answer), PART)]

    async def post(self, to: Address, part: AnswerPart) -> str:
        return await self._show(to, f"{part.number}", part.text)

    async def notify(self, to: Address, notice: Notice) -> str:
        return await self._show(to, notice.reason.value, notice.reason.value)

    async def find(self, to: Address, piece: AnswerPart | Notice) -> str | None:
        found: list[str] = []
        name = piece.reason.value if isinstance(piece, Notice) else f"{piece.number}"

        def look() -> None:
            shown = self._outside.shown.get(to.delivery, [])
            found.extend(f"{to.delivery}/{name}" for known, _ in shown if known == name)

        await self._outside.do(self._process.deed(Kind.FIND, to.delivery, look))
        return found[0] if found else None

    async def mark(self, to: Address, part: AnswerPart, mark: Mark) -> None:  # noqa: ARG002 the last one, always
        marks = self._outside.marks.setdefault(to.delivery, [])
        await self._outside.do(self._process.deed(Kind.MARK, to.delivery, lambda: marks.append(mark)))

    async def show_state(self, to: Address, state: ThreadState) -> None:
        self._outside.tell(to, state)
        await self._outside.do(self._process.deed(Kind.STATE, None, lambda: None))

    async def names(self, workspace: WorkspaceId, authors: Collection[AuthorId]) -> Mapping[AuthorId, str]:  # noqa: ARG002 alike everywhere
        await self._outside.do(self._process.deed(Kind.NAMES, None, lambda: None))
        return {author: str(author) for author in authors}

    async def _show(self, to: Address, piece: str, text: str) -> str:
        watched = self._process.around.watched
        self._process.alive()
        watched.posts(self._process, to, piece, text)

        def effect() -> None:
            watched.shows(to, piece, text)
            self._outside.show(to, piece, text)

        await self._outside.do(self._process.deed(Kind.POST, to.delivery, effect))
        return f"{to.delivery}/{piece}"
