"""Reads whole HTTP messages and WebSocket frames from a stream, as bytes; it knows only their lengths."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)
_CLOSING = 8


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """A request or a reply. `head` ends with its blank line."""

    head: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        """Return the message as it came."""
        return self.head + self.body

    @property
    def upgrades(self) -> bool:
        """Tell whether what follows this reply is a WebSocket."""
        return self.head.startswith(b"HTTP/1.1 101 ")

    def leading_to(self, old: bytes, new: bytes) -> "HttpMessage":
        """Return the message with one address in the place of another; both must be of the same length."""
        return HttpMessage(self.head, self.body.replace(old, new))


@dataclass(frozen=True, slots=True)
class Frame:
    """One WebSocket frame. `payload` is unmasked, `raw` as it came."""

    raw: bytes
    payload: bytes
    closes: bool


async def read_message(reader: asyncio.StreamReader) -> HttpMessage:
    """Return the next message; raises IncompleteReadError at the end of the stream.

    Raises ValueError for a chunked body: nobody on our loopback sends one.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    if _CHUNKED.search(head):
        raise ValueError("a chunked message")
    length = _LENGTH.search(head)
    return HttpMessage(head, await reader.readexactly(int(length[1])) if length else b"")


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a connection, and wait until it is closed."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """Return the next frame (RFC 6455, section 5.2)."""
    raw = await reader.readexactly(2)
    size, masked = raw[1] & 0x7F, bool(raw[1] & 0x80)
    if size >= 126:
        wide = await reader.readexactly(2 if size == 126 else 8)
        raw += wide
        size = int.from_bytes(wide, "big")
    mask = await reader.readexactly(4) if masked else b""
    payload = await reader.readexactly(size)
    plain = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if mask else payload
    return Frame(raw + mask + payload, plain, closes=raw[0] & 0x0F == _CLOSING)
