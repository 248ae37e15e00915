"""The gateway as a websocket route: HELLO, heartbeats, events, and every way to break it. No REST."""

import asyncio

from aiohttp import WSMsgType, web

from bots.demo.discord.frames import ENDS_SESSION, CloseCode, Op, Refusal, decoded, encoded
from bots.demo.discord.links import Link
from bots.demo.discord.records import Json
from bots.demo.discord.sessions import Session, Sessions, World
from bots.demo.discord.start_limit import SessionStartLimit

HEARTBEAT_INTERVAL = 41_250
"""Milliseconds; what Discord usually says."""
_VERSIONS = frozenset({"9", "10"})
_GOODBYES = frozenset({1000, 1001})
"""Close codes by which a client gives its session up."""
_CLOSING = 1.0
"""Seconds a client has to answer a close frame."""


class Gateway:
    """All connections and sessions of the application. `serve` is a route of an aiohttp server."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions = Sessions(world)
        self._links: list[Link] = []
        self.heartbeat_interval = HEARTBEAT_INTERVAL
        """Milliseconds; told to connections made from now on."""

    @property
    def connections(self) -> int:
        """Return how many connections are open, zombies among them."""
        return len(self._links)

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Return the sessions that are connected or can be resumed, oldest first."""
        return self._sessions.all()

    @property
    def session_start_limit(self) -> SessionStartLimit:
        """Return the allowance of session starts, whose numbers may be set."""
        return self._sessions.start_limit

    @property
    def identifies(self) -> int:
        """Return how many sessions were started."""
        return self._sessions.identifies

    @property
    def resumes(self) -> int:
        """Return how often a session was taken up again."""
        return self._sessions.resumes

    @property
    def deaf(self) -> bool:
        """Whether a zombie is open: a connection that acknowledges nothing and delivers nothing.

        Setting it True makes zombies of the connections open now, for good; later ones are sound. A zombie's
        session goes on numbering its events, for a RESUME. Setting it False cannot mend a dead connection.
        """
        return any(link.is_silent for link in self._links)

    @deaf.setter
    def deaf(self, is_deaf: bool) -> None:
        for link in self._links:
            link.is_silent = link.is_silent or is_deaf

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it closes."""
        socket = web.WebSocketResponse(timeout=_CLOSING)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:  # gone already
            return socket
        link = Link(socket, transport, self._world.clock)
        self._links.append(link)
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(link.write())
                self._greet(link, request.query.get("v", "10"))
                await self._listen(link, f"ws://{request.host}{request.path}")
                if not link.is_leaving:  # else the writer is amid its farewell
                    writing.cancel()
        finally:
            self._gone(link)
        return socket

    def announce(self, event: str, data: Json, *, guild: str | None, intent: str) -> None:
        """Send an event to every session that hears of it; those that are away get it when they resume.

        `intent` is an intent's name in lower case, "" for what is always sent.
        """
        self._sessions.announce(event, data, guild, intent)

    async def connected(self) -> None:
        """Wait until a session is READY, or RESUMED, over a sound connection."""
        await self._world.changes.until(
            lambda: any(session.link is not None and session.link.is_sound for session in self.sessions)
        )

    async def close(self, code: int = CloseCode.UNKNOWN_ERROR) -> None:
        """Close every connection with this code, and return when they are gone."""
        links = tuple(self._links)
        for link in links:
            self._close(link, code)
        await _all_gone(links)

    async def drop(self) -> None:
        """Cut every connection without a close frame, and return when they are gone."""
        links = tuple(self._links)
        for link in links:
            self._sessions.part(link)
            link.cut()
        await _all_gone(links)

    async def reconnect(self) -> None:
        """Ask every client to come again and resume (opcode 7)."""
        for link in self._links:
            link.send(encoded(Op.RECONNECT))

    async def invalidate(self, resumable: bool = False) -> None:
        """Tell every client to resume or, if not resumable, to start anew (opcode 9).

        Unless resumable, the sessions of clients that are away end, too.
        """
        for link in self._links:
            self._sessions.part(link)
            link.send(encoded(Op.INVALID_SESSION, resumable))
        if not resumable:
            self._sessions.end()
        self._world.changes.happened()

    def _greet(self, link: Link, version: str) -> None:
        if version in _VERSIONS:
            link.send(encoded(Op.HELLO, {"heartbeat_interval": self.heartbeat_interval}))
        else:
            link.leave(CloseCode.INVALID_API_VERSION)

    async def _listen(self, link: Link, url: str) -> None:
        while (message := await link.socket.receive()).type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            if not link.is_sound:
                continue
            try:
                self._hear(link, message.data, url)
            except Refusal as refusal:
                self._close(link, refusal.code)
        # Only a close frame is a goodbye: aiohttp's `close_code` says 1000 for a lost connection, too.
        if message.type is WSMsgType.CLOSE and message.data in _GOODBYES and not link.is_silent:
            self._sessions.part(link, ended=True)

    def _hear(self, link: Link, raw: str | bytes, url: str) -> None:
        link.count()
        op, d = decoded(raw)
        match op:
            case Op.HEARTBEAT:
                link.send(encoded(Op.HEARTBEAT_ACK))
            case Op.IDENTIFY:
                self._sessions.identify(link, d, url)
            case Op.RESUME:
                self._sessions.resume(link, d)
            case (
                Op.PRESENCE_UPDATE
                | Op.VOICE_STATE_UPDATE
                | Op.REQUEST_GUILD_MEMBERS
                | Op.REQUEST_SOUNDBOARD_SOUNDS
            ):
                if self._sessions.carried_by(link) is None:
                    raise Refusal(CloseCode.NOT_AUTHENTICATED)
            case _:
                raise Refusal(CloseCode.UNKNOWN_OPCODE)

    def _close(self, link: Link, code: int) -> None:
        self._sessions.part(link, ended=code in ENDS_SESSION)
        link.leave(code)

    def _gone(self, link: Link) -> None:
        self._sessions.part(link)
        self._links.remove(link)
        link.gone.set()
        self._world.changes.happened()


async def _all_gone(links: tuple[Link, ...]) -> None:
    for link in links:
        await link.gone.wait()
