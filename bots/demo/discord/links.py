"""One connection of a client: what leaves it, in order, and how it ends. It knows nothing of sessions."""

import asyncio
from collections import deque

from aiohttp import web

from bots.demo.discord.frames import CloseCode, Refusal, reason
from core.clock import Clock

MOST_SENDS = 120
SENDS_WITHIN = 60.0
"""Seconds in which a client may send `MOST_SENDS` frames, heartbeats among them."""


class Link:
    """One open connection: frames leave in the order of `send`, then perhaps a close frame."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport, clock: Clock) -> None:
        self.socket = socket
        self.is_leaving = False
        self.is_silent = False
        """True for a zombie: open, perhaps, but nothing passes in either direction any more."""
        self.gone = asyncio.Event()
        self._transport = transport
        self._clock = clock
        self._heard: deque[float] = deque(maxlen=MOST_SENDS)
        self._outbox: asyncio.Queue[str | int] = asyncio.Queue()

    @property
    def is_sound(self) -> bool:
        """Return whether frames pass."""
        return not self.is_leaving and not self.is_silent

    def send(self, frame: str) -> None:
        """Send a frame after all that were sent before; a connection that is not sound loses it."""
        if self.is_sound:
            self._outbox.put_nowait(frame)

    def leave(self, code: int) -> None:
        """Close with this code once everything is sent."""
        if not self.is_leaving:
            self.is_leaving = True
            self._outbox.put_nowait(code)

    def cut(self) -> None:
        """Vanish as a network does, without a close frame; what was not sent yet is lost."""
        self.is_silent = True
        self._transport.abort()

    def count(self) -> None:
        """Count a frame of the client; raises Refusal (4008) for the 121st within a minute."""
        now = self._clock.monotonic()
        if len(self._heard) == MOST_SENDS and now - self._heard[0] < SENDS_WITHIN:
            raise Refusal(CloseCode.RATE_LIMITED)
        self._heard.append(now)

    async def write(self) -> None:
        """Send what is to be sent until the connection ends."""
        try:
            while isinstance(item := await self._outbox.get(), str):
                await self.socket.send_str(item)
            await self.socket.close(code=item, message=reason(item).encode())
        except ConnectionError:
            return  # the client has gone; what it missed waits in its session
