"""Work that begins after a platform was answered: every task has an owner, who waits for it at the end."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from core.errors import ThreadlineError

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def outlived(work: Coroutine[Any, Any, T], instead: T, said: str, **about: object) -> T:
    """Return what `work` does; `instead`, with the error in the log as `said`, where nobody foresaw one.

    For one round of a loop that must not end by it, and in silence at that.
    """
    try:
        return await work
    except Exception:  # whatever it is, the next round may be better
        log.exception(said, **about)
        return instead


class Errands:
    """Runs what a command or a click asks for after it was acknowledged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def run(self, errand: Coroutine[Any, Any, None]) -> None:
        """Start an errand."""
        task = asyncio.create_task(errand)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def carry(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something to its end, even if who waits for it is cut off: it has an owner here."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def aclose(self, seconds: float = 5) -> None:
        """Wait for what is under way, then cut it off."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, ThreadlineError):
            log.warning("errand failed", error=type(error).__name__, said=str(error))
        elif error is not None:
            log.error("errand failed", error=type(error).__name__, exc_info=error)
