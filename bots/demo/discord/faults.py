"""Faults a test or the demo can queue for a REST route. They do nothing until a call meets them."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Answer 429 without doing the deed; `via=False` looks like a ban by the proxy in front of Discord."""

    retry_after: float = 0.3
    is_global: bool = False
    via: bool = True


@dataclass(frozen=True, slots=True)
class HttpError:
    """Answer with that status and code; `after=True` does the deed first and hides its result."""

    status: int = 502
    code: int = 0
    message: str = "something went wrong"
    after: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """Cut the connection; `after=True` does the deed first."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait that many seconds on the world's clock, then do the deed."""

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


Fault = RateLimited | HttpError | Reset | Delay | Hold


class Faults:
    """Queues of faults, one per route template; each fault meets one call."""

    def __init__(self) -> None:
        self._queued: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def add(self, route: str, *faults: Fault, times: int = 1) -> None:
        """Queue faults for the next calls of a route, one each, in order; with `times`, all of them so often.

        A route is a method and a path template: "POST /channels/{channel}/messages".
        """
        self._queued[route].extend(faults * times)

    def next(self, route: str) -> Fault | None:
        """Take the fault that the next call of `route` meets."""
        queue = self._queued.get(route)
        return queue.popleft() if queue else None

    def waiting(self, route: str) -> int:
        """Return how many faults no call has met yet."""
        return len(self._queued.get(route, ()))

    def clear(self) -> None:
        """Forget every fault that no call has met yet."""
        self._queued.clear()
