"""What a failed call to Slack means: real calls by slack_sdk to a server that says anything at all."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from bots.slack.access import web_client
from bots.slack.calls import Forbidden, TokenWatch, Unshowable, translated
from core.errors import (
    AccountRefused,
    OutcomeUnknown,
    PostRefused,
    RateLimited,
    ThreadlineError,
    Unavailable,
    Unreachable,
)
from tests.fixtures.wire import Act, Wire, resets, response, says, says_and_closes, says_more_than_was_asked


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire.running() as server:
        yield server


async def failure(wire: Wire, act: Act) -> ThreadlineError:
    wire.act = act
    return await failure_at(wire.url)


async def failure_at(url: str) -> ThreadlineError:
    async with web_client("xoxb-canary", f"{url}/api/") as client:
        with pytest.raises(ThreadlineError) as raised, translated():
            await client.chat_postMessage(channel="C1", text="hello")
    assert "xoxb-canary" not in str(raised.value)
    return raised.value


def refused(code: object, *headers: str, status: str = "200 OK") -> Act:
    return says(response(json.dumps({"ok": False, "error": code}).encode(), *headers, status=status))


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("invalid_auth", AccountRefused),
        ("token_revoked", AccountRefused),
        ("account_inactive", AccountRefused),
        ("service_unavailable", Unavailable),
        ("internal_error", OutcomeUnknown),
        ("fatal_error", OutcomeUnknown),
        ("request_timeout", OutcomeUnknown),
        ("", OutcomeUnknown),
        ("missing_scope", Forbidden),
        ("invalid_blocks", Unshowable),
        ("msg_blocks_too_long", Unshowable),
        ("msg_too_long", Unshowable),
        ("not_in_channel", PostRefused),
        ("is_archived", PostRefused),
        ("channel_not_found", PostRefused),
        ("restricted_action", PostRefused),
        ("something_new", PostRefused),
        ("ratelimited", RateLimited),
    ],
)
async def test_each_code_means_what_we_may_do_about_it(
    wire: Wire, code: str, meaning: type[ThreadlineError]
) -> None:
    assert type(await failure(wire, refused(code))) is meaning


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
async def test_a_429_names_its_wait_or_none(wire: Wire, said: str, wait: timedelta | None) -> None:
    act = refused("ratelimited", f"Retry-After: {said}", status="429 Too Many Requests")
    error = await failure(wire, act)
    assert isinstance(error, RateLimited)
    assert error.retry_after == wait


async def test_a_429_without_json_or_header_is_still_one(wire: Wire) -> None:
    page = response(b"<html>slow down</html>", status="429 Too Many Requests", kind="text/html")
    error = await failure(wire, says(page))
    assert isinstance(error, RateLimited)
    assert error.retry_after is None


@pytest.mark.parametrize("status", ["500 Internal Server Error", "502 Bad Gateway", "503 Unavailable"])
@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/json"])
async def test_a_broken_server_may_have_posted(wire: Wire, status: str, kind: str) -> None:
    page = response(b"<html>oh dear</html>", status=status, kind=kind)
    assert type(await failure(wire, says(page))) is OutcomeUnknown


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/json"])
@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b"null", b'"ok"', b"\xff\xfe", b"{", b"{}"])
async def test_a_reply_that_says_nothing_leaves_the_outcome_unknown(
    wire: Wire, body: bytes, kind: str
) -> None:
    assert type(await failure(wire, says(response(body, kind=kind)))) is OutcomeUnknown


@pytest.mark.parametrize("code", [None, 7, ["x"]])
async def test_a_code_that_is_no_text_is_a_refusal_or_unknown(wire: Wire, code: object) -> None:
    assert isinstance(await failure(wire, refused(code)), OutcomeUnknown | PostRefused)


async def test_a_connection_that_breaks_leaves_the_outcome_unknown(wire: Wire) -> None:
    assert type(await failure(wire, resets)) is OutcomeUnknown
    assert type(await failure(wire, says_and_closes(b"HTTP/1.1 200 OK\r\nContent-"))) is OutcomeUnknown


async def test_a_server_that_is_not_there_has_seen_nothing() -> None:
    async with Wire.running() as gone:
        url = gone.url
    assert type(await failure_at(url)) is Unreachable


async def test_a_refused_token_is_an_alert_once_until_it_is_accepted_again() -> None:
    watch, alerts = TokenWatch(), []
    async with Wire.running() as wire, web_client("xoxb-canary", f"{wire.url}/api/") as client:
        for code in ("token_revoked", "invalid_auth", "ratelimited", "token_revoked", "", "token_revoked"):
            wire.act = refused(code) if code else says(response(b'{"ok": true, "ts": "1.000000"}'))
            with capture_logs() as logs, suppress(ThreadlineError), watch.translated():
                await client.chat_postMessage(channel="C1", text="hello")
            alerts.append([line["log_level"] for line in logs])
            assert "xoxb-canary" not in str(logs)
    assert alerts == [["error"], [], [], [], [], ["error"]]


async def test_nothing_is_sent_twice_by_the_sdk(wire: Wire) -> None:
    await failure(wire, resets)
    assert len(wire.heard) == 1


async def test_what_comes_unasked_on_an_idle_connection_is_not_the_next_calls_answer(wire: Wire) -> None:
    """A second reply, of another workspace perhaps, would say where the next message stands."""
    mine, stray = (json.dumps({"ok": True, "ts": ts}).encode() for ts in ("1.000001", "9.000009"))
    wire.act, spoken = says_more_than_was_asked(response(mine), response(stray))
    async with web_client("xoxb-canary", f"{wire.url}/api/") as client:
        first = await client.chat_postMessage(channel="C1", text="hello")
        await spoken.wait()
        second = await client.chat_postMessage(channel="C1", text="hello again")
    assert (first["ts"], second["ts"]) == ("1.000001", "1.000001")
    assert wire.connections == 2
