"""Owns the tasks that run beside a server, so that none outlives it; and a time limit on any clock."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from core.clock import Clock

Found = TypeVar("Found")


class Tasks:
    """Keeps every task it starts until it ends or `stop()` is called; a failure is raised by `stop()`."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._failed: list[BaseException] = []

    def start(self, deed: Coroutine[Any, Any, None]) -> None:
        """Run the coroutine beside the caller."""
        task = asyncio.create_task(deed)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Cancel what still runs, wait for it, and raise the first failure there was."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._failed:
            raise self._failed[0]

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed.append(error)


async def within(clock: Clock, seconds: float, deed: Coroutine[Any, Any, Found]) -> Found:
    """Return what the coroutine returns; cancel it and raise TimeoutError once the clock has run so far."""
    doing = asyncio.create_task(deed)
    limit = asyncio.create_task(clock.sleep(seconds))
    try:
        await asyncio.wait({doing, limit}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise TimeoutError
    finally:
        doing.cancel()
        limit.cancel()
        await asyncio.gather(doing, limit, return_exceptions=True)
