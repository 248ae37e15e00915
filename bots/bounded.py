"""Replies of the chat platforms, read only as far as they may be long. It does not look inside."""

import aiohttp

#: Bytes, unpacked. The longest that we ask for, 200 messages of a thread, stays well below.
MOST = 4 * 1024 * 1024


class BoundedResponse(aiohttp.ClientResponse):
    """aiohttp's, for a session's `response_class`: what is longer counts as a reply that broke off."""

    async def read(self) -> bytes:
        """Return the whole body. Raises ClientPayloadError, and closes the connection, past `MOST` bytes."""
        if self._body is None:
            body = bytearray()
            try:
                while piece := await self.content.readany():
                    body += piece
                    if len(body) > MOST:
                        raise aiohttp.ClientPayloadError(f"the reply is longer than {MOST} bytes")
                self._body = bytes(body)
            finally:
                if self._body is None:
                    self.close()
        return await super().read()
