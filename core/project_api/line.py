"""One API key's line to the service: one request out, one JSON or named error in. It never retries."""

import asyncio
import re
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from functools import lru_cache
from importlib.metadata import version
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from core.clock import Clock
from core.errors import BrokenAnswer, KeyRefused, OutcomeUnknown, Retryable, Unreachable
from core.project_api import bounded
from core.project_api.address import endpoint, way_out
from core.project_api.replies import Reply, content_of
from core.project_api.sending import Sending
from core.project_api.transport import Transport

# Short, so that a connection the service is about to close is rarely picked: a question lost on
# one counts as "perhaps charged".
_IDLE_SECONDS = 5.0

_KEY = re.compile(r"[\x21-\x7e]+")


class Line:
    """What every client of the service is: it makes at most `concurrency` calls at once.

    It talks through a transport rather than a client of httpx's: so there is nothing that could
    follow a redirect, keep a cookie or read the environment. Close it with `aclose`, or use it as
    an asynchronous context manager, once no call is under way.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        concurrency: int,
        clock: Clock,
        proxy: str | None,
        connect_timeout: float,
        total_timeout: float,
        max_body: int,
        waits_for_a_slot: bool,
    ) -> None:
        """Prepare, without connecting. Timeouts are seconds, `max_body` unpacked bytes.

        One that waits for a slot does so without limit, and its total timeout runs from then on;
        otherwise that includes the wait. Raises EndpointMisplaced if `base_url` or `proxy` cannot be
        used, KeyRefused if `api_key` holds what no header can carry, ValueError if nothing could ever
        be called.
        """
        if concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        if _KEY.fullmatch(api_key) is None:  # h11 would repeat it in its complaint
            raise KeyRefused("The API key is empty, or holds characters that cannot be sent.")
        base = endpoint(base_url)
        self._base = str(base).rstrip("/")
        self._key = api_key
        self._clock = clock
        self._max_body = max_body
        self._total_timeout = total_timeout
        self._headers = {
            "Host": base.netloc.decode("ascii"),
            "Accept": "application/json",
            "Accept-Encoding": bounded.ACCEPTED,
            "Authorization": f"Bearer {api_key}",
            "User-Agent": f"threadline/{version('threadline')}",
        }
        self._transport = Transport(
            connections=concurrency,
            connect_timeout=connect_timeout,
            idle=_IDLE_SECONDS,
            proxy=None if proxy is None else way_out(proxy),
        )
        slots, free = asyncio.Semaphore(concurrency), nullcontext[None]()
        self._before: AbstractAsyncContextManager[None] = slots if waits_for_a_slot else free
        self._within: AbstractAsyncContextManager[None] = free if waits_for_a_slot else slots

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def _call(
        self, method: Literal["GET", "POST"], path: str, body: bytes | None = None, *, unsaid: Iterable[str]
    ) -> Any:
        """Send one request, a `body` being JSON, and return the JSON that the reply holds.

        `unsaid` are texts no error message may repeat, beside the key. Raises

        - Unreachable if the service cannot have seen the request: not all of its head was sent;
        - OutcomeUnknown if it was, and no whole reply came;
        - RateLimited, Unavailable, BrokenAnswer or a Permanent error for what the reply says.
        """
        sending = Sending(body or b"")
        headers = dict(self._headers)
        if body is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        request = httpx.Request(method, _url(f"{self._base}{path}"), headers=headers, stream=sending)
        reply = await self._reply(request, sending)
        return content_of(reply, now=self._clock.wall(self._clock.now()), unsaid=(self._key, *unsaid))

    async def _reply(self, request: httpx.Request, sending: Sending) -> Reply:
        """Return the reply. Of any but a 200 the status suffices: its body may be cut, huge or never end."""
        response: httpx.Response | None = None
        body = bytearray()
        try:
            async with self._before, asyncio.timeout(self._total_timeout), self._within:
                response = await self._transport.handle_async_request(request)
                async with aclosing(response):
                    body = await bounded.read(response, self._max_body)
        except (OSError, httpx.TransportError) as error:
            # OSError is our timeout, or a TLS alert amid the reply, which httpx does not wrap.
            if response is None or response.status_code == 200:
                raise _fault(error, sent=sending.taken) from error
        except BrokenAnswer:
            if response is None or response.status_code == 200:
                raise
        return Reply(response.status_code, response.headers, body)


@lru_cache(1_000)
def _url(address: str) -> httpx.URL:
    """Return an address, parsed once: there is one for each project, and each is called again and again."""
    return httpx.URL(address)


def _fault(error: Exception, *, sent: bool) -> Retryable:
    words = f"{type(error).__name__}: {error}".removesuffix(": ")
    if sent:
        return OutcomeUnknown(f"The request was sent, but no whole answer came ({words}).")
    return Unreachable(f"The request could not be sent ({words}).")
