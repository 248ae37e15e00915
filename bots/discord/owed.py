"""What Discord tells once, and we do in that order; what could not be done is tried again soon, not lost."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from itertools import chain
from typing import Any

import structlog

from bots.discord.catch_up import AGAIN_AFTER
from bots.errands import Errands, outlived
from core.clock import Clock
from core.errors import Retryable, ThreadlineError

log = structlog.get_logger(__name__)

Deed = Callable[[], Coroutine[Any, Any, None]]

#: Deeds; what is owed beyond that costs the oldest, but for those that are lasting.
AT_MOST = 10_000


class Owed:
    """One deed at a time, each known by what it is about: a newer one takes an older one's place."""

    def __init__(self, clock: Clock, errands: Errands) -> None:
        self._clock = clock
        self._errands = errands
        self._deeds: dict[Hashable, Deed] = {}
        self._again: dict[Hashable, Deed] = {}
        self._under_way: dict[Hashable, Deed] = {}
        self._lasting: set[Hashable] = set()
        self._wanted, self._failed = asyncio.Event(), asyncio.Event()

    def owe(self, about: Hashable, deed: Deed, *, lasting: bool = False) -> None:
        """Have something done. It may raise errors of core.errors, and is repeated if they are Retryable.

        What is `lasting` is owed however much else is.
        """
        self.forget(about)
        if len(self._deeds) + len(self._again) >= AT_MOST:
            log.warning("too much is owed, the oldest is let go")
            oldest = (one for one in chain(self._again, self._deeds) if one not in self._lasting)
            self.forget(next(oldest, None))
        if lasting:
            self._lasting.add(about)
        self._deeds[about] = deed
        self._wanted.set()

    def forget(self, about: Hashable) -> None:
        """Have something left undone; if it is being done, it is not repeated."""
        for deeds in (self._again, self._deeds, self._under_way):
            deeds.pop(about, None)
        self._lasting.discard(about)

    async def keep_up(self) -> None:
        """Do what is owed, until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._as_told())
            both.create_task(self._once_more())

    async def finish(self) -> None:
        """Try everything that is still owed for the last time."""
        self._deeds, self._again = {**self._again, **self._deeds}, {}
        await self._settle()

    async def _as_told(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._settle()

    async def _once_more(self) -> None:
        while True:
            await self._failed.wait()
            self._failed.clear()
            await self._clock.sleep(AGAIN_AFTER)
            self._deeds, self._again = {**self._again, **self._deeds}, {}
            self._wanted.set()

    async def _settle(self) -> None:
        while self._deeds:
            about = next(iter(self._deeds))
            deed = self._under_way[about] = self._deeds.pop(about)
            await self._errands.carry(self._do(about, deed))

    async def _do(self, about: Hashable, deed: Deed) -> None:
        await outlived(self._try(about, deed), None, "not done", about=str(about))
        if self._under_way.get(about) is deed:
            del self._under_way[about]
            if about not in self._again:
                self._lasting.discard(about)

    async def _try(self, about: Hashable, deed: Deed) -> None:
        try:
            await deed()
        except Retryable as error:
            log.warning("not done yet", about=str(about), error=type(error).__name__, said=str(error))
            if self._under_way.get(about) is deed:
                self._again[about] = deed
                self._failed.set()
        except ThreadlineError as error:
            log.warning("not done", about=str(about), error=type(error).__name__, said=str(error))
