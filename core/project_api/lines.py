"""One line for each API key in use: made when first needed, closed when long unused. It opens no key."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.clock import Clock
from core.model import LaneId
from core.project_api.line import Line

L = TypeVar("L", bound=Line)

_IDLE = 60.0  #: seconds for which an unused line is kept
_AT_MOST = 64  #: unused lines kept


@dataclass(slots=True)
class _Kept(Generic[L]):
    line: L
    users: int = 0
    since: float = 0.0  #: monotonic, when it was last given back


class Lines(Generic[L]):
    """Lines by lane, the one that was used last at the end."""

    def __init__(
        self, make: Callable[[str], L], clock: Clock, *, idle: float = _IDLE, at_most: int = _AT_MOST
    ) -> None:
        """`make` returns the line of a key, without connecting."""
        self._make = make
        self._clock = clock
        self._idle = idle
        self._at_most = at_most
        self._kept: dict[LaneId, _Kept[L]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    @asynccontextmanager
    async def use(self, lane: LaneId, key: Callable[[], str]) -> AsyncIterator[L]:
        """Give a lane's line, which stays open meanwhile; `key` is called only where it is to be made."""
        kept = self._kept.pop(lane, None) or _Kept(self._make(key()))
        self._kept[lane] = kept
        kept.users += 1
        try:
            yield kept.line
        finally:
            kept.users -= 1
            kept.since = self._clock.monotonic()
            await self._let_go()

    async def aclose(self) -> None:
        """Close every line. None may be in use."""
        while self._kept:
            _, kept = self._kept.popitem()
            await kept.line.aclose()

    async def _let_go(self) -> None:
        """Close what has been unused for too long, or is one too many, the longest unused first."""
        unused = [lane for lane, kept in self._kept.items() if not kept.users]
        over = len(unused) - self._at_most
        now = self._clock.monotonic()
        gone = [
            self._kept.pop(lane)
            for place, lane in enumerate(unused)
            if place < over or now - self._kept[lane].since >= self._idle
        ]
        for kept in gone:
            await kept.line.aclose()
