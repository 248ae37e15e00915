"""A settable clock, a scripted assistant and a poster that remembers: twins of ports, not mocks of SDKs."""

import asyncio
import heapq
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from core.errors import KeyRefused, OutcomeUnknown, ThreadlineError
from core.model import (
    Account,
    Address,
    AnswerPart,
    AuthorId,
    DeliveryId,
    LaneId,
    Mark,
    Notice,
    Project,
    ProjectId,
    Remark,
    SealedKey,
    ThreadState,
    Turn,
    WorkspaceId,
)


class SettableClock:
    """Stands still until it is moved; whoever sleeps wakes when their time has come."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._apart = timedelta()
        self._monotonic = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._numbers = count()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        waking = asyncio.Event()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._numbers), waking))
        await waking.wait()

    def wall(self, at: datetime) -> datetime:
        return at + self._apart

    def advance(self, seconds: float) -> None:
        """Let time pass, on both clocks."""
        self._monotonic += seconds
        self._now += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._monotonic:
            heapq.heappop(self._sleepers)[2].set()

    def set(self, there: datetime, *, begins: bool = False) -> None:  # noqa: ARG002 it never stands still
        """Show another time, as a machine does whose clock was wrong when it was started again."""
        self._now = there

    def jump(self, seconds: float) -> None:
        """Set the wall clock to another time; the steady and the monotonic one do not notice."""
        self._apart += timedelta(seconds=seconds)


class ScriptedChat:
    """Answers by `script`, entry after entry (an error is raised), then with an echo.

    `hold` keeps calls waiting until it is set; `reached` tells of the first call.
    """

    def __init__(self) -> None:
        self.script: list[str | Exception] = []
        self.asked: list[tuple[ProjectId, tuple[Turn, ...]]] = []
        self.under: list[Account | None] = []
        self.hold: asyncio.Event | None = None
        self.reached = asyncio.Event()

    async def ask(self, account: Account | None, project: ProjectId, turns: Sequence[Turn]) -> str:
        self.asked.append((project, tuple(turns)))
        self.under.append(account)
        self.reached.set()
        if self.hold is not None:
            await self.hold.wait()
        answer = self.script.pop(0) if self.script else f"Answer to: {turns[-1].text}"
        if isinstance(answer, Exception):
            raise answer
        return answer


class ScriptedKeys:
    """Knows keys and the projects that each sees; `error` is raised instead."""

    def __init__(self, **known: Sequence[Project]) -> None:
        self.known = dict(known)
        self.own: Sequence[Project] = ()
        self.can_seal = True
        self.error: ThreadlineError | None = None

    def seal(self, key: str) -> SealedKey:
        return SealedKey(f"sealed {key}")

    def opened(self, key: SealedKey) -> str:
        return key.removeprefix("sealed ")

    def lane(self, key: str) -> LaneId:
        return LaneId(f"lane of {key}")

    async def unseen(self, key: str, projects: Collection[ProjectId]) -> Sequence[ProjectId]:
        seen = {project.id for project in self._seen(key)}
        return [project for project in projects if project not in seen]

    async def projects(self, account: Account | None, query: str) -> Sequence[Project]:
        seen = self.own if account is None else self._seen(self.opened(account.key))
        return [project for project in seen if query in project.name]

    def _seen(self, key: str) -> Sequence[Project]:
        if self.error is not None:
            raise self.error
        if key not in self.known:
            raise KeyRefused
        return self.known[key]


class RecordingPoster:
    """Remembers what was shown; a part holds at most `limit` characters; 0 shows
    nothing, and fewer is a bug of its own.

    `script` holds errors (or None) for the next posts; for the next `lost` ones OutcomeUnknown is raised
    after the message was shown. `hold` keeps posts waiting until it is set; `reached` tells of the first.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self.limit = limit
        self.script: list[Exception | None] = []
        self.lost = 0
        self.hold: asyncio.Event | None = None
        self.reached = asyncio.Event()
        self.find_error: ThreadlineError | None = None
        self.find_hold: asyncio.Event | None = None
        self.state_error: ThreadlineError | None = None
        self.state_hold: asyncio.Event | None = None
        self.posted: list[tuple[Address, str]] = []
        self.notices: list[tuple[Address, Notice]] = []
        self.states: list[tuple[Address, ThreadState]] = []
        self.known: dict[AuthorId, str] = {}
        self.names_error: ThreadlineError | None = None
        self.mark_error: ThreadlineError | None = None
        self.marks: list[tuple[Address, int, Mark]] = []
        self.names_hold: asyncio.Event | None = None

    def split(self, answer: str, remarks: Collection[Remark]) -> Sequence[str]:
        if self.limit < 0:
            raise ArithmeticError
        if not self.limit:
            return []
        whole = answer + "".join(f" [{remark}]" for remark in sorted(remarks))
        return [whole[at : at + self.limit] for at in range(0, len(whole), self.limit)]

    async def post(self, to: Address, part: AnswerPart) -> str:
        await self._scripted()
        self.posted.append((to, part.text))
        return self._shown(f"{to.delivery}/{part.number}")

    async def notify(self, to: Address, notice: Notice) -> str:
        await self._scripted()
        self.notices.append((to, notice))
        return self._shown(f"{to.delivery}/notice")

    async def find(self, to: Address, piece: AnswerPart | Notice) -> str | None:
        if self.find_hold is not None:
            await self.find_hold.wait()
        if self.find_error is not None:
            raise self.find_error
        if isinstance(piece, Notice):
            return f"{to.delivery}/notice" if (to, piece) in self.notices else None
        return f"{to.delivery}/{piece.number}" if (to, piece.text) in self.posted else None

    async def mark(self, to: Address, part: AnswerPart, mark: Mark) -> None:
        if self.mark_error is not None:
            raise self.mark_error
        self.marks.append((to, part.number, mark))

    async def show_state(self, to: Address, state: ThreadState) -> None:
        if self.state_hold is not None:
            await self.state_hold.wait()
        if self.state_error is not None:
            raise self.state_error
        self.states.append((to, state))

    async def names(self, workspace: WorkspaceId, authors: Collection[AuthorId]) -> Mapping[AuthorId, str]:  # noqa: ARG002 one workspace is enough here
        if self.names_hold is not None:
            await self.names_hold.wait()
        if self.names_error is not None:
            raise self.names_error
        return {author: self.known[author] for author in authors if author in self.known}

    async def _scripted(self) -> None:
        self.reached.set()
        if self.hold is not None:
            await self.hold.wait()
        error = self.script.pop(0) if self.script else None
        if error is not None:
            raise error

    def _shown(self, posted: str) -> str:
        if self.lost:
            self.lost -= 1
            raise OutcomeUnknown
        return posted


def numbered() -> Callable[[datetime], DeliveryId]:
    """Return a source of delivery ids d001, d002, …"""
    numbers = count(1)
    return lambda _: DeliveryId(f"d{next(numbers):03}")
