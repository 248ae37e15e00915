"""What a failed call to Discord means: real calls by discord.py to a server that says anything at all."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import discord
import pytest
import pytest_asyncio

from bots.discord.calls import Refused, TicketSpent, calling
from bots.discord.client import ThreadlineClient, pointed_at
from core.clock import SystemClock
from core.errors import (
    AccountRefused,
    OutcomeUnknown,
    PostRefused,
    RateLimited,
    ThreadlineError,
    Unreachable,
)
from tests.fixtures.wire import (
    Act,
    Wire,
    is_silent,
    resets,
    response,
    says,
    says_and_closes,
    says_more_than_was_asked,
)

TOKEN = "canary.bot.token"
ME = {"id": "1", "username": "threadline", "discriminator": "0", "avatar": None, "bot": True}
VIA = "Via: 1.1 google"


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire.running() as server:
        yield server


@asynccontextmanager
async def logged_in(wire: Wire) -> AsyncIterator[discord.Client]:
    """A client whose token Discord has accepted."""
    wire.act = says(response(json.dumps(ME).encode()))
    with pointed_at(f"{wire.url}/api/v10", None):
        async with ThreadlineClient(SystemClock(), message_content=False, proxy=None) as client:
            await client.http.static_login(TOKEN)
            yield client


async def failure(wire: Wire, act: Act, seconds: float = 5) -> ThreadlineError:
    async with logged_in(wire) as client:
        wire.act = act
        return await failure_of(client, seconds)


async def failure_of(client: discord.Client, seconds: float = 5) -> ThreadlineError:
    with pytest.raises(ThreadlineError) as raised:
        async with calling(seconds):
            await client.http.send_typing(1)
    assert TOKEN not in str(raised.value)
    return raised.value


def refused(status: str, code: int, *headers: str, message: str = "no") -> Act:
    return says(response(json.dumps({"code": code, "message": message}).encode(), *headers, status=status))


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        ("401 Unauthorized", 0, AccountRefused),
        ("401 Unauthorized", 50027, TicketSpent),
        ("404 Not Found", 10015, TicketSpent),
        ("404 Not Found", 10062, TicketSpent),
        ("400 Bad Request", 50035, Refused),
        ("400 Bad Request", 50083, Refused),
        ("400 Bad Request", 160004, Refused),
        ("400 Bad Request", 160005, Refused),
        ("400 Bad Request", 160006, Refused),
        ("403 Forbidden", 50001, Refused),
        ("403 Forbidden", 50007, Refused),
        ("403 Forbidden", 50013, Refused),
        ("404 Not Found", 10003, Refused),
        ("404 Not Found", 0, Refused),
        ("405 Method Not Allowed", 0, Refused),
        ("413 Payload Too Large", 40005, Refused),
        ("501 Not Implemented", 0, OutcomeUnknown),
        ("503 Service Unavailable", 0, OutcomeUnknown),
        ("520 Unknown", 0, OutcomeUnknown),
    ],
)
async def test_each_refusal_means_what_we_may_do_about_it(
    wire: Wire, status: str, code: int, meaning: type[ThreadlineError]
) -> None:
    error = await failure(wire, refused(status, code))
    assert type(error) is meaning
    if isinstance(error, Refused):
        assert error.code == code
        assert isinstance(error, PostRefused)
    assert len(wire.heard) == 2


async def test_a_refusal_is_told_in_one_line_of_reasonable_length(wire: Wire) -> None:
    error = await failure(wire, refused("400 Bad Request", 50035, message="a" * 500 + "\nand more"))
    assert str(error) == f"Discord refused (400, 50035: {'a' * 200})"


@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
async def test_a_page_in_place_of_a_reply_is_a_refusal_without_a_code(wire: Wire, kind: str) -> None:
    page = response(b"<html>forbidden</html>", status="403 Forbidden", kind=kind)
    error = await failure(wire, says(page))
    assert isinstance(error, Refused)
    assert error.code == 0


@pytest.mark.parametrize("status", ["500 Internal Server Error", "502 Bad Gateway", "504 Gateway Timeout"])
async def test_a_server_that_goes_on_failing_may_have_done_it(wire: Wire, status: str) -> None:
    error = await failure(wire, refused(status, 0), seconds=0.3)
    assert type(error) is OutcomeUnknown


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("30", timedelta(seconds=30)),
        ("0", timedelta()),
        ("-5", timedelta()),
        ("1.5", timedelta(seconds=2)),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("9" * 40, None),
    ],
)
async def test_a_ban_by_the_proxy_names_its_wait_or_none(
    wire: Wire, said: str, wait: timedelta | None
) -> None:
    act = refused("429 Too Many Requests", 0, f"Retry-After: {said}")
    error = await failure(wire, act)
    assert isinstance(error, RateLimited)
    assert error.retry_after == wait
    assert len(wire.heard) == 2


async def test_a_429_without_json_or_header_is_still_one(wire: Wire) -> None:
    page = response(b"<html>slow down</html>", VIA, status="429 Too Many Requests", kind="text/html")
    error = await failure(wire, says(page))
    assert isinstance(error, RateLimited)
    assert error.retry_after is None


@pytest.mark.parametrize(("said", "wait"), [(45, 45), (30.2, 31), (86_400, 86_400)])
async def test_a_long_wait_is_the_queues_and_not_slept_here(wire: Wire, said: float, wait: int) -> None:
    body = json.dumps({"message": "slow down", "retry_after": said, "global": False}).encode()
    error = await failure(wire, says(response(body, VIA, status="429 Too Many Requests")))
    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(seconds=wait)
    assert len(wire.heard) == 2


async def test_a_short_wait_is_sat_out_and_the_call_is_made_again(wire: Wire) -> None:
    body = json.dumps({"message": "slow down", "retry_after": 0.01, "global": False}).encode()
    limited = response(body, VIA, status="429 Too Many Requests")
    replies = [limited, response(b"", status="204 No Content", kind="text/plain")]

    async def act(writer: asyncio.StreamWriter) -> None:
        await says(replies.pop(0))(writer)

    async with logged_in(wire) as client:
        wire.act = act
        async with calling(5):
            await client.http.send_typing(1)
    assert replies == []


async def test_a_discord_that_is_silent_is_not_waited_for_for_ever(wire: Wire) -> None:
    error = await failure(wire, is_silent, seconds=0.05)
    assert type(error) is OutcomeUnknown


async def test_a_connection_that_breaks_leaves_the_outcome_unknown(wire: Wire) -> None:
    assert type(await failure(wire, resets)) is OutcomeUnknown
    assert type(await failure(wire, says_and_closes(b"HTTP/1.1 200 OK\r\nContent-"))) is OutcomeUnknown


async def test_a_server_that_is_not_there_has_seen_nothing(wire: Wire) -> None:
    async with Wire.running() as gone:
        url = gone.url
    async with logged_in(wire) as client:
        with pointed_at(url, None):
            assert type(await failure_of(client)) is Unreachable


async def test_a_channel_of_a_type_that_came_after_discord_py_is_a_refusal(wire: Wire) -> None:
    async with logged_in(wire) as client:
        wire.act = says(response(json.dumps({"id": "1", "type": 99}).encode()))
        with pytest.raises(Refused, match="Unknown channel type 99"):
            async with calling():
                await client.fetch_channel(1)


@pytest.mark.parametrize(
    ("raised", "meaning"),
    [
        (discord.LoginFailure("no"), AccountRefused),
        (discord.ClientException("no"), OutcomeUnknown),
    ],
)
async def test_whatever_else_discord_py_raises_is_one_of_cores_errors(
    raised: discord.DiscordException, meaning: type[ThreadlineError]
) -> None:
    with pytest.raises(meaning):
        async with calling():
            raise raised


async def test_what_is_none_of_discords_errors_passes_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with calling():
            raise ZeroDivisionError
    with pytest.raises(RateLimited):
        async with calling():
            raise RateLimited
    with pytest.raises(asyncio.CancelledError):
        async with calling():
            raise asyncio.CancelledError


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "429 Too Many Requests"])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe"])
async def test_an_unreadable_reply_is_one_of_cores_errors(wire: Wire, status: str, body: bytes) -> None:
    error = await failure(wire, says(response(body, VIA, status=status)))
    assert isinstance(error, OutcomeUnknown | PostRefused | RateLimited)


@pytest.mark.parametrize("body", [b"{}", b'{"retry_after": null}', b'{"retry_after": "soon"}'])
async def test_a_429_that_names_no_wait_is_one_of_cores_errors(wire: Wire, body: bytes) -> None:
    error = await failure(wire, says(response(body, VIA, status="429 Too Many Requests")))
    assert isinstance(error, OutcomeUnknown | RateLimited)


@pytest.mark.parametrize("wait", [b"1e300", b"Infinity"])
async def test_a_wait_without_end_is_a_rate_limit_all_the_same(wire: Wire, wait: bytes) -> None:
    body = b'{"retry_after": %s}' % wait
    error = await failure(wire, says(response(body, VIA, status="429 Too Many Requests")))
    assert isinstance(error, RateLimited)
    assert error.retry_after is None


async def test_what_comes_unasked_on_an_idle_connection_is_not_the_next_calls_answer(wire: Wire) -> None:
    mine, stray = (json.dumps({**ME, "username": name}).encode() for name in ("threadline", "stray"))
    async with logged_in(wire) as client:
        before = wire.connections
        wire.act, spoken = says_more_than_was_asked(response(mine), response(stray))
        assert (await client.http.get_user(1))["username"] == "threadline"
        await spoken.wait()
        assert (await client.http.get_user(1))["username"] == "threadline"
        assert wire.connections == before + 1
