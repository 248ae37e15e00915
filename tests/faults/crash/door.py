"""A door on the loopback through which every message goes, whole: it may be kept there, on its way in or out.

What passed is written down: so it can be proved what had arrived where when a process was killed.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from bots.demo.changes import Changes
from tests.faults.crash.messages import HttpMessage, hang_up, read_message

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Way(Enum):
    """In which direction a message goes through a door."""

    IN = auto()  # the request
    OUT = auto()  # its reply


@dataclass(eq=False, slots=True)
class Passage:
    """One request and its reply. `life` is the number of the process that had it, or sent it."""

    door: str
    life: int
    request: bytes
    forwarded: bool = False
    """All of it has been written to whom it is for."""
    reply: bytes | None = None
    returned: bool = False
    broken: bool = False
    """The connection ended before a reply."""
    unread: bool = False
    """It ended with a reset: something that was written to it had not been read (RFC 1122, 4.2.2.13)."""

    @property
    def name(self) -> str:
        """Return the last word of the request's path: "chat.postMessage", "chat", "events"."""
        target = self.request.split(b" ", 2)[1].decode()
        return target.partition("?")[0].rpartition("/")[2]

    @property
    def body(self) -> bytes:
        """Return what comes after the request's head."""
        return self.request.partition(b"\r\n\r\n")[2]

    def tells_of(self, marker: str) -> bool:
        """Tell whether it is an event by which the program hears of a question."""
        return self.door == "events" and f"who owns {marker}?".encode() in self.request

    @property
    def is_under_way(self) -> bool:
        """Tell whether it has reached whom it is for, and nothing has come of it yet."""
        return self.forwarded and self.reply is None and not self.broken


@dataclass(eq=False, slots=True)
class Keep:
    """Keeps what `matches`, going that way, until it is released."""

    way: Way
    matches: Callable[[Passage], bool]
    kept: list[Passage] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)


class Gatekeeper:
    """Decides for all doors what is kept, and how slowly the rest passes."""

    def __init__(self, changes: Changes, rng: random.Random) -> None:
        self.changes = changes
        self.life = 0
        self.passages: list[Passage] = []
        self.slowest = 0.0
        """Seconds that a message is kept at most, by chance, where nothing else keeps it."""
        self._rng = rng
        self._keeps: list[Keep] = []

    def keep(self, keep: Keep) -> Keep:
        """Keep what matches from now on."""
        self._keeps.append(keep)
        return keep

    def begin_life(self) -> None:
        """Begin anew with another process: nothing is kept, nothing slow."""
        self.life += 1
        self.slowest = 0.0
        self._keeps.clear()

    def end_life(self) -> None:
        """Drop what is kept: who wrote it, or waits for it, is dead."""
        self.life += 1
        for keep in self._keeps:
            keep.released.set()
        self._keeps.clear()

    async def let(self, passage: Passage, way: Way) -> None:
        """Return once a message may pass. Raises ConnectionResetError if its process died meanwhile."""
        keep = next((one for one in self._keeps if one.way is way and one.matches(passage)), None)
        if keep is not None:
            keep.kept.append(passage)
            self.changes.happened()
            await keep.released.wait()
        elif self.slowest:
            await asyncio.sleep(self.slowest * self._rng.random() ** 3)
        self.must_live(passage)

    def must_live(self, passage: Passage) -> None:
        """Raise ConnectionResetError if the process whose message it is has died."""
        if passage.life != self.life:
            raise ConnectionResetError("the process is gone")

    @property
    def is_quiet(self) -> bool:
        """Tell whether everything that had reached a server has been answered."""
        return not any(passage.is_under_way for passage in self.passages)


class Door:
    """Listens on one port and hands on to another address, message by message."""

    def __init__(
        self,
        name: str,
        gatekeeper: Gatekeeper,
        to: Callable[[], tuple[str, int]],
        *,
        renamed: Callable[[], Sequence[tuple[bytes, bytes]]] = tuple,
    ) -> None:
        """`renamed`: addresses in replies, and by which others to replace them."""
        self.name = name
        self._keeper = gatekeeper
        self._to = to
        self._renamed = renamed
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[object]] = set()
        self.port = 0

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut every connection and stop listening."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._converse((reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one of the two went away, or the door is being closed
        finally:
            await hang_up(writer)
            self._tasks.discard(task)

    async def _converse(self, client: Streams) -> None:
        server: Streams | None = None
        try:
            while True:
                request = await read_message(client[0])
                passage = self._noted(request.raw)
                await self._keeper.let(passage, Way.IN)
                if server is not None and server[0].at_eof():
                    await hang_up(server[1])
                    server = None
                if server is None:
                    server = await asyncio.open_connection(*self._to())
                await self.forward(passage, server[1])
                reply = await self._reply(passage, server[0])
                await self._keeper.let(passage, Way.OUT)
                client[1].write(reply.raw)
                await client[1].drain()
                passage.returned = True
                self._keeper.changes.happened()
                if reply.upgrades:
                    await self.upgraded(client, server)
                    return
        finally:
            if server is not None:
                await hang_up(server[1])

    async def forward(self, passage: Passage, writer: asyncio.StreamWriter) -> None:
        """Hand a request on, unless its process died while the way was made free."""
        self._keeper.must_live(passage)
        writer.write(passage.request)
        await writer.drain()
        passage.forwarded = True
        self._keeper.changes.happened()

    async def upgraded(self, client: Streams, server: Streams) -> None:
        """Carry on once the two speak WebSocket: see `SocketDoor`."""
        raise NotImplementedError

    async def _reply(self, passage: Passage, reader: asyncio.StreamReader) -> HttpMessage:
        try:
            reply = await read_message(reader)
        except (ConnectionError, asyncio.IncompleteReadError) as end:
            passage.broken = True
            passage.unread = isinstance(end, ConnectionError)
            self._keeper.changes.happened()
            raise
        for old, new in self._renamed():
            reply = reply.leading_to(old, new)
        passage.reply = reply.raw
        self._keeper.changes.happened()
        return reply

    def _noted(self, request: bytes) -> Passage:
        passage = Passage(self.name, self._keeper.life, request)
        self._keeper.passages.append(passage)
        self._keeper.changes.happened()
        return passage
