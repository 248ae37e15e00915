"""One HTTP/1.1 request as it comes over a wire, read whole. Whoever answers it is elsewhere."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came from the client."""

    method: str
    path: str  #: with its query
    headers: tuple[tuple[str, str], ...]
    body: bytes
    head: bytes

    def header(self, name: str) -> str:
        """Return a header's value, empty for none."""
        return next((value for key, value in self.headers if key.lower() == name), "")


async def read(reader: asyncio.StreamReader) -> Request:
    """Read one request whole. Raises EOFError (IncompleteReadError) where there is none any more."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    body = await _body(reader, {name.lower(): value for name, value in headers})
    return Request(method, path, headers, body, head)


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = bytearray()
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()).strip():
        pass  # trailers
    return bytes(body)
