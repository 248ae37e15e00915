"""Reads a response's body without ever holding more than was allowed; it does not look inside."""

import zlib
from typing import Protocol, cast

import httpx

from core.errors import BrokenAnswer

ACCEPTED = "gzip"  #: for Accept-Encoding: what `read` can unpack

_GZIP = 16 + zlib.MAX_WBITS  # zlib's way of asking for the gzip format alone


async def read(response: httpx.Response, limit: int) -> bytearray:
    """Return the whole body, unpacked: at most `limit` bytes, both as sent and as unpacked.

    httpx's own decoders inflate whatever one read brings (64 KiB can become 64 MiB) before anyone
    can count, so the raw bytes are unpacked here. Raises BrokenAnswer for a body that is longer,
    wrongly packed, or packed in a way that was not asked for; httpx.TransportError if it is cut.
    The caller closes the response, whose stream is read past its own counting and naming of errors.
    """
    body = bytearray()
    received = 0
    unpacker = _unpacker(response.headers.get("content-encoding", ""))
    async for chunk in cast(httpx.AsyncByteStream, response.stream):
        received += len(chunk)
        body += unpacker.unpack(chunk, limit + 1 - len(body))
        if len(body) > limit or received > limit:
            raise BrokenAnswer(f"The answer is longer than {limit} bytes.")
    unpacker.finish()
    return body


class _Unpacker(Protocol):
    def unpack(self, chunk: bytes, at_most: int) -> bytes: ...
    def finish(self) -> None: ...


def _unpacker(encoding: str) -> _Unpacker:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Gzip()
        case _:
            raise BrokenAnswer("The answer is packed in a way that was not asked for.")


class _Plain:
    def unpack(self, chunk: bytes, at_most: int) -> bytes:
        return chunk[:at_most]

    def finish(self) -> None:
        """Plain bytes end where HTTP says they do."""


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)

    def unpack(self, chunk: bytes, at_most: int) -> bytes:
        try:
            unpacked = self._stream.decompress(chunk, at_most)
        except zlib.error as error:
            raise BrokenAnswer("The answer is not the gzip it claims to be.") from error
        if self._stream.unused_data:
            raise BrokenAnswer("Something follows the answer's gzip.")
        return unpacked

    def finish(self) -> None:
        if not self._stream.eof:
            raise BrokenAnswer("The answer's gzip ends too early.")
