"""httpx's requests and responses over aiohttp's connections, faults by httpx's names. It never retries.

httpx's own pool looks at every connection at each call, and parses in Python: that was the dearest part.
"""

import ssl
from collections.abc import AsyncIterator
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import cast

import aiohttp
import httpx
from yarl import URL

from core.connections import Connector
from core.project_api.sending import Sending

_AT_ONCE = 1 << 20  #: bytes that are written without asking whether the other side still reads


class Transport(httpx.AsyncBaseTransport):
    """At most `connections` to one service, kept open for `idle` seconds. Close it with `aclose`.

    It follows no redirect, keeps no cookie, reads no environment, and unpacks nothing.
    """

    def __init__(
        self, *, connections: int, connect_timeout: float, idle: float, proxy: httpx.Proxy | None
    ) -> None:
        """Prepare, without connecting; `connect_timeout` are seconds, TLS and the proxy's part included."""
        self._connections = connections
        self._idle = idle
        self._proxy = None if proxy is None else _address(proxy)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_timeout)
        self._trust = _trust()
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request whose stream is a `Sending`; return the response, its body not yet read.

        Raises httpx.TransportError. A request is known not to be sent as long as its stream is not `taken`.
        """
        sending = cast(Sending, request.stream)
        try:
            response = await self._opened().request(
                request.method,
                _url(str(request.url)),
                headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                data=sending if len(sending.body) > _AT_ONCE else sending.body or None,
                allow_redirects=False,
                proxy=self._proxy,
                trace_request_ctx=sending,
            )
        except aiohttp.ClientError as error:
            failed = _named(error)
        else:
            if response.status != 101:
                return httpx.Response(response.status, headers=response.raw_headers, stream=_Body(response))
            response.close()
            failed = httpx.RemoteProtocolError("another protocol was switched to, unasked")
        raise failed  # without aiohttp's error, which carries the whole request, key and all

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session, made at the first call: it belongs to the loop that runs then."""
        if self._session is None:
            traces = aiohttp.TraceConfig()
            traces.on_request_headers_sent.append(_on_headers_sent)
            self._session = aiohttp.ClientSession(
                connector=Connector(limit=self._connections, keepalive_timeout=self._idle, ssl=self._trust),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
                auto_decompress=False,
                trace_configs=[traces],
            )
            self._session._retry_connection = False  # else a GET whose connection is lost goes out twice
        return self._session


@lru_cache(1_000)
def _url(address: str) -> URL:
    return URL(address, encoded=True)


@cache
def _trust() -> ssl.SSLContext:
    """Return whom TLS trusts, one for all: reading the certificates takes tens of milliseconds each time."""
    return httpx.create_ssl_context(trust_env=False)


class _Body(httpx.AsyncByteStream):
    """A response's bytes as they come."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except aiohttp.ClientError as error:
            failed = _named(error)
        else:
            return
        raise failed

    async def aclose(self) -> None:
        """Give the connection back, where the body was read to its end; close it otherwise."""
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


async def _on_headers_sent(
    _: aiohttp.ClientSession,
    context: SimpleNamespace,
    __: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    """Note that from here on the service may see the request: a connection stands, and is written to."""
    context.trace_request_ctx.taken = True


def _address(proxy: httpx.Proxy) -> URL:
    """Return where a proxy is, with its credentials, as aiohttp wants them."""
    user, password = (part.decode() for part in proxy.raw_auth or (b"", b""))
    return URL(str(proxy.url)).with_user(user or None).with_password(password or None)


def _named(error: aiohttp.ClientError) -> httpx.TransportError:
    """Return an error of aiohttp's by the name that httpx has for it."""
    kind = type(error).__name__
    match error:
        case aiohttp.ClientProxyConnectionError():
            return httpx.ProxyError(f"{kind}: {error}")
        case aiohttp.ClientHttpProxyError():
            return httpx.ProxyError(f"{kind}: status {error.status}")
        case aiohttp.ClientConnectorError():
            return httpx.ConnectError(f"{kind}: {error}")
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout(kind)
        case _:
            return httpx.RemoteProtocolError(kind)
