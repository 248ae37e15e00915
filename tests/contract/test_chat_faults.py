"""What the chat client makes of a wire on which anything can go wrong."""

import base64
import json
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from core.errors import (
    BrokenAnswer,
    EndpointMisplaced,
    KeyRefused,
    OutcomeUnknown,
    RateLimited,
    ThreadlineError,
    Unavailable,
    Unreachable,
)
from core.model import AuthorId, Role, Turn
from tests.fixtures.chat_client import KEY, PROJECT, QUESTION, TURNS, client, fault
from tests.fixtures.wire import (
    ANSWER,
    OPEN_ENDED,
    Act,
    Wire,
    is_deaf,
    is_silent,
    resets,
    response,
    says,
    says_and_closes,
    says_forever,
    says_more_than_was_asked,
)

MIB = 1024 * 1024


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire.running() as wire:
        yield wire


# What surely never arrived


async def test_a_refused_connection_took_nothing() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        error = await fault(client(f"http://127.0.0.1:{nobody.getsockname()[1]}"))
    assert type(error) is Unreachable
    assert isinstance(error.__cause__, httpx.ConnectError)


async def test_an_unknown_host_took_nothing() -> None:
    error = await fault(client("https://nowhere.invalid"))
    assert type(error) is Unreachable
    assert isinstance(error.__cause__, httpx.ConnectError)


