"""The front door for Slack's requests: what is not Slack's is turned away, and nothing makes it fall over."""

import asyncio
import json
import time
from itertools import product
from typing import Any
from urllib.parse import quote

from bots.slack.http import PATH
from bots.slack.stop_button import STOP
from tests.fixtures.signed import FORM, JSON, SECRET, sealed, send
from tests.fixtures.walk import Walk

MENTION = {
    "type": "event_callback",
    "team_id": "T0DEMO01",
    "event_id": "Ev0001",
    "event": {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.000001", "text": "hi"},
}
RAW = json.dumps(MENTION).encode()


async def test_what_is_not_signed_by_slack_gets_401_whatever_its_fault(town: Walk) -> None:
    now = int(time.time())
    forged: list[dict[str, str]] = [
        {},
        sealed(RAW, secret="guessed"),
        sealed(RAW, signature="v0="),
        sealed(RAW, signature="v0=é"),
        sealed(RAW + b" "),
        sealed(RAW, timestamp=str(now - 400)),
        sealed(RAW, timestamp=str(now + 400)),
        sealed(RAW, timestamp="soon"),
        sealed(RAW, timestamp="1.5"),
        sealed(RAW, timestamp="-1"),
        sealed(RAW, timestamp="٣"),
        sealed(RAW, timestamp="9" * 400),
        {"X-Slack-Request-Timestamp": str(now)},
        {"X-Slack-Signature": "v0=0"},
    ]
    async with town.run() as threadline:
        for headers in forged:
            status, _ = await send(threadline.url + PATH, RAW, headers=headers)
            assert status == 401, headers
    assert town.states() == []
    assert town.calls("chat.postMessage") == []


async def test_garbage_without_a_signature_gets_401(town: Walk) -> None:
    garbage = [b"", b"{", b"[1]", b"payload={", b"payload=[1]", b"\xff\xfe{", b'"x"', b"null"]
    async with town.run() as threadline:
        for raw, kind in product(garbage, [JSON, FORM, "text/plain", ""]):
            for headers in ({}, sealed(b"other")):
                assert (await send(threadline.url + PATH, raw, headers=headers, kind=kind))[0] == 401, raw


async def test_what_slack_signs_is_never_a_reason_to_fall_over(town: Walk) -> None:
    """What it sends in another shape would only be sent again if we answered 500."""
    shapes = [
        b"{",
        b"[1]",
        b'"x"',
        b"null",
        b"7",
        b"[" * 100_000,
        b"payload={",
        b"payload=[1]",
        b'{"type": "event_callback"}',
        b'{"type": "event_callback", "event": null}',
        b'{"type": "event_callback", "event": []}',
        b'{"type": "event_callback", "event": "message"}',
        b'{"type": "event_callback", "event": {"type": "message"}}',
        b'{"type": "event_callback", "event": {"type": "app_mention", "text": "hi"}}',
        b'{"type": "event_callback", "event": {"type": ["message"]}}',
        b'{"type": "event_callback", "authorizations": 5, "event": {"type": "message"}}',
        b'{"type": "event_callback", "team_id": 7, "event": {"type": "message", "user": {}, "ts": 1}}',
        b'{"type": "event_callback", "team_id": "T1", "event": {"type": "message", "user": 5}}',
        b'{"type": "event_callback", "team_id": "T1", "event": {"type": "message", "message": {"user": 5}}}',
        b'{"type": "event_callback", "team_id": "T1",'
        b' "event": {"type": "message", "previous_message": {"user": []}}}',
        b'{"type": "event_callback", "event_id": "E1", "team_id": "T1", "event": {"type": "message",'
        b' "subtype": "message_changed", "message": 7, "previous_message": [], "channel": {}, "ts": []}}',
        b'{"type": "event_callback", "event_id": "E1", "team_id": "T1", "event": {"type": "message",'
        b' "subtype": "message_deleted", "deleted_ts": {}, "channel": 5}}',
        b'{"type": "event_callback", "event_id": "E1", "team_id": 5, "event": {"type": "app_uninstalled"}}',
        b'{"type": "event_callback", "event_id": "E1", "team_id": "T1",'
        b' "event": {"type": "tokens_revoked", "tokens": []}}',
        b"payload=" + quote(json.dumps({"type": "block_actions", "actions": [{"action_id": STOP}]})).encode(),
        b"payload=" + quote(json.dumps({"type": "block_actions", "actions": []})).encode(),
        b"command=/threadline",
        b"command=/threadline&text=link",
    ]
    async with town.run() as threadline:
        for raw in shapes:
            kind = JSON if raw[:1] in b'{["n7' else FORM
            status, _ = await send(threadline.url + PATH, raw, kind=kind)
            assert status in {200, 400, 404}, raw
        assert (await send(threadline.url + PATH, MENTION))[0] == 200


async def test_an_event_we_did_not_ask_for_is_acknowledged(town: Walk) -> None:
    body: dict[str, Any] = {**MENTION, "event": {"type": "star_added", "user": "U1"}}
    async with town.run() as threadline:
        assert (await send(threadline.url + PATH, body))[0] == 200
        town.workspace.subscriptions.add("app_home_opened")  # as an app with another manifest does
        await town.workspace.open_home(town.ana)
        await town.workspace.until(lambda: town.workspace.deliveries)
    assert [delivery.status for delivery in town.workspace.deliveries] == [200]


async def test_slack_can_check_the_address(town: Walk) -> None:
    async with town.run() as threadline:
        assert await town.slack.verify_url()
        assert (await send(threadline.url + PATH, b"ssl_check=1&token=x", kind=FORM))[0] == 200
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            assert (await send(threadline.url + PATH, b"", method=method))[0] == 405
        assert (await send(threadline.url + "/elsewhere", MENTION))[0] == 404


async def test_a_huge_request_is_turned_away_unread(town: Walk) -> None:
    async with town.run() as threadline:
        url = threadline.url
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-Slack-Request-Timestamp: 1\r\n".encode())
        writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            writer.write(b"10000\r\n" + b"a" * 65536 + b"\r\n")
        assert (await reader.readline()).split()[1] == b"413"
        writer.close()


async def test_the_secret_is_in_no_answer(town: Walk) -> None:
    async with town.run() as threadline:
        for headers in ({}, sealed(RAW)):
            assert SECRET not in (await send(threadline.url + PATH, RAW, headers=headers))[1]
