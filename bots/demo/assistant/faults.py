"""What can be made to go wrong with one request, as values and a queue of them. Acts on nothing itself."""

import asyncio
import json
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from typing import Literal

from bots.demo.assistant.contract import JSON, Reply, json_reply, said

ABSENT = object()
"""Stands for a field that is left out."""

_MEBIBYTE = 1024 * 1024
_STATUS_CODES = {
    400: "bad_request",
    401: "unauthorized",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    429: "rate_limited",
}


class Cut(Enum):
    """When the server drops the connection."""

    BEFORE_READING = auto()  # the body is not read; the client sees a reset
    AFTER_READING = auto()  # the question has arrived; the client sees a reset
    MID_ANSWER = auto()  # half of the answer is sent, then the connection ends


@dataclass(frozen=True, slots=True)
class Changed:
    """Replies with what `change` makes of the proper reply. `valid`: a client should accept the result."""

    change: Callable[[Reply], Reply]
    valid: bool = False


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Drops the connection. BEFORE_READING only counts outside of Latency and Hold."""

    when: Cut


@dataclass(frozen=True, slots=True)
class Drip:
    """Sends the proper reply one byte at a time, `seconds` of the clock between bytes."""

    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Waits `seconds` of the clock, then goes on with `then` (None: as if there were no fault)."""

    seconds: float
    then: "Fault | None" = None


@dataclass(frozen=True, slots=True, eq=False)
class Hold:
    """Waits until `release()` is called, then goes on with `then`. One hold may keep many requests."""

    then: "Fault | None" = None
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self.released.set()


Fault = Changed | Disconnect | Drip | Latency | Hold


class FaultQueue:
    """Faults in the order in which requests will meet them, one each; then all is well again."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, *faults: Fault) -> None:
        self._waiting.extend(faults)

    def take(self) -> Fault | None:
        """Remove and return the next fault, or None."""
        return self._waiting.popleft() if self._waiting else None

    def clear(self) -> None:
        self._waiting.clear()


def latency(seconds: float, then: Fault | None = None) -> Fault:
    return Latency(seconds, then)


def hold(then: Fault | None = None) -> Hold:
    return Hold(then)


def drip(seconds: float = 1.0) -> Fault:
    return Drip(seconds)


def disconnect(when: Cut = Cut.AFTER_READING) -> Fault:
    return Disconnect(when)


def rate_limited(retry_after: str | None = "1", body_retry_after: object = ABSENT) -> Fault:
    """A 429: `retry_after` goes verbatim into the header (None: no header), the other into the body."""
    content: dict[str, object] = {"status": 429, "code": "rate_limited", "message": "Too many requests"}
    if body_retry_after is not ABSENT:
        content["retryAfter"] = body_retry_after
    return _always(json_reply(429, content, {} if retry_after is None else {"Retry-After": retry_after}))


def status(
    number: int,
    *,
    code: str | None = None,
    body: bytes | None = None,
    html: bool = False,
    details: str | None = None,
) -> Fault:
    """An error of that status: the standard one with `code`, or `body` verbatim, or a proxy's HTML page."""
    phrase = HTTPStatus(number).phrase
    if html:
        page = f"<html><head><title>{number} {phrase}</title></head><body><h1>{phrase}</h1></body></html>"
        return _always(Reply(number, page.encode() if body is None else body, "text/html"))
    if body is not None:
        return _always(Reply(number, body))
    content = {
        "status": number,
        "code": code or _STATUS_CODES.get(number, "internal_error"),
        "message": phrase,
    }
    return _always(json_reply(number, content if details is None else {**content, "details": details}))


def says(content: str, role: str = "assistant") -> Fault:
    """Answers with these words: for hostile Markdown, long answers, wrong roles."""
    return Changed(lambda _: said(content, role), valid=role == "assistant" and bool(content.strip()))


def wrong_role(role: str = "user") -> Fault:
    return says("I am not the assistant.", role)


def blank_content(content: str = " \n\t ") -> Fault:
    return says(content)


def truncated_json() -> Fault:
    """A whole HTTP reply whose JSON stops in the middle."""
    return Changed(lambda reply: Reply(reply.status, reply.body[: len(reply.body) // 2]))


def not_json(body: bytes = b"upstream connect error") -> Fault:
    """Claims to be JSON and is not."""
    return _always(Reply(200, body))


def wrong_content_type(content_type: str = "text/html") -> Fault:
    """The proper reply under another name."""
    return Changed(lambda reply: Reply(reply.status, reply.body, content_type))


def empty_body(number: int = 204) -> Fault:
    return _always(Reply(number, b""))


def extra_fields() -> Fault:
    """The proper answer beside fields the contract does not know; a client must not mind."""
    return Changed(_with_extra_fields, valid=True)


def oversize(size: int) -> Fault:
    """A valid answer of exactly `size` bytes, uncompressed."""
    frame = len(said("").body)
    return Changed(lambda _: said("A" * (size - frame)))


def bomb(mebibytes: int, encoding: Literal["gzip", "deflate"] = "gzip") -> Fault:
    """A small compressed body that inflates to a valid answer with so many MiB of text."""

    def compress(_: Reply) -> Reply:
        squeeze = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else zlib.MAX_WBITS)
        before, after = said("|").body.split(b"|")
        chunk = b"A" * _MEBIBYTE
        pieces = [squeeze.compress(before), *(squeeze.compress(chunk) for _ in range(mebibytes))]
        body = b"".join([*pieces, squeeze.compress(after), squeeze.flush()])
        return Reply(200, body, JSON, {"Content-Encoding": encoding})

    return Changed(compress)


def redirect(location: str, number: int = 307) -> Fault:
    return _always(Reply(number, b"", "text/plain", {"Location": location}))


def _always(reply: Reply) -> Fault:
    return Changed(lambda _: reply)


def _with_extra_fields(reply: Reply) -> Reply:
    content = json.loads(reply.body)
    extra = {"id": "msg_1", "usage": {"credits": 1}, "citations": [], **content}
    if isinstance(content.get("message"), dict):  # an error's message is text
        extra["message"] = {**content["message"], "createdAt": "2026-01-01T00:00:00Z", "annotations": None}
    return json_reply(reply.status, extra, reply.headers)
