"""How identifies are paced: within the day's allowance, one at a time in each bucket. It hears nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from bots.discord.calls import calling
from bots.discord.gate import GatedHttp
from bots.discord.line import let_go
from bots.discord.told import ToldOfChanges
from core.clock import Clock
from core.errors import ThreadlineError
from core.model import SeatName

log = structlog.get_logger(__name__)

_LIMIT_TOLD_WITHIN = 10.0  # seconds: discord.py gives all of a connection sixty
_SAVING_BELOW = 0.5  # of the day's identifies
_LONGEST_PAUSE = 30.0  # with a connection open: discord.py gives up on one that takes a minute to greet
_AGAIN_AFTER = 5.0  # seconds, of an identify


class NotYet(Exception):
    """Identifying has to wait so long that no connection should be open meanwhile."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the next connection is made in {seconds:.0f} s")
        self.seconds = seconds


class Paced(ToldOfChanges):
    """Identifies no sooner than it should."""

    http: GatedHttp

    def __init__(self, clock: Clock, **options: Any) -> None:
        super().__init__(**options)
        self._clock = clock
        self._has_waited = False
        self._at_once = 1  #: identifies in five seconds, each of another bucket
        self.turn: Callable[[SeatName, float], Awaitable[float]] | None = None

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Spread the identifies that are left over the rest of the day: using them up resets the token."""
        pause = 0.0 if self._has_waited else max(await self._spread(), 0.0 if initial else _AGAIN_AFTER)
        if pause > _LONGEST_PAUSE:
            raise NotYet(pause)
        if pause:
            await self._clock.sleep(pause)
        self._has_waited = False
        await self._take_turn(shard_id or 0)

    async def wait_out(self, early: NotYet) -> None:
        """Wait as long as it has to be, with no connection open; then one may be made."""
        await self.let_go()
        await self._clock.sleep(early.seconds)
        self._has_waited = True

    async def let_go(self) -> None:
        """Close every connection of ours."""
        await let_go(self)

    async def _take_turn(self, shard: int) -> None:
        """Wait until nobody else identifies in the shard's bucket, in whatever process."""
        bucket, waited = SeatName(f"discord identify {shard % self._at_once}"), 0.0
        while self.turn is not None and (left := await self.turn(bucket, _AGAIN_AFTER)):
            waited += left
            if waited > _LONGEST_PAUSE:
                raise NotYet(left)
            await self._clock.sleep(left)

    async def _spread(self) -> float:
        """Return the seconds between two identifies by which those that are left last all day."""
        limit = await self._start_limit()
        self._at_once = max(1, int(limit.get("max_concurrency", 1)))
        total, left = max(1, int(limit["total"])), int(limit["remaining"])
        if left >= total * _SAVING_BELOW:
            return 0.0
        pause = int(limit["reset_after"]) / 1000 / max(1, left)
        log.warning("few connections left today", left=left, of=total, waiting=round(pause, 1))
        return pause

    async def _start_limit(self) -> dict[str, Any]:
        try:
            async with calling(_LIMIT_TOLD_WITHIN):
                _, _, limit = await self.http.get_bot_gateway()
                return dict(limit)
        except ThreadlineError as error:
            log.warning("the day's connections are not known", error=type(error).__name__, said=str(error))
            return {"total": 1, "remaining": 0, "reset_after": _AGAIN_AFTER * 1000}
