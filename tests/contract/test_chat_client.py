"""The chat client over a real wire: what it sends, and many questions at once."""

import asyncio
import json
from collections.abc import AsyncIterator
from importlib.metadata import version

import pytest
import pytest_asyncio

from core.clock import SystemClock
from core.errors import EndpointMisplaced, InvalidProjectId, KeyRefused
from core.model import AuthorId, ProjectId, Role, Turn
from core.ports import ChatApi
from core.project_api import HttpChatApi
from tests.fixtures.chat_client import KEY, PROJECT, QUESTION, TURNS, client
from tests.fixtures.wire import ANSWER, Act, Wire, is_silent, response, says


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire.running() as wire:
        yield wire


async def test_a_question_goes_out_exactly_as_the_contract_says(wire: Wire) -> None:
    turns = [*TURNS, Turn(Role.ASSISTANT, None, "orders"), Turn(Role.USER, AuthorId("U2"), "Über \ud83d?")]
    async with client(f"{wire.url}/prefix/") as api:
        port: ChatApi = api
        assert await port.ask(PROJECT, turns) == "orders"
    [heard] = wire.heard
    line, *fields = heard.head.strip().split("\r\n")
    assert line == "POST /prefix/v1/projects/my-project-a1b2c/ai/chat HTTP/1.1"
    assert dict(field.split(": ", 1) for field in fields) == {
        "Host": wire.url.removeprefix("http://"),
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/json",
        "User-Agent": f"threadline/{version('threadline')}",
        "Content-Length": str(len(heard.body)),
    }
    assert json.loads(heard.body) == {
        "messages": [
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": "orders"},
            {"role": "user", "content": "Über ??"},
        ]
    }


async def test_a_connection_is_used_again_but_no_cookie_is_kept(wire: Wire) -> None:
    wire.act = says(response(ANSWER, "Set-Cookie: seen=1; Path=/"))
    async with client(wire.url) as api:
        for _ in range(3):
            await api.ask(PROJECT, TURNS)
    assert wire.connections == 1
    assert not any("cookie" in heard.head.lower() for heard in wire.heard)


async def test_the_environment_cannot_send_the_key_elsewhere(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with client(wire.url) as api:
        assert await api.ask(PROJECT, TURNS) == "orders"


async def test_nothing_is_sent_for_what_is_no_project_id(wire: Wire) -> None:
    async with client(wire.url) as api:
        with pytest.raises(InvalidProjectId):
            await api.ask(ProjectId("../../admin"), TURNS)
    assert wire.heard == []


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel", "nul\0"])
def test_a_key_that_no_header_can_carry_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        HttpChatApi(base_url="https://api.example.com", api_key=key, concurrency=1, clock=SystemClock())
    assert not key or key not in str(refused.value)


def test_a_client_that_could_never_ask_is_not_built() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        client("https://api.example.com", concurrency=0)
    with pytest.raises(EndpointMisplaced):
        client("http://api.example.com")


# Many at once


@pytest.mark.parametrize(("concurrency", "asks"), [(1, 3), (8, 20), (20, 40)])
async def test_no_more_questions_are_out_than_allowed_and_the_others_wait(
    wire: Wire, concurrency: int, asks: int
) -> None:
    gate = asyncio.Event()

    async def waits(writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        writer.write(response())

    wire.act = waits
    async with client(wire.url, concurrency=concurrency) as api, asyncio.TaskGroup() as asking:
        answers = [asking.create_task(api.ask(PROJECT, TURNS)) for _ in range(asks)]
        await wire.until_heard(concurrency)
        assert wire.open == concurrency
        gate.set()
    assert [answer.result() for answer in answers] == ["orders"] * asks
    assert wire.most_open == concurrency
    assert wire.connections == concurrency


async def test_waiting_for_ones_turn_is_no_timeout(wire: Wire) -> None:
    async def takes_a_while(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.25)  # the time-out is aiohttp's, whose clock is the loop's
        writer.write(response())

    wire.act = takes_a_while
    async with client(wire.url, concurrency=1, total_timeout=0.7) as api:
        assert await asyncio.gather(*(api.ask(PROJECT, TURNS) for _ in range(4))) == ["orders"] * 4


@pytest.mark.parametrize("act", [is_silent, says(response()[:-5])], ids=["before the reply", "amid the body"])
async def test_a_cancelled_question_leaves_no_connection_and_a_usable_client(wire: Wire, act: Act) -> None:
    async with client(wire.url, concurrency=1) as api:
        for number in range(1, 4):
            wire.act = act
            asked = asyncio.create_task(api.ask(PROJECT, TURNS))
            queued = asyncio.create_task(api.ask(PROJECT, TURNS))
            await wire.until_heard(number)
            for task in (queued, asked):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await wire.until(lambda: wire.open == 0)
        wire.act = says(response())
        assert await api.ask(PROJECT, TURNS) == "orders"
        assert wire.open == 1
    await wire.until(lambda: wire.open == 0)


async def test_a_question_cancelled_in_the_tls_handshake_leaves_no_connection(wire: Wire) -> None:
    wire.greet = is_silent
    async with client(wire.url.replace("http", "https"), concurrency=1) as api:
        asked = asyncio.create_task(api.ask(PROJECT, TURNS))
        await wire.until(lambda: wire.open == 1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await wire.until(lambda: wire.open == 0)
