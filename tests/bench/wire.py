"""HTTP/1.1 at next to no cost: a server and a client that know only what a load needs. No TLS, no chunks."""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """What a program has asked of a server here."""

    method: str
    path: str
    head: bytes
    body: bytes
    is_first: bool
    """It is the first on its connection."""


Respond = Callable[[bytes], None]
Answer = Callable[[Request, Respond], None]
"""Looks at a request, and responds with a whole `reply`, now or later, once."""


def reply(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    """Return a whole reply of JSON; `more` are further header lines, each with its line end."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


class Message:
    """Gathers the bytes of one message after the other."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Return head and body of each message that is whole now. Raises ValueError for one in chunks."""
        self._pending += data
        found = []
        while (end := self._pending.find(_END)) >= 0:
            head = self._pending[:end]
            length = _LENGTH.search(head)
            if length is None and b"chunked" in head.lower():
                raise ValueError("a message in chunks")
            whole = end + len(_END) + (0 if length is None else int(length[1]))
            if len(self._pending) < whole:
                break
            found.append((head, self._pending[end + len(_END) : whole]))
            self._pending = self._pending[whole:]
        return found


class _Served(asyncio.Protocol):
    """One connection of a program to a server here."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._message = Message()
        self._transport: asyncio.Transport | None = None
        self._is_first = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has another base

    def data_received(self, data: bytes) -> None:
        for head, body in self._message.feed(data):
            method, path, _ = head[: head.find(b"\r\n")].decode().split(" ", 2)
            self._answer(Request(method, path, head, body, self._is_first), self._respond)
            self._is_first = False

    def _respond(self, whole: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(whole)


async def serve(answer: Answer) -> asyncio.Server:
    """Serve on a free port of the loopback interface."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Served(answer), "127.0.0.1", 0, backlog=4096)


def port_of(server: asyncio.Server) -> int:
    """Return where a server listens."""
    return int(server.sockets[0].getsockname()[1])


class _Line(asyncio.Protocol):
    """One connection of ours to the program, for one request at a time."""

    def __init__(self) -> None:
        self._message = Message()
        self._waiting: asyncio.Future[int] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for head, _ in self._message.feed(data):
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 however it was lost
        self.transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(0)

    def send(self, raw: bytes) -> "asyncio.Future[int]":
        self._waiting = asyncio.get_running_loop().create_future()
        if self.transport is None:
            self._waiting.set_result(0)
        else:
            self.transport.write(raw)
        return self._waiting


class Pool:
    """Connections to the program that are kept open: what finds none free waits for one."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: deque[_Line] = deque()
        self._lines: list[_Line] = []
        self._there: asyncio.Semaphore = asyncio.Semaphore(0)

    async def open(self, connections: int) -> None:
        """Connect so many times more."""
        for _ in range(connections):
            line = _Line()
            await self._connect(line)
            self._lines.append(line)
            self._free.append(line)
            self._there.release()

    def close(self) -> None:
        """Close all connections."""
        for line in self._lines:
            if line.transport is not None:
                line.transport.close()

    async def send(self, raw: bytes) -> int:
        """Send a request; return the reply's status, 0 where the connection broke."""
        async with self._there:
            line = self._free.pop()
            try:
                if line.transport is None:
                    await self._connect(line)
                return await line.send(raw)
            finally:
                self._free.append(line)

    async def _connect(self, line: _Line) -> None:
        await asyncio.get_running_loop().create_connection(lambda: line, "127.0.0.1", self._port)
