"""The gateway's connection as it comes and goes: kept, resumed, not sought too often. It reads no event."""

import asyncio
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import aiohttp
import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket, KeepAliveHandler, ReconnectWebSocket

from core.clock import Clock

log = structlog.get_logger(__name__)

_GREETED_WITHIN = 60.0  # seconds, an identify's pause among them
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0  # seconds
_LASTING = 60.0  # seconds of a connection, after which those that failed before it no longer count
_OTHER_DOOR_AFTER = 3  # failures to resume where Discord told us to
_FOR_GOOD = frozenset({4004, *range(4010, 4015)})  # topics/opcodes-and-status-codes, "Gateway"
_AWAY = (OSError, aiohttp.ClientError)
_UNREADABLE = (ValueError, LookupError, TypeError, zlib.error)


class Pauses:
    """How long to wait after connections that came to nothing. It decides, and does not wait."""

    def __init__(self, dice: Callable[[], float]) -> None:
        """`dice` gives numbers in [0, 1)."""
        self._dice = dice
        self.failed = 0  #: connections in a row that did not come about, or did not last

    def after(self, lasted: float | None) -> float:
        """Return the seconds until the next attempt, after a connection of so many; None for none at all.

        The first that breaks is sought again at once; then it is up to 2 s, 4 s, … 60 s, at least half of it.
        """
        if lasted is not None and lasted >= _LASTING:
            self.failed = 0
        failed, self.failed = self.failed, self.failed + 1
        if lasted is not None and failed == 0:
            return 0.0
        return float(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(failed, 10))) * (1 + self._dice()) / 2


class Socket(DiscordWebSocket):
    """A connection that counts as dead when its heartbeats go unanswered, whatever else it brings.

    discord.py 2.7.1 counts anything that comes for a sign of life; Discord says that only the answer is one
    (events/gateway, "Sending Heartbeats").
    """

    _answered: float | None = None
    _unanswered = 0

    async def send_heartbeat(self, data: Any) -> None:
        """Send a heartbeat, or close what has not answered the last ones; a RESUME follows."""
        beat = self._keep_alive
        if beat is not None and beat.interval is not None:
            self._unanswered = self._unanswered + 1 if beat._last_ack == self._answered else 0
            self._answered = beat._last_ack
            silence = (self._unanswered + 1) * beat.interval
            if self._unanswered and silence > self._max_heartbeat_timeout:
                log.warning("gateway answers no heartbeat", seconds=round(silence, 1))
                await self.close(4000)
                return
        await super().send_heartbeat(data)


@dataclass(frozen=True, slots=True)
class Session:
    """What a RESUME needs."""

    id: str
    sequence: int
    gateway: yarl.URL | None


class Line:
    """One connection after the other, each with the session of the last where that can be resumed."""

    def __init__(self, client: discord.Client, clock: Clock, dice: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._pauses = Pauses(dice)
        self._session: Session | None = None
        self._in_since: float | None = None
        self._is_first = True

    async def follow(self) -> None:
        """Connect, stay for as long as the connection lasts, and wait for as long as is wise after that.

        Raises ConnectionClosed where Discord will not have us again, and what `before_identify_hook` raises.
        """
        self._in_since, socket = None, None
        try:
            socket = await self._opened()
            await self._listen(socket)
        except ReconnectWebSocket as told:
            why = f"to {told.op}"
        except discord.ConnectionClosed as error:
            if error.code in _FOR_GOOD:
                raise
            why = f"closed with {error.code}"
        except (*_AWAY, *_UNREADABLE) as error:
            why = f"{type(error).__name__}: {error}"
        if not self._client.is_closed():
            await self._end(socket)
            await self._pause(why)

    async def _opened(self) -> Socket:
        kept: dict[str, Any] = {}
        if self._session is not None:
            here = self._pauses.failed < _OTHER_DOOR_AFTER
            kept = {
                "resume": True,
                "session": self._session.id,
                "sequence": self._session.sequence,
                "gateway": self._session.gateway if here else None,
            }
        opening = Socket.from_client(
            self._client, initial=self._is_first, shard_id=self._client.shard_id, **kept
        )
        socket = await asyncio.wait_for(opening, _GREETED_WITHIN)
        self._client.ws = socket
        self._is_first = False
        return socket

    async def _listen(self, socket: Socket) -> NoReturn:
        """Have discord.py read what comes; note when Discord has let us in: its first event says so."""
        before = socket.sequence
        while True:
            try:
                await socket.poll_event()
            except AttributeError as error:  # elsewhere it would be a mistake of ours
                raise TypeError("not a frame of the gateway's") from error
            if self._in_since is None and socket.session_id is not None and socket.sequence != before:
                self._in_since = self._clock.monotonic()

    async def _end(self, socket: Socket | None) -> None:
        """Keep the session for a RESUME, if there is one, and leave no connection open."""
        if socket is None:  # discord.py has forgotten it, but not its heartbeat
            await let_go(self._client)
            return
        if socket.open:
            await socket.close(4000)
        self._session = None
        if socket.session_id is not None and socket.sequence is not None:
            self._session = Session(socket.session_id, socket.sequence, socket.gateway)

    async def _pause(self, why: str) -> None:
        lasted = None if self._in_since is None else self._clock.monotonic() - self._in_since
        pause = self._pauses.after(lasted)
        if pause:
            log.warning("gateway lost", why=why, failed=self._pauses.failed, waiting=round(pause, 1))
            await self._clock.sleep(pause)


async def let_go(client: discord.Client) -> None:
    """Close every connection of a client: discord.py forgets those on which it did not get to identify."""
    for heart in threading.enumerate():
        if isinstance(heart, KeepAliveHandler) and heart.ws._connection is client._connection:
            await heart.ws.close(code=1000)
