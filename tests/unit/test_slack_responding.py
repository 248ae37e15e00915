"""Replies to commands and clicks: sent once, over the session that everything goes over."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from bots.bounded import MOST
from bots.slack.access import web_client
from bots.slack.responding import Responding
from core.errors import OutcomeUnknown
from tests.fixtures.wire import Act, Wire, resets, response, says


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire.running() as server:
        yield server


async def reply(wire: Wire) -> None:
    async with web_client("xoxb-canary", f"{wire.url}/api/") as client:
        await Responding(client)(f"{wire.url}/commands/1", text="linked", replace_original=None)


async def test_a_reply_is_for_one_person_and_carries_no_token(wire: Wire) -> None:
    wire.act = says(response(b"ok", kind="text/plain"))
    await reply(wire)
    (heard,) = wire.heard
    assert heard.body == b'{"text": "linked", "response_type": "ephemeral"}'
    assert "xoxb-canary" not in heard.head


@pytest.mark.parametrize("act", [resets, says(response(b"x" * (MOST + 1)))], ids=["reset", "endless"])
async def test_what_breaks_off_is_not_sent_again(wire: Wire, act: Act) -> None:
    wire.act = act
    with pytest.raises(OutcomeUnknown):
        await reply(wire)
    assert len(wire.heard) == 1


async def test_what_slack_will_not_show_is_said(wire: Wire) -> None:
    wire.act = says(response(b"used_url", status="404 Not Found", kind="text/plain"))
    with capture_logs() as logs:
        await reply(wire)
    assert [(line["event"], line["status"]) for line in logs] == [("reply not shown", 404)]
    assert len(wire.heard) == 1
