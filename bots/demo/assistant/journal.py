"""What the simulated assistant has received, and a way to wait for it. Changes nothing on the wire."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bots.demo.assistant.reading import Turn


class Outcome(StrEnum):
    """What became of a request."""

    IN_FLIGHT = "in_flight"
    ANSWERED = "answered"  # 200, with an answer a client should accept
    REFUSED = "refused"  # 4xx by the contract
    RATE_LIMITED = "rate_limited"  # 429
    FAULTED = "faulted"  # any other reply that a fault made
    CUT = "cut"  # a fault dropped the connection
    ABANDONED = "abandoned"  # the client went away, or the server stopped


@dataclass(frozen=True, slots=True)
class ReceivedCall:
    """One request. `messages` are (role, content), empty when the body breaks the contract.

    `project` is the one in the path (empty on another path), `query` holds the address's parameters
    (the first of each name), `key` the bearer's or None, `headers` are lower case and without the key.
    Times are the clock's; `finished_at` and `status` stay None in flight, `status` also when nothing
    was replied.
    """

    number: int
    method: str
    path: str
    query: Mapping[str, str] = field(repr=False)
    project: str
    key: str | None = field(repr=False)
    messages: tuple[Turn, ...] = field(repr=False)
    raw: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    started_at: datetime
    finished_at: datetime | None = None
    outcome: Outcome = Outcome.IN_FLIGHT
    status: int | None = None


class Journal:
    """The calls in order of arrival, each replaced by its finished self."""

    def __init__(self) -> None:
        self.calls: list[ReceivedCall] = []
        self.in_flight = 0
        self._waiters: list[tuple[Callable[[], bool], asyncio.Event]] = []

    def opened(self, call: ReceivedCall) -> None:
        self.calls.append(call)
        self.in_flight += 1
        self._announce()

    def closed(self, number: int, at: datetime, outcome: Outcome, status: int | None) -> None:
        self.calls[number] = replace(self.calls[number], finished_at=at, outcome=outcome, status=status)
        self.in_flight -= 1
        self._announce()

    async def wait_until(self, holds: Callable[[], bool]) -> None:
        """Return once `holds()` is true; it is asked again at every arrival and every end."""
        if holds():
            return
        waiter = (holds, asyncio.Event())
        self._waiters.append(waiter)
        try:
            await waiter[1].wait()
        finally:
            self._waiters.remove(waiter)

    def _announce(self) -> None:
        for holds, event in self._waiters:
            if holds():
                event.set()
