"""The simulated assistant over a real loopback socket: its contract, its faults, its clean end."""

import asyncio
import gzip
import heapq
import itertools
import json
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from bots.demo.assistant import AssistantServer, Cut, Outcome, ReceivedCall, demo_projects, faults
from core.clock import SystemClock

KEY = "demo-key"
SHOP = "/v1/projects/shop-demo-7f3k2/ai/chat"
QUESTION = {"messages": [{"role": "user", "content": "who publishes order.created?"}]}
ERROR_FIELDS = {"status", "code", "message"}


class SettableClock:
    """A clock that stands still until it is moved, and tells when somebody sleeps on it."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def wall(self, at: datetime) -> datetime:
        return at

    async def sleep(self, seconds: float) -> None:
        sleeper = (self._elapsed + seconds, next(self._order), asyncio.Event())
        heapq.heappush(self._sleepers, sleeper)
        self._changed.set()
        try:
            await sleeper[2].wait()
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    async def slept_on(self) -> None:
        """Return once somebody sleeps."""
        while not self._sleepers:
            self._changed.clear()
            await self._changed.wait()

    def move(self, seconds: float) -> None:
        self._elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            heapq.heappop(self._sleepers)[2].set()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest_asyncio.fixture
async def server(clock: SettableClock) -> AsyncIterator[AssistantServer]:
    async with AssistantServer(clock=clock, projects=demo_projects(), api_keys={KEY}) as running:
        yield running


@pytest_asyncio.fixture
async def client(server: AssistantServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=10) as ours:
        yield ours


async def ask(client: httpx.AsyncClient, text: str = "who publishes order.created?") -> httpx.Response:
    return await client.post(SHOP, json={"messages": [{"role": "user", "content": text}]})


def assert_error(response: httpx.Response, status: int, code: str) -> Any:
    content = response.json()
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert set(content) >= ERROR_FIELDS
    assert (content["status"], content["code"]) == (status, code)
    assert isinstance(content["message"], str)
    return content


def assert_answer(response: httpx.Response) -> str:
    content = response.json()
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert set(content) == {"message"}
    assert set(content["message"]) == {"role", "content"}
    assert content["message"]["role"] == "assistant"
    text = content["message"]["content"]
    assert isinstance(text, str)
    assert text.strip()
    return text


# The contract


async def test_an_answer_has_the_contracts_shape(client: httpx.AsyncClient) -> None:
    assert "**order-service**" in assert_answer(await ask(client))


async def test_it_is_found_in_the_messages_and_nowhere_else(client: httpx.AsyncClient) -> None:
    first = assert_answer(await ask(client, "Ana: who publishes order.created?"))
    history = [
        {"role": "user", "content": "Ana: who publishes order.created?"},
        {"role": "assistant", "content": first},
        {"role": "user", "content": "Ben: and who consumes it?"},
    ]
    assert "**billing**" in assert_answer(await client.post(SHOP, json={"messages": history}))
    assert "I don't know what **it**" in assert_answer(await ask(client, "Ben: and who consumes it?"))


async def test_each_project_knows_its_own(client: httpx.AsyncClient) -> None:
    question = {"messages": [{"role": "user", "content": "who consumes video.uploaded?"}]}
    response = await client.post("/v1/projects/media-demo-4p9x1/ai/chat", json=question)
    assert "**transcoder**" in assert_answer(response)
    assert "There is no `video.uploaded`" in assert_answer(await ask(client, "who consumes video.uploaded?"))


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Basic ZGVtbw==", "Bearer", "demo-key", ""])
async def test_a_missing_or_unknown_key_is_unauthorized(
    client: httpx.AsyncClient, authorization: str
) -> None:
    response = await client.post(SHOP, json=QUESTION, headers={"Authorization": authorization})
    assert_error(response, 401, "unauthorized")


@pytest.mark.parametrize("project", ["short", "Shop-Demo-7f3k2", "-shop-demo", "shop_demo_1", "a" * 61])
async def test_a_malformed_project_id_is_a_violation(client: httpx.AsyncClient, project: str) -> None:
    content = assert_error(
        await client.post(f"/v1/projects/{project}/ai/chat", json=QUESTION), 400, "validation_failed"
    )
    assert content["violations"][0]["field"] == "projectId"
    assert content["violations"][0]["rejectedValue"] == project


async def test_an_unknown_project_is_not_found(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/projects/other-demo-1/ai/chat", json=QUESTION)
    assert_error(response, 404, "project_not_found")


async def test_nothing_else_is_served_and_it_is_journalled(
    client: httpx.AsyncClient, server: AssistantServer
) -> None:
    assert_error(await client.post("/v1/projects", json={}), 404, "not_found")
    assert_error(await client.get(SHOP), 404, "not_found")
    assert [(call.method, call.path) for call in server.journal] == [("POST", "/v1/projects"), ("GET", SHOP)]


USER = {"role": "user", "content": "hello"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([USER], "body"),
        ({}, "body"),
        ({"messages": [USER], "stream": True}, "body"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [USER, {"role": "assistant", "content": "hi"}]}, "messages"),
        ({"messages": ["hello"]}, "messages[0]"),
        ({"messages": [{"role": "user"}]}, "messages[0]"),
        ({"messages": [{**USER, "name": "Ana"}]}, "messages[0]"),
        ({"messages": [{"role": "system", "content": "obey"}, USER]}, "messages[0].role"),
        ({"messages": [{"role": ["user"], "content": "hello"}]}, "messages[0].role"),
        ({"messages": [USER, {"role": "user", "content": " "}]}, "messages[1].content"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
    ],
)
async def test_a_body_that_breaks_the_contract_names_its_violation(
    client: httpx.AsyncClient, server: AssistantServer, body: object, field: str
) -> None:
    content = assert_error(await client.post(SHOP, json=body), 400, "validation_failed")
    assert [set(violation) for violation in content["violations"]] == [{"field", "message", "rejectedValue"}]
    assert content["violations"][0]["field"] == field
    assert (server.journal[0].outcome, server.journal[0].messages) == (Outcome.REFUSED, ())


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_no_json_is_a_violation(client: httpx.AsyncClient, raw: bytes) -> None:
    response = await client.post(SHOP, content=raw, headers={"Content-Type": "application/json"})
    assert_error(response, 400, "validation_failed")


async def test_a_body_must_be_called_json(client: httpx.AsyncClient) -> None:
    text = {"Content-Type": "text/plain"}
    content = assert_error(
        await client.post(SHOP, content=json.dumps(QUESTION), headers=text), 400, "validation_failed"
    )
    assert content["violations"][0]["field"] == "Content-Type"
    charset = {"Content-Type": "application/json; charset=utf-8"}
    assert_answer(await client.post(SHOP, content=json.dumps(QUESTION), headers=charset))


async def test_a_huge_request_is_refused_and_takes_no_place_in_the_journal(clock: SettableClock) -> None:
    async with (
        AssistantServer(clock=clock, projects=(), api_keys={KEY}, max_request_bytes=1000) as server,
        httpx.AsyncClient(base_url=server.url) as client,
    ):
        assert_error(await client.post(SHOP, content=b"x" * 2000), 413, "bad_request")
        assert server.journal == []


# The journal


async def test_the_journal_keeps_what_was_received(
    client: httpx.AsyncClient, server: AssistantServer, clock: SettableClock
) -> None:
    server.latency = 2.0
    asking = asyncio.create_task(ask(client, "who owns billing?"))
    await server.wait_for_calls(1)
    assert (server.in_flight, server.journal[0].outcome) == (1, Outcome.IN_FLIGHT)
    await clock.slept_on()
    clock.move(2.0)
    assert_answer(await asking)
    call = server.journal[0]
    assert isinstance(call, ReceivedCall)
    assert (call.project, call.key, call.status) == ("shop-demo-7f3k2", KEY, 200)
    assert call.messages == (("user", "who owns billing?"),)
    assert json.loads(call.raw) == {"messages": [{"role": "user", "content": "who owns billing?"}]}
    assert call.headers["content-type"] == "application/json"
    assert "authorization" not in call.headers
    assert call.finished_at == call.started_at + timedelta(seconds=2)
    assert (server.in_flight, call.outcome) == (0, Outcome.ANSWERED)
    assert KEY not in repr(call)


async def test_waiting_for_calls_ends_with_the_last_of_them(
    client: httpx.AsyncClient, server: AssistantServer
) -> None:
    waiting = asyncio.create_task(server.wait_for_calls(2))
    await ask(client)
    assert not waiting.done()
    await ask(client)
    await waiting
    await server.wait_for_finished(2)


async def test_a_client_that_goes_away_is_noticed(client: httpx.AsyncClient, server: AssistantServer) -> None:
    server.faults.add(faults.hold())
    asking = asyncio.create_task(ask(client))
    await server.wait_for_calls(1)
    asking.cancel()
    await server.wait_for_finished(1)
    assert (server.in_flight, server.journal[0].outcome) == (0, Outcome.ABANDONED)
    assert_answer(await ask(client))


# Faults


async def test_faults_are_met_in_order_once_each(client: httpx.AsyncClient, server: AssistantServer) -> None:
    server.faults.add(faults.status(500), faults.rate_limited("7"))
    assert len(server.faults) == 2
    assert_error(await ask(client), 500, "internal_error")
    assert_error(await ask(client), 429, "rate_limited")
    assert_answer(await ask(client))
    outcomes = [call.outcome for call in server.journal]
    assert outcomes == [Outcome.FAULTED, Outcome.RATE_LIMITED, Outcome.ANSWERED]
    server.faults.add(faults.status(500))
    server.faults.clear()
    assert_answer(await ask(client))


async def test_latency_is_the_clocks_and_may_end_in_another_fault(
    client: httpx.AsyncClient, server: AssistantServer, clock: SettableClock
) -> None:
    server.faults.add(faults.latency(30), faults.latency(30, faults.status(503)))
    for expected in (200, 503):
        asking = asyncio.create_task(ask(client))
        await clock.slept_on()
        clock.move(29)
        assert server.in_flight == 1
        clock.move(1)
        assert (await asking).status_code == expected


@pytest.mark.parametrize("header", ["60", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "soon", None])
async def test_retry_after_is_sent_verbatim_or_not_at_all(
    client: httpx.AsyncClient, server: AssistantServer, header: str | None
) -> None:
    server.faults.add(faults.rate_limited(header))
    response = await ask(client)
    assert_error(response, 429, "rate_limited")
    assert response.headers.get("retry-after") == header
    assert "retryAfter" not in response.json()


@pytest.mark.parametrize("value", [60, "60", None, -3, {"seconds": 1}])
async def test_the_bodys_retry_after_may_be_anything(
    client: httpx.AsyncClient, server: AssistantServer, value: object
) -> None:
    server.faults.add(faults.rate_limited(None, value))
    assert (await ask(client)).json()["retryAfter"] == value


async def test_statuses_with_a_code_a_body_or_a_page(
    client: httpx.AsyncClient, server: AssistantServer
) -> None:
    server.faults.add(
        faults.status(402, code="insufficient_ai_credits", details="None left"),
        faults.status(403),
        faults.status(500, body=b"oops"),
        faults.status(502, html=True),
        faults.status(504, html=True, body=b"<p>late</p>"),
    )
    assert assert_error(await ask(client), 402, "insufficient_ai_credits")["details"] == "None left"
    assert_error(await ask(client), 403, "forbidden")
    assert (await ask(client)).content == b"oops"
    page = await ask(client)
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
    assert "<h1>Bad Gateway</h1>" in page.text
    assert (await ask(client)).text == "<p>late</p>"


async def test_answers_that_are_no_json(client: httpx.AsyncClient, server: AssistantServer) -> None:
    server.faults.add(faults.truncated_json(), faults.not_json())
    for _ in range(2):
        response = await ask(client)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        with pytest.raises(json.JSONDecodeError):
            response.json()


async def test_answers_of_the_wrong_kind(client: httpx.AsyncClient, server: AssistantServer) -> None:
    server.faults.add(
        faults.wrong_content_type(), faults.empty_body(), faults.wrong_role(), faults.blank_content()
    )
    other = await ask(client)
    assert other.headers["content-type"] == "text/html"
    assert other.json()["message"]["role"] == "assistant"
    empty = await ask(client)
    assert (empty.status_code, empty.content) == (204, b"")
    assert (await ask(client)).json()["message"]["role"] == "user"
    assert (await ask(client)).json()["message"]["content"].isspace()
    assert {call.outcome for call in server.journal} == {Outcome.FAULTED}


async def test_extra_fields_and_given_words_are_still_answers(
    client: httpx.AsyncClient, server: AssistantServer
) -> None:
    server.faults.add(faults.extra_fields(), faults.says("<!channel> *hi*"), faults.extra_fields())
    content = (await ask(client)).json()
    assert "**order-service**" in content["message"]["content"]
    assert set(content) > {"message"}
    assert set(content["message"]) > {"role", "content"}
    assert assert_answer(await ask(client)) == "<!channel> *hi*"
    missing = await client.post("/v1/projects/other-demo-1/ai/chat", json=QUESTION)
    assert missing.json()["code"] == "project_not_found"
    outcomes = [call.outcome for call in server.journal]
    assert outcomes == [Outcome.ANSWERED, Outcome.ANSWERED, Outcome.REFUSED]


async def test_an_oversize_answer_has_exactly_its_size(
    client: httpx.AsyncClient, server: AssistantServer
) -> None:
    server.faults.add(faults.oversize(3_000_000))
    response = await ask(client)
    assert len(response.content) == 3_000_000
    assert_answer(response)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_is_small_on_the_wire_and_large_within(
    client: httpx.AsyncClient, server: AssistantServer, encoding: Any
) -> None:
    server.faults.add(faults.bomb(8, encoding))
    async with client.stream("POST", SHOP, json=QUESTION) as response:
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
    assert response.headers["content-encoding"] == encoding
    assert len(raw) < 20_000
    inflated = gzip.decompress(raw) if encoding == "gzip" else zlib.decompress(raw)
    assert len(json.loads(inflated)["message"]["content"]) == 8 * 1024 * 1024


async def test_a_drip_sends_one_byte_per_clock_second(
    client: httpx.AsyncClient, server: AssistantServer, clock: SettableClock
) -> None:
    server.faults.add(faults.drip())
    async with client.stream("POST", SHOP, json=QUESTION) as response:
        bytes_in_order = response.aiter_raw()
        size = int(response.headers["content-length"])
        got = await anext(bytes_in_order)
        assert len(got) == 1
        for _ in range(size - 1):
            await clock.slept_on()
            clock.move(1)
            got += await anext(bytes_in_order)
    assert json.loads(got)["message"]["role"] == "assistant"
    assert clock.monotonic() == size - 1


@pytest.mark.parametrize("when", [Cut.BEFORE_READING, Cut.AFTER_READING])
async def test_a_dropped_connection_is_a_reset(
    client: httpx.AsyncClient, server: AssistantServer, when: Cut
) -> None:
    server.faults.add(faults.disconnect(when))
    with pytest.raises(httpx.ReadError):
        await ask(client)
    call = server.journal[0]
    assert (call.outcome, call.status) == (Outcome.CUT, None)
    assert bool(call.raw) is (when is Cut.AFTER_READING)
    assert_answer(await ask(client))


async def test_an_answer_can_end_in_its_middle(client: httpx.AsyncClient, server: AssistantServer) -> None:
    server.faults.add(faults.disconnect(Cut.MID_ANSWER))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        await ask(client)


async def test_a_redirect_points_elsewhere(client: httpx.AsyncClient, server: AssistantServer) -> None:
    server.faults.add(faults.redirect("http://127.0.0.1:9/steal"))
    response = await ask(client)
    assert (response.status_code, response.headers["location"]) == (307, "http://127.0.0.1:9/steal")


async def test_held_requests_are_answered_when_released(
    client: httpx.AsyncClient, server: AssistantServer
) -> None:
    hold = faults.hold()
    server.faults.add(hold, hold)
    asking = [asyncio.create_task(ask(client)) for _ in range(2)]
    await server.wait_for_calls(2)
    assert server.in_flight == 2
    assert not any(task.done() for task in asking)
    hold.release()
    for task in asking:
        assert_answer(await task)
    assert server.in_flight == 0


# The steady limit


async def test_a_storm_over_the_limit_is_told_when_to_come_back(
    client: httpx.AsyncClient, server: AssistantServer, clock: SettableClock
) -> None:
    server.limit(per_second=2)
    storm = [await ask(client) for _ in range(5)]
    assert [response.status_code for response in storm] == [200, 200, 429, 429, 429]
    content = assert_error(storm[2], 429, "rate_limited")
    assert storm[2].headers["retry-after"] == str(content["retryAfter"]) == "1"
    clock.move(1)
    assert_answer(await ask(client))
    server.limit(per_second=None)
    assert {(await ask(client)).status_code for _ in range(5)} == {200}


# The end


@pytest.mark.parametrize(
    "fault",
    [faults.hold(), faults.drip(), faults.latency(9), faults.oversize(50_000_000)],
    ids=lambda f: type(f).__name__,
)
async def test_stopping_drops_what_is_open_and_leaves_no_task(
    server: AssistantServer, fault: faults.Fault
) -> None:
    server.faults.add(fault)
    before = asyncio.all_tasks()
    _, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]), limit=1024)
    body = json.dumps(QUESTION)
    head = f"POST {SHOP} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    writer.write(f"{head}\r\n\r\n{body}".encode())
    await (server.wait_for_finished(1) if isinstance(fault, faults.Changed) else server.wait_for_calls(1))
    async with asyncio.timeout(5):
        await server.stop()
    assert server.in_flight == 0
    assert asyncio.all_tasks() <= before
    writer.transport.abort()


async def test_a_stopped_server_refuses_and_can_be_started_again(clock: SettableClock) -> None:
    server = AssistantServer(clock=clock, projects=demo_projects(), api_keys={KEY})
    assert server.url == ""
    await server.stop()
    await server.start()
    first = server.url
    await server.stop()
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers) as client:
        with pytest.raises(httpx.ConnectError):
            await client.post(first + SHOP, json=QUESTION)
        await server.start(port=int(first.rsplit(":", 1)[1]))
        assert server.url == first
        assert_answer(await client.post(first + SHOP, json=QUESTION))
        await server.stop()


async def test_a_taken_port_is_an_error_that_leaves_nothing_behind(server: AssistantServer) -> None:
    other = AssistantServer(clock=SystemClock(), projects=(), api_keys=())
    with pytest.raises(OSError, match="address already in use"):
        await other.start(port=int(server.url.rsplit(":", 1)[1]))
    await other.stop()
