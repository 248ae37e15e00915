"""Asks the chat endpoint over HTTP: one conversation in, one answer or named error out. It never retries."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from importlib.metadata import version
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from core.clock import Clock
from core.errors import BrokenAnswer, KeyRefused, OutcomeUnknown, Retryable, Unreachable
from core.model import ProjectId, Turn, project_id
from core.project_api import bounded
from core.project_api.address import endpoint, way_out
from core.project_api.answers import Reply, text_of

if TYPE_CHECKING:
    import httpcore

# httpx's pool looks at every connection at each call: eight pools of eight cost a third of one of 64.
_CONNECTIONS_PER_POOL = 8

# Short, so that a connection the service is about to close is rarely picked: a question lost on
# one counts as "perhaps charged".
_IDLE_SECONDS = 5.0

_KEY = re.compile(r"[\x21-\x7e]+")


class HttpChatApi:
    """One API key's way to the assistant: a `ChatApi` that makes at most `concurrency` calls at once.

    It talks through httpx's transports rather than its clients: so there is nothing that could
    follow a redirect, keep a cookie or read the environment. Close it with `aclose`, or use it as
    an asynchronous context manager, once no `ask` is under way.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        concurrency: int,
        clock: Clock,
        proxy: str | None = None,
        connect_timeout: float = 5,
        total_timeout: float = 120,
        max_body: int = 2 * 1024 * 1024,
    ) -> None:
        """Prepare, without connecting. Timeouts are seconds, `max_body` unpacked bytes.

        Raises EndpointMisplaced if `base_url` or `proxy` cannot be used, KeyRefused if `api_key`
        holds what no header can carry, ValueError if nothing could ever be asked.
        """
        if concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        if _KEY.fullmatch(api_key) is None:  # h11 would repeat it in its complaint
            raise KeyRefused("The API key is empty, or holds characters that cannot be sent.")
        base = endpoint(base_url)
        self._projects = f"{str(base).rstrip('/')}/v1/projects"
        self._key = api_key
        self._clock = clock
        self._max_body = max_body
        self._total_timeout = total_timeout
        self._timeouts = httpx.Timeout(None, connect=connect_timeout, pool=connect_timeout).as_dict()
        self._headers = {
            "Host": base.netloc.decode("ascii"),
            "Accept": "application/json",
            "Accept-Encoding": bounded.ACCEPTED,
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/json",
            "User-Agent": f"threadline/{version('threadline')}",
        }
        self._pools = _pools(concurrency, None if proxy is None else way_out(proxy))
        self._slots = asyncio.Semaphore(concurrency)
        # Each pool once per connection it may open. The last one given back is taken first: it is warm.
        self._free = [pool for pool, size in self._pools for _ in range(size)]

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
        for pool, _ in self._pools:
            await pool.aclose()

    async def ask(self, project: ProjectId, turns: Sequence[Turn]) -> str:
        """Send the conversation, newest turn last, and return the assistant's words (Markdown, not blank).

        Waits without limit for one of the key's slots; the total timeout runs from then on. Raises

        - Unreachable if the service cannot have seen the question: no part of the body was sent;
        - OutcomeUnknown if some was, and no whole reply came. That includes a 200 cut short: the
          question was then answered and most likely charged, so asking again must be counted;
        - RateLimited, Unavailable, BrokenAnswer or a Permanent error for what the reply says;
        - InvalidProjectId before anything is sent.
        """
        url = f"{self._projects}/{project_id(project)}/ai/chat"
        question = _Question(_conversation(turns))
        headers = {**self._headers, "Content-Length": str(question.length)}
        extensions = {"timeout": self._timeouts, "trace": question.watch}
        request = httpx.Request("POST", url, headers=headers, stream=question, extensions=extensions)
        async with self._slots:
            pool = self._free.pop()
            try:
                reply = await self._exchange(pool, request, question)
            finally:
                self._free.append(pool)
                await question.hang_up()
        unsaid = (self._key, *(turn.text for turn in turns))
        return text_of(reply, now=self._clock.now(), unsaid=unsaid)

    async def _exchange(
        self, pool: httpx.AsyncHTTPTransport, request: httpx.Request, question: "_Question"
    ) -> Reply:
        """Return the reply. Of any but a 200 the status suffices: its body may be cut, huge or never end."""
        response: httpx.Response | None = None
        body = bytearray()
        try:
            async with asyncio.timeout(self._total_timeout):
                response = await pool.handle_async_request(request)
                async with aclosing(response):
                    body = await bounded.read(response, self._max_body)
        except (OSError, httpx.TransportError) as error:
            # OSError is our timeout, or a TLS alert amid the reply, which httpx does not wrap.
            if response is None or response.status_code == 200:
                raise _fault(error, sent=question.taken) from error
        except BrokenAnswer:
            if response is None or response.status_code == 200:
                raise
        return Reply(response.status_code, response.headers, body)


class _Question(httpx.AsyncByteStream):
    """A request's body that remembers whether a connection has taken it to send.

    httpx asks for it after the connection stands and the headers are written. The kinds of its
    errors do not tell as much: a ReadError can follow headers that could not be written.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._connection: httpcore.AsyncNetworkStream | None = None
        self.length = len(body)
        self.taken = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.taken = True
        yield self._body

    async def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Be httpx's trace extension: remember a connection that was opened for this question."""
        if event == "connection.connect_tcp.complete":
            self._connection = info["return_value"]

    async def hang_up(self) -> None:
        """Close what was opened but never used: httpcore forgets it if cancelled in the TLS handshake."""
        if self._connection is not None and not self.taken:
            await self._connection.aclose()


def _conversation(turns: Sequence[Turn]) -> bytes:
    messages = [{"role": turn.role.value, "content": turn.text} for turn in turns]
    # "replace" is for lone surrogates, which UTF-8 cannot carry.
    return json.dumps({"messages": messages}, ensure_ascii=False).encode("utf-8", "replace")


def _fault(error: Exception, *, sent: bool) -> Retryable:
    words = f"{type(error).__name__}: {error}".removesuffix(": ")
    if sent:
        return OutcomeUnknown(f"The question was sent, but no whole answer came ({words}).")
    return Unreachable(f"The question could not be sent ({words}).")


def _pools(concurrency: int, proxy: httpx.Proxy | None) -> list[tuple[httpx.AsyncHTTPTransport, int]]:
    """Return enough small pools for `concurrency` connections, each with its size."""
    trust = httpx.create_ssl_context(trust_env=False)  # one for all: each costs tens of milliseconds
    sizes = [
        min(_CONNECTIONS_PER_POOL, concurrency - at) for at in range(0, concurrency, _CONNECTIONS_PER_POOL)
    ]
    return [
        (
            httpx.AsyncHTTPTransport(
                verify=trust,
                trust_env=False,
                proxy=proxy,
                limits=httpx.Limits(max_connections=size, keepalive_expiry=_IDLE_SECONDS),
            ),
            size,
        )
        for size in sizes
    ]
