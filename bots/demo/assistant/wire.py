"""Puts replies on aiohttp's wire: whole, byte by byte, or cut off. Knows no contract."""

import asyncio
import socket
import struct

from aiohttp import web

from bots.demo.assistant.contract import Reply
from bots.demo.assistant.faults import Cut
from core.clock import Clock

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close sends RST


def response(reply: Reply) -> web.Response:
    """Return the whole reply."""
    headers = {**reply.headers, "Content-Type": reply.content_type}
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def drip(request: web.Request, reply: Reply, seconds: float, clock: Clock) -> web.StreamResponse:
    """Send the reply's body one byte at a time, that many seconds of the clock apart."""
    started = await _begin(request, reply)
    for at in range(len(reply.body)):
        if at:
            await clock.sleep(seconds)
        await started.write(reply.body[at : at + 1])
    return started


async def cut(request: web.Request, when: Cut, reply: Reply) -> web.StreamResponse:
    """Drop the connection: with a reset, or in the middle of the answer with an early end."""
    transport = request.transport
    if transport is None:
        return web.Response()  # the client was quicker
    if when is not Cut.MID_ANSWER:
        _reset(transport)
        return web.Response()
    started = await _begin(request, reply)
    await started.write(reply.body[: len(reply.body) // 2])
    transport.abort()
    return started


async def _begin(request: web.Request, reply: Reply) -> web.StreamResponse:
    headers = {**reply.headers, "Content-Type": reply.content_type, "Content-Length": str(len(reply.body))}
    started = web.StreamResponse(status=reply.status, headers=headers)
    await started.prepare(request)
    return started


def _reset(transport: asyncio.Transport) -> None:
    endpoint = transport.get_extra_info("socket")
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
