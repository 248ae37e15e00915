"""Socket Mode's other end: hello, envelopes, acknowledgements, disconnects. Retries are decided elsewhere."""

import asyncio
import json
import uuid
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bots.demo.slack.carrying import ACK_WITHIN, Parcel, Receipt
from bots.demo.slack.records import Json, Transport
from bots.demo.slack.state import WorkspaceState
from bots.demo.tasks import Tasks, within

MOST_CONNECTIONS = 10
LEAVES_AFTER = 10.0
"""Seconds between a `disconnect` and the closing of the socket, if the app has not gone by then."""
_HEARTBEAT = 10.0
_CLOSING = 1.0


@dataclass(eq=False, slots=True)
class Link:
    """One open connection and the envelopes it has not acknowledged."""

    socket: web.WebSocketResponse
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    is_leaving: bool = False


class Sockets:
    """All Socket Mode connections of the app."""

    def __init__(self, workspace: WorkspaceState, tasks: Tasks) -> None:
        self._workspace = workspace
        self._tasks = tasks
        self._tickets: set[str] = set()
        self._links: list[Link] = []
        self._turn = 0
        self.used = False
        """Whether the app ever asked for a connection: from then on events wait for one."""

    @property
    def links(self) -> tuple[Link, ...]:
        """Return the open connections."""
        return tuple(self._links)

    def new_ticket(self) -> str:
        """Return a ticket that opens one connection."""
        ticket = str(uuid.uuid4())
        self._tickets.add(ticket)
        self.used = True
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="invalid ticket")
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, timeout=_CLOSING)
        await socket.prepare(request)
        if len(self._links) >= MOST_CONNECTIONS:
            await socket.send_json(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        link = Link(socket)
        self._links.append(link)
        try:
            await socket.send_json(self._hello())
            self._workspace.changes.happened()
            await _listen(link)
        finally:
            self._gone(link)
        return socket

    async def carry(self, parcel: Parcel) -> Receipt:
        """Send an envelope over any one connection and wait up to 3 seconds for its acknowledgement.

        There must be a connection: look at `links` first.
        """
        link = self._next_link()
        envelope_id = str(uuid.uuid4())
        acknowledged: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        link.waiting[envelope_id] = acknowledged
        try:
            answer = await within(
                self._workspace.clock, ACK_WITHIN, _sent(link, _envelope(envelope_id, parcel), acknowledged)
            )
        except TimeoutError:
            return Receipt(Transport.SOCKET, failure="timeout")
        except ConnectionError:
            return Receipt(Transport.SOCKET, failure="connection_failed")
        finally:
            link.waiting.pop(envelope_id, None)
        return Receipt(Transport.SOCKET, 200, answer)

    async def disconnect(self, reason: str) -> None:
        """Tell every connection to go; one that stays is closed ten seconds later."""
        for link in self.links:
            link.is_leaving = True
            await link.socket.send_json(_disconnect(reason))
            self._tasks.start(self._close_later(link))

    async def cut(self) -> None:
        """Close every connection without a warning, as a network does."""
        for link in self.links:
            await link.socket.close()

    async def _close_later(self, link: Link) -> None:
        await self._workspace.clock.sleep(LEAVES_AFTER)
        await link.socket.close()

    def _next_link(self) -> Link:
        """Take turns; a connection that was told to leave is used only when there is no other."""
        choice = [link for link in self._links if not link.is_leaving] or self._links
        self._turn += 1
        return choice[self._turn % len(choice)]

    def _gone(self, link: Link) -> None:
        self._links.remove(link)
        for acknowledged in link.waiting.values():
            if not acknowledged.done():
                acknowledged.set_exception(ConnectionResetError("the socket closed"))
        self._workspace.changes.happened()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._links),
            "debug_info": {"host": "applink-demo", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._workspace.app_id},
        }


async def _listen(link: Link) -> None:
    async for message in link.socket:
        if message.type is WSMsgType.TEXT:
            body = json.loads(message.data)
            acknowledged = link.waiting.get(body.get("envelope_id", ""))
            if acknowledged is not None and not acknowledged.done():
                acknowledged.set_result(body.get("payload") or {})


async def _sent(link: Link, envelope: Json, acknowledged: "asyncio.Future[Json]") -> Json:
    await link.socket.send_json(envelope)
    return await acknowledged


def _envelope(envelope_id: str, parcel: Parcel) -> Json:
    envelope: Json = {
        "envelope_id": envelope_id,
        "payload": parcel.body,
        "type": parcel.kind,
        "accepts_response_payload": parcel.kind != "events_api",
    }
    if parcel.kind == "events_api":
        envelope |= {"retry_attempt": parcel.retry_num, "retry_reason": parcel.retry_reason}
    return envelope


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-demo"}}
