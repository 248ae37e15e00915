"""Faults a test or the demo can queue for a Web API method. They do nothing until a call meets them."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Answer 429 with Retry-After, in whole seconds, without doing the deed."""

    retry_after: int = 30


@dataclass(frozen=True, slots=True)
class HttpError:
    """Answer with that status; `after=True` does the deed first and hides its result."""

    status: int = 500
    after: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """Cut the connection; `after=True` does the deed first."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait that many seconds on the workspace's clock, then do the deed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer `ok: false` with that error code."""

    error: str


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


Fault = RateLimited | HttpError | Reset | Delay | Refuse | Hold


class Faults:
    """Queues of faults, one per method; each fault meets one call."""

    def __init__(self) -> None:
        self._queued: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def add(self, method: str, *faults: Fault) -> None:
        """Queue faults for the next calls of `method`, one each, in order."""
        self._queued[method].extend(faults)

    def next(self, method: str) -> Fault | None:
        """Take the fault that the next call of `method` meets."""
        queue = self._queued.get(method)
        return queue.popleft() if queue else None

    def waiting(self, method: str) -> int:
        """Return how many faults no call has met yet."""
        return len(self._queued.get(method, ()))
