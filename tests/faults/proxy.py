"""A proxy between the product and a simulated server, on which single exchanges go wrong; WebSockets pass."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
import yarl

from bots.demo.changes import Changes
from core.clock import Clock, SystemClock
from tests.faults.heard import Request, read
from tests.faults.toxics import Answer, Toxic

_LONGEST_HEAD = 1024 * 1024
# The body goes on packed as it is, but framed anew.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: a close that sends a RST


@dataclass(slots=True)
class _Dose:
    toxic: Toxic
    left: int | None  #: None: for as long as it is there
    method: str
    path: str
    end: str

    def takes(self, request: Request) -> bool:
        fits = request.path.startswith(self.path) and request.path.endswith(self.end)
        return fits and self.left != 0 and self.method in {"", request.method}


class FaultProxy:
    """An async context manager: give the client `url` in place of the target's.

    Requests of one connection follow each other, and each connection of the client has one of its own to
    the target. The first toxic that is left for a method and path is met.
    """

    def __init__(self, target_url: str, clock: Clock | None = None) -> None:
        self.connections = 0  #: that clients have made
        self.open = 0  #: of these, how many stand
        self.requests = 0  #: that have reached the target
        self.heard: list[Request] = []  #: all that clients have sent whole, upgrades included
        self.changes = Changes()
        self._target = yarl.URL(target_url)
        self._clock = SystemClock() if clock is None else clock
        self._doses: list[_Dose] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(self._accept, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """The target's URL with our port in place of its own."""
        return str(self._target.with_port(self._port))

    def add(
        self, toxic: Toxic, times: int | None = 1, *, method: str = "", path: str = "", end: str = ""
    ) -> None:
        """Have the next requests of a method, to paths that begin and end so, meet a toxic; None: all."""
        self._doses.append(_Dose(toxic, times, method, path, end))

    def clear(self) -> None:
        """Take away every toxic that nobody has met yet."""
        self._doses.clear()

    def heard_of(self, path: str, end: str = "", method: str = "POST") -> int:
        """Return how many requests clients have sent to paths that begin and end so."""
        fit = (one for one in self.heard if one.path.startswith(path) and one.path.endswith(end))
        return sum(one.method == method for one in fit)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something about the proxy is so."""
        await self.changes.until(lambda: condition() or None)

    def take(self, request: Request) -> Toxic | None:
        """Note a request, and return what it is to meet."""
        self.heard.append(request)
        self.changes.happened()
        dose = next((dose for dose in self._doses if dose.takes(request)), None)
        if dose is None:
            return None
        if dose.left is not None:
            dose.left -= 1
        return dose.toxic

    def passed(self) -> None:
        """Note that a request goes to the target."""
        self.requests += 1
        self.changes.happened()

    def _accept(self) -> asyncio.StreamReaderProtocol:
        reader = _Reader(limit=_LONGEST_HEAD)
        return asyncio.StreamReaderProtocol(reader, lambda _, writer: self._serve(reader, writer))

    async def _serve(self, reader: "_Reader", writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._count(1)
        try:
            async with aiohttp.ClientSession(
                auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout()
            ) as session:
                await _Connection(self, reader, writer, self._target, session, self._clock).serve()
        except (OSError, EOFError, aiohttp.ClientError, asyncio.CancelledError):
            pass  # the client, the target or the test is through
        finally:
            writer.close()
            self._tasks.discard(task)
            self._count(-1)

    def _count(self, change: int) -> None:
        self.open += change
        self.connections += max(change, 0)
        self.changes.happened()


class _Reader(asyncio.StreamReader):
    """Tells when the other side has hung up, without taking anything of what it sends."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.hung_up = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.hung_up.set()

    def set_exception(self, exc: BaseException) -> None:
        super().set_exception(exc)  # type: ignore[arg-type]  # typeshed says Exception; asyncio hands on any
        self.hung_up.set()


@dataclass
class _Connection:
    """One connection of a client."""

    proxy: FaultProxy
    reader: _Reader
    writer: asyncio.StreamWriter
    target: yarl.URL
    session: aiohttp.ClientSession
    clock: Clock
    request: Request = field(init=False)

    async def serve(self) -> None:
        while not self.writer.is_closing() and not self.reader.at_eof():
            self.request = await read(self.reader)
            toxic = self.proxy.take(self.request)
            if self.request.header("upgrade") and toxic is None:
                await self._pass_through()
                return
            await self._until_hung_up(self._honest() if toxic is None else toxic.meet(self))
            if self.request.header("connection").lower() == "close":
                return

    async def forward(self) -> Answer:
        """Have the target carry the request out."""
        self.proxy.passed()
        asked = self.request
        address = yarl.URL(f"{self.target.origin()}{asked.path}", encoded=True)
        headers = [(k, v) for k, v in asked.headers if k.lower() not in _FRAMING]
        async with self.session.request(
            asked.method,
            address,
            headers=headers,
            data=asked.body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as reply:
            kept = tuple((k, v) for k, v in reply.headers.items() if k.lower() not in _FRAMING)
            return Answer(reply.status, reply.reason or "", kept, await reply.read())

    async def send(self, text: bytes) -> None:
        """Send bytes to the client; a long text waits for it."""
        for at in range(0, len(text), 65536):
            self.writer.write(text[at : at + 65536])
            await self.writer.drain()

    async def sleep(self, seconds: float) -> None:
        """Wait; for no time at all, let others go on."""
        await (self.clock.sleep(seconds) if seconds else asyncio.sleep(0))

    async def never(self) -> None:
        """Wait until the client has hung up."""
        await self.reader.hung_up.wait()

    def close(self) -> None:
        """End the connection in order."""
        self.writer.close()

    def reset(self) -> None:
        """End the connection with a RST."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.writer.transport.abort()

    async def _honest(self) -> None:
        await self.send((await self.forward()).whole())

    async def _until_hung_up(self, meeting: Coroutine[Any, Any, None]) -> None:
        """Do it until it is through or the client hangs up."""
        acting, gone = asyncio.ensure_future(meeting), asyncio.ensure_future(self.reader.hung_up.wait())
        try:
            await asyncio.wait({acting, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            acting.cancel()
            gone.cancel()
            await asyncio.gather(acting, gone, return_exceptions=True)
        if not acting.cancelled():
            acting.result()

    async def _pass_through(self) -> None:
        """Let a WebSocket through as it is, both ways, until one side ends it."""
        self.proxy.passed()
        there, to_target = await asyncio.open_connection(self.target.host, self.target.port)
        to_target.write(self.request.head + self.request.body)
        ways = {
            asyncio.ensure_future(_pump(self.reader, to_target)),
            asyncio.ensure_future(_pump(there, self.writer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            to_target.close()  # before anything is awaited: the end of the test may come meanwhile
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
