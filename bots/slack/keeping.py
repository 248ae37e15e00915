"""What goes on while we listen to Slack: a connection, if there is one, and the look for what was missed.

Of all processes one at a time looks; the others pass on to it that they have missed something.
"""

import asyncio
import random
from collections.abc import Callable

import structlog

from bots.slack.catch_up import AGAIN_AFTER, CatchUp
from bots.slack.patience import patiently
from bots.slack.sockets import Sockets
from core.clock import Clock
from core.errors import Retryable
from core.model import SeatName
from core.services.seating import Seating, Sitting, Tasks

log = structlog.get_logger(__name__)

#: Slack lets an app have so many (docs.slack.dev/apis/events-api/using-socket-mode).
SOCKETS = tuple(SeatName(f"slack socket {number}") for number in range(1, 11))
CATCH_UP = SeatName("slack catch-up")
_JUST_BEGUN = 60.0  #: seconds


class Keeping:
    """Takes the seats that listening needs, and does what each is for."""

    def __init__(
        self,
        catch_up: CatchUp,
        seating: Seating,
        clock: Clock,
        *,
        socket: Callable[[Sitting], Sockets] | None,
        elsewhere: Callable[[], None],
    ) -> None:
        """`socket` makes a connection, not open yet. `elsewhere` has the process look that has that seat."""
        self._catch_up = catch_up
        self._seating = seating
        self._clock = clock
        self._socket = socket
        self._elsewhere = elsewhere
        self._is_here = False
        self._began = clock.monotonic()
        self._missed = asyncio.Event()
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Go on until cancelled. Raises TokenRefused."""
        async with Tasks() as tasks:
            if self._socket is not None:
                tasks.start(SOCKETS[0], self._seating.hold(SOCKETS, self._connect))
            else:
                self.connected.set()
            tasks.start(CATCH_UP, self._look_once_connected())
            tasks.start(SeatName("slack missed"), self._pass_on())
            await tasks.all_ended()

    def look(self) -> None:
        """Look for what was missed, if that is for this process to do."""
        if self._is_here:
            self._catch_up.want()

    def back(self) -> None:
        """Have it looked at once: the connection was away."""
        if self._is_here:
            self._catch_up.want()
        else:
            self._elsewhere()

    def missed(self) -> None:
        """Have it looked a little later: something could not be stored."""
        if self._is_here:
            self._catch_up.want(AGAIN_AFTER)
        else:
            self._missed.set()

    async def _connect(self, sitting: Sitting) -> None:
        assert self._socket is not None  # noqa: S101 as `run` has seen
        sockets = self._socket(sitting)
        try:
            await patiently(sockets.connect, self._clock, random.SystemRandom().random)
            self.connected.set()
            await asyncio.Event().wait()
        finally:
            await sockets.aclose()

    async def _look_once_connected(self) -> None:
        await self.connected.wait()
        await self._seating.hold([CATCH_UP], self._keep_up)

    async def _keep_up(self, _: Sitting) -> None:
        """Look first from where we began to listen; who takes over later, from where others have come."""
        if self._clock.monotonic() - self._began > _JUST_BEGUN:
            try:
                await self._catch_up.remember()
            except Retryable as error:
                log.warning("looking from where we began", error=type(error).__name__)
        self._is_here = True
        self._catch_up.want()
        try:
            await self._catch_up.keep_up()
        finally:
            self._is_here = False

    async def _pass_on(self) -> None:
        while True:
            await self._missed.wait()
            self._missed.clear()
            await self._clock.sleep(AGAIN_AFTER)
            self.back()
