"""A request's body that knows how far it got; it says nothing of what comes back."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    import httpcore


class Sending(httpx.AsyncByteStream):
    """A request's body, perhaps empty, that remembers whether a connection has taken it to send.

    httpx asks for it after the connection stands and the headers are written. The kinds of its
    errors do not tell as much: a ReadError can follow headers that could not be written.
    """

    def __init__(self, body: bytes = b"") -> None:
        self._body = body
        self._connection: httpcore.AsyncNetworkStream | None = None
        self.length = len(body)
        self.taken = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.taken = True
        yield self._body

    async def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Be httpx's trace extension: remember a connection that was opened for this request."""
        if event == "connection.connect_tcp.complete":
            self._connection = info["return_value"]

    async def hang_up(self) -> None:
        """Close what was opened but never used: httpcore forgets it if cancelled in the TLS handshake."""
        if self._connection is not None and not self.taken:
            await self._connection.aclose()