async def test_a_server_without_tls_took_nothing(wire: Wire) -> None:
    wire.greet = says_and_closes(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    error = await fault(client(wire.url.replace("http", "https")))
    assert type(error) is Unreachable
    assert wire.heard == []


@pytest.mark.parametrize(
    ("connect", "total", "cause"),
    [(0.1, 5, httpx.ConnectTimeout), (5, 0.1, TimeoutError)],
    ids=["own", "total"],
)
async def test_a_connection_that_never_stands_took_nothing(
    wire: Wire, connect: float, total: float, cause: type[Exception]
) -> None:
    wire.greet = is_silent  # in the middle of the TLS handshake
    url = wire.url.replace("http", "https")
    error = await fault(client(url, connect_timeout=connect, total_timeout=total))
    assert type(error) is Unreachable
    assert isinstance(error.__cause__, cause)
    await wire.until(lambda: wire.open == 0)


async def test_a_proxy_is_used_if_given_and_never_sees_the_key_of_an_https_question(wire: Wire) -> None:
    async with client("http://localhost:1", proxy=wire.url) as api:
        assert await api.ask(PROJECT, TURNS) == "orders"
    assert wire.heard[-1].head.startswith("POST http://localhost:1/v1/projects/")
    wire.act = says(response(b"", status="502 Bad Gateway"))
    error = await fault(client("https://api.example.com", proxy=wire.url))
    assert type(error) is Unreachable
    assert isinstance(error.__cause__, httpx.ProxyError)
    assert wire.heard[-1].head.startswith("CONNECT api.example.com:443 ")
    assert KEY not in wire.heard[-1].head


async def test_a_proxy_is_told_its_own_credentials_and_one_that_is_not_there_took_nothing(wire: Wire) -> None:
    named = wire.url.replace("http://", "http://someone:s3cret@")
    async with client("http://localhost:1", proxy=named) as api:
        assert await api.ask(PROJECT, TURNS) == "orders"
    told = base64.b64encode(b"someone:s3cret").decode()
    assert f"Proxy-Authorization: Basic {told}" in wire.heard[-1].head
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        gone = f"http://someone:s3cret@127.0.0.1:{nobody.getsockname()[1]}"
        error = await fault(client("https://api.example.com", proxy=gone))
    assert type(error) is Unreachable
    assert isinstance(error.__cause__, httpx.ProxyError)
    assert "s3cret" not in str(error)


# What may have arrived

LOST = {
    "closed after the request": says_and_closes(b""),
    "reset after the request": resets,
    "silence": is_silent,
    "half a status line": says_and_closes(b"HTTP/1.1 20"),
    "half a head": says_and_closes(OPEN_ENDED),
    "half a head, then silence": says(OPEN_ENDED),
    "endless headers": says_forever(OPEN_ENDED, b"X-Filler: " + b"x" * 9000 + b"\r\n"),
    "endless headers, slowly": says_forever(OPEN_ENDED, b"X: y\r\n", 0.01),
    "endless hints": says_forever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.001),
    "another protocol": says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    "not HTTP": says_and_closes(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "a 200 cut short": says_and_closes(response()[:-5]),
    "a 200 without a body": says_and_closes(response()[: -len(ANSWER)]),
    "a 200 cut between chunks": says_and_closes(OPEN_ENDED + b"\r\n5\r\n" + ANSWER[:5] + b"\r\n"),
    "a 200 with broken chunks": says_and_closes(OPEN_ENDED + b"\r\nzz\r\n"),
    "a 200 dripping": says_forever(OPEN_ENDED + b"\r\n", b"1\r\n \r\n", 0.01),
    "a 200 stopping half-way": says(response()[:-5]),
}


@pytest.mark.parametrize("act", LOST.values(), ids=LOST.keys())
async def test_a_question_whose_answer_is_lost_may_have_been_charged(wire: Wire, act: Act) -> None:
    wire.act = act
    error = await fault(client(wire.url, total_timeout=0.4))
    assert type(error) is OutcomeUnknown
    assert isinstance(error.__cause__, (httpx.TransportError, TimeoutError))
    assert len(wire.heard) == 1  # no hidden second try
    await wire.until(lambda: wire.open == 0)


async def test_a_reset_before_anything_was_read_is_called_by_what_is_known(wire: Wire) -> None:
    wire.greet = resets
    assert type(await fault(client(wire.url))) in {Unreachable, OutcomeUnknown}
    assert wire.connections == 1


async def test_a_question_that_is_never_read_may_have_been_taken(wire: Wire) -> None:
    wire.greet = is_deaf
    async with client(wire.url, total_timeout=0.4) as api:
        with pytest.raises(OutcomeUnknown):
            await api.ask(PROJECT, [Turn(Role.USER, AuthorId("U1"), "x" * 20 * MIB)])


async def test_a_connection_closed_while_idle_is_not_used_again(wire: Wire) -> None:
    async with client(wire.url) as api:
        wire.act = says_and_closes(response())  # without a "Connection: close"
        await api.ask(PROJECT, TURNS)
        await wire.until(lambda: wire.open == 0)
        assert await api.ask(PROJECT, TURNS) == "orders"
    assert wire.connections == 2


async def test_what_comes_unasked_on_an_idle_connection_is_nobodys_answer(wire: Wire) -> None:
    """It would be the next question's, which may be another workspace's."""
    wire.act, spoken = says_more_than_was_asked(response(), response(ANSWER.replace(b"orders", b"stray")))
    async with client(wire.url) as api:
        assert await api.ask(PROJECT, TURNS) == "orders"
        await spoken.wait()
        assert await api.ask(PROJECT, TURNS) == "orders"
    assert wire.connections == 2


# What did arrive, and was answered

REPLIES = {
    "a bad gateway's page": (
        says(response(b"<html>", status="502 Bad Gateway", kind="text/html")),
        Unavailable,
    ),
    "no content": (says(b"HTTP/1.1 204 No Content\r\n\r\n"), BrokenAnswer),
    "a page": (says(response(b"<html>orders</html>", kind="text/html")), BrokenAnswer),
    "half of a document": (says(response(ANSWER[:-4])), BrokenAnswer),
    "a redirect": (
        says(response(b"", "Location: http://127.0.0.1:1/", status="307 Temporary Redirect")),
        EndpointMisplaced,
    ),
    "a page that is not found": (
        says(response(b"<html>", status="404 Not Found", kind="text/html")),
        EndpointMisplaced,
    ),
    "a refused key, packed": (
        says(response(b"??", "Content-Encoding: br", status="401 Unauthorized")),
        KeyRefused,
    ),
    "a 503 cut short": (
        says_and_closes(response(b"{", status="503 Service Unavailable")[:-1]),
        Unavailable,
    ),
    "a huge 500": (says_forever(b"HTTP/1.1 500 Oh\r\n\r\n", b"x" * 65536), Unavailable),
    "an early refusal of the key": (says_and_closes(response(b"", status="403 Forbidden")), KeyRefused),
}


@pytest.mark.parametrize(("act", "kind"), REPLIES.values(), ids=REPLIES.keys())
async def test_a_reply_means_what_its_status_says(wire: Wire, act: Act, kind: type[ThreadlineError]) -> None:
    wire.act = act
    assert type(await fault(client(wire.url))) is kind
    assert len(wire.heard) == 1


async def test_an_error_that_never_ends_is_cut_at_the_deadline_and_called_by_its_status(wire: Wire) -> None:
    wire.act = says_forever(b"HTTP/1.1 500 Oh\r\n\r\n", b"<p>", 0.01)
    assert type(await fault(client(wire.url, total_timeout=0.5))) is Unavailable
    await wire.until(lambda: wire.open == 0)


async def test_a_rate_limit_tells_how_long_to_wait(wire: Wire) -> None:
    limited = b'{"status":429,"code":"rate_limited","message":"Too many requests","retryAfter":60}'
    wire.act = says(response(limited, "Retry-After: 90", status="429 Too Many Requests"))
    error = await fault(client(wire.url))
    assert isinstance(error, RateLimited)
    assert error.retry_after is not None
    assert error.retry_after.total_seconds() == 90


async def test_an_error_that_quotes_key_and_question_is_cleaned(wire: Wire) -> None:
    quoting = json.dumps({"code": "bad_request", "message": f"{KEY} asked {QUESTION}"}).encode()
    wire.act = says(response(quoting, status="400 Bad Request"))
    assert str(await fault(client(wire.url))) == "status 400 · bad_request · […] asked […]"
