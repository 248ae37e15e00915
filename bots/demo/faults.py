"""Faults that any simulated platform can be told to have, and the queues they wait in. They do nothing."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Reset:
    """Cut the connection; `after=True` does the deed first."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait that many seconds on the platform's clock, then do the deed."""

    seconds: float


@dataclass(eq=False, slots=True)
class Hold:
    """Keep the call waiting until `release()`; with `after=True` the deed is done before the wait."""

    after: bool = False
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a call is being held."""
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let the held call go on."""
        self.released.set()

    async def wait(self) -> None:
        """Tell that a call arrived, then wait for the release."""
        self.held.set()
        await self.released.wait()


class Faults(Generic[F]):
    """Queues of faults, one per call's name; each fault meets one call."""

    def __init__(self) -> None:
        self._queued: defaultdict[str, deque[F]] = defaultdict(deque)

    def add(self, call: str, *faults: F, times: int = 1) -> None:
        """Queue faults for the next calls of a name, one each, in order; with `times`, all of them so often.

        A call is named as its platform names it: a method, or a method and a path template.
        """
        self._queued[call].extend(faults * times)

    def next(self, call: str) -> F | None:
        """Take the fault that the next one of that name meets."""
        queue = self._queued.get(call)
        return queue.popleft() if queue else None

    def waiting(self, call: str) -> int:
        """Return how many faults no call has met yet."""
        return len(self._queued.get(call, ()))

    def clear(self) -> None:
        """Forget every fault that no call has met yet."""
        self._queued.clear()
