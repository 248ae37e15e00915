"""aiohttp's connections, as every client of ours keeps them. Makes no calls."""

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

_MANY = 1_000  #: connections that are looked at where there is no limit


class Connector(aiohttp.TCPConnector):
    """Gives no connection again on which something came unasked: it would be the next request's answer."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 aiohttp's signature
    ) -> Connection:
        left = self.limit or _MANY  # so many can lie idle
        connection = await super().connect(req, traces, timeout)
        while left and connection.protocol is not None and connection.protocol.should_close:
            connection.close()
            connection = await super().connect(req, traces, timeout)
            left -= 1
        return connection
