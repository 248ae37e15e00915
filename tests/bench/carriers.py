"""How Slack brings an event to a program: signed HTTP over connections kept open, or Socket Mode."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Protocol

from aiohttp import WSMsgType, web

from tests.bench.wire import Pool

_SECRET = "bench-secret"
_CONNECTS_WITHIN = 30.0  #: seconds


class Carrier(Protocol):
    """A way to a program."""

    link: str
    """Where a program opens its WebSocket, "" where there is none."""

    async def start(self) -> None:
        """Listen, where it is the program that connects."""
        ...

    async def connect(self, port: int, connections: int) -> None:
        """Open connections to the program, or wait for one of its own."""
        ...

    async def stop(self) -> None:
        """Close all."""
        ...

    def environment(self) -> Mapping[str, str]:
        """Return what a program must be told of it."""
        ...

    async def carry(self, envelope: bytes) -> bool:
        """Bring an event; return, once there is an acknowledgement or a refusal, whether it was one."""
        ...


class SignedHttp:
    """A `Carrier`: requests as Slack signs them, each on a connection of its own for as long as it takes."""

    link = ""

    def __init__(self) -> None:
        self._pool: Pool | None = None

    async def start(self) -> None:
        """Nobody connects."""

    async def connect(self, port: int, connections: int) -> None:
        self._pool = Pool(port)
        await self._pool.open(connections)

    async def stop(self) -> None:
        if self._pool is not None:
            self._pool.close()

    def environment(self) -> Mapping[str, str]:
        return {"SLACK_SIGNING_SECRET": _SECRET}

    async def carry(self, envelope: bytes) -> bool:
        assert self._pool is not None
        at = str(int(time.time()))
        seal = hmac.new(_SECRET.encode(), b"v0:" + at.encode() + b":" + envelope, hashlib.sha256).hexdigest()
        head = (
            "POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"User-Agent: Slackbot 1.0\r\nX-Slack-Request-Timestamp: {at}\r\nX-Slack-Signature: v0={seal}\r\n"
            f"Content-Length: {len(envelope)}\r\n\r\n"
        )
        raw = head.encode() + envelope
        status = await self._pool.send(raw)
        if status == 0:  # the connection broke, perhaps for having been idle: Slack sends such an event again
            status = await self._pool.send(raw)
        return status == 200


class SocketMode:
    """A `Carrier`: one WebSocket, which the program opens."""

    def __init__(self) -> None:
        self.link = ""
        self._socket: web.WebSocketResponse | None = None
        self._connected = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[bool]] = {}
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application()
        application.router.add_get("/link", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.link = f"ws://127.0.0.1:{self._runner.addresses[0][1]}/link"

    async def connect(self, port: int, connections: int) -> None:  # noqa: ARG002 the program connects
        await asyncio.wait_for(self._connected.wait(), _CONNECTS_WITHIN)

    async def stop(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def environment(self) -> Mapping[str, str]:
        return {"SLACK_APP_TOKEN": "xapp-bench"}

    async def carry(self, envelope: bytes) -> bool:
        if self._socket is None or self._socket.closed:
            return False
        number = str(len(self._waiting))
        acknowledged: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[number] = acknowledged
        opening = (
            f'{{"type":"events_api","envelope_id":"{number}","accepts_response_payload":false,"payload":'
        )
        await self._socket.send_str(f"{opening}{envelope.decode()}}}")
        return await acknowledged

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        self._socket = socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_str('{"type":"hello","num_connections":1,"connection_info":{"app_id":"A0BENCH"}}')
        self._connected.set()
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.data.startswith("{"):
                acknowledged = self._waiting.get(str(json.loads(message.data).get("envelope_id")))
                if acknowledged is not None and not acknowledged.done():
                    acknowledged.set_result(True)
        return socket
