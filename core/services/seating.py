"""What only one process at a time may do, as its parts ask for it; and where there is only one process."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.clock import Clock
from core.model import SeatName


@dataclass(eq=False, slots=True)
class Sitting:
    """A seat that this process has taken. Nothing may be done with it once it is not `ours` any more."""

    name: SeatName
    ours: Callable[[], bool]


Work = Callable[[Sitting], Coroutine[Any, Any, None]]
"""What is done with a seat until it is cancelled: then it stops at once. What it raises goes to who waits."""


class Seating(Protocol):
    """How the parts of a process get the seats that they need."""

    async def hold(self, names: Sequence[SeatName], work: Work) -> None:
        """Have `work` done whenever one of these seats is ours, until it ends by itself."""
        ...

    async def share(self, names: Sequence[SeatName], work: Work, among: Sequence[SeatName]) -> None:
        """Have `work` done for our fair share of these seats; `among` are the seats of all who share them."""
        ...

    async def turn(self, name: SeatName, seconds: float) -> float:
        """Take a turn, which nobody else gets for so long: 0.0, or the seconds until there may be one."""
        ...

    async def taken(self) -> Sequence[SeatName]:
        """Return the names of all seats that any process holds. Raises StoreUnavailable."""
        ...


class Alone:
    """The seats of the only process there is: all are ours for as long as we want."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns: dict[SeatName, float] = {}

    async def hold(self, names: Sequence[SeatName], work: Work) -> None:
        """Do what the port says."""
        await work(Sitting(names[0], _always))

    async def share(self, names: Sequence[SeatName], work: Work, among: Sequence[SeatName]) -> None:  # noqa: ARG002 the port's signature
        """Do what the port says."""
        async with Tasks() as tasks:
            for name in names:
                tasks.start(name, work(Sitting(name, _always)))
            await tasks.all_ended()

    async def turn(self, name: SeatName, seconds: float) -> float:
        """Do what the port says."""
        now = self._clock.monotonic()
        left = self._turns.get(name, now) - now
        if left > 0:
            return left
        self._turns[name] = now + seconds
        return 0.0

    async def taken(self) -> Sequence[SeatName]:
        """Do what the port says."""
        return ()


class Tasks:
    """Tasks by name, which end with the block; the first error of one ends the block, and is raised there."""

    def __init__(self) -> None:
        self._tasks: dict[SeatName, asyncio.Task[None]] = {}
        self.an_end = asyncio.Event()  #: set whenever one has ended

    def going_on(self) -> int:
        """Return how many go on. Raises what one of them has died of."""
        for name in [name for name, task in self._tasks.items() if task.done()]:
            self._tasks.pop(name).result()
        return len(self._tasks)

    async def __aenter__(self) -> "Tasks":
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def start(self, name: SeatName, work: Coroutine[Any, Any, None]) -> None:
        """Start one."""
        task = self._tasks[name] = asyncio.create_task(work, name=name)
        task.add_done_callback(lambda _: self.an_end.set())

    async def all_ended(self) -> None:
        """Return when all have ended by themselves. Raises what one of them has died of."""
        while self.going_on():
            await self.an_end.wait()
            self.an_end.clear()

    async def end_one(self) -> None:
        """End the latest."""
        _, task = self._tasks.popitem()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _always() -> bool:
    return True
