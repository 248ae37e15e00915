"""The proxy on which things go wrong does what it says, and nothing else."""

import asyncio
import zlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from core.testing import SettableClock
from tests.faults import toxics
from tests.faults.proxy import FaultProxy

SAID = b'{"ok":true,"said":"hello"}'


class Target:
    """A server that answers as it should, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path_qs, await request.read()))
        if request.headers.get("Upgrade"):
            return await self._echo(request)
        return web.Response(body=SAID, content_type="application/json", headers={"X-Kept": "yes"})

    async def _echo(self, request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse()
        await line.prepare(request)
        async for message in line:
            await line.send_str(f"{message.data}!")
        return line


class Road:
    """The way to a target, with the proxy on it."""

    def __init__(self, target: Target, proxy: FaultProxy, client: aiohttp.ClientSession) -> None:
        self.target, self.proxy, self.client = target, proxy, client

    async def post(self, path: str = "chat.post", body: bytes = b"hi") -> tuple[int, bytes]:
        async with self.client.post(f"{self.proxy.url}{path}", data=body) as reply:
            return reply.status, await reply.read()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest_asyncio.fixture
async def road(clock: SettableClock) -> AsyncIterator[Road]:
    target, application = Target(), web.Application()
    application.router.add_route("*", "/{all:.*}", target.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    async with (
        FaultProxy(address, clock) as proxy,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as client,
    ):
        yield Road(target, proxy, client)
    await runner.cleanup()


async def test_without_a_toxic_it_is_not_there(road: Road) -> None:
    async with road.client.post(f"{road.proxy.url}a?b=%26", data=b"hi", headers={"X-Is": "1"}) as reply:
        assert await reply.read() == SAID
        assert reply.headers["X-Kept"] == "yes"
    assert await road.post(body=b"") == (200, SAID)
    assert road.target.asked == [("POST", "/api/a?b=%26", b"hi"), ("POST", "/api/chat.post", b"")]
    assert (road.proxy.connections, road.proxy.requests) == (1, 2)


async def test_a_request_in_chunks_comes_whole(road: Road) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async with road.client.post(f"{road.proxy.url}x", data=pieces()) as reply:
        assert reply.status == 200
    assert road.target.asked == [("POST", "/api/x", b"one two")]


async def test_a_toxic_is_met_so_often_and_only_where_it_is_meant(road: Road) -> None:
    road.proxy.add(toxics.Http500After, 2, method="POST", path="/api/chat.post")
    assert (await road.post("users.info"))[0] == 200
    assert [(await road.post())[0] for _ in range(3)] == [500, 500, 200]
    road.proxy.add(toxics.Http500After, None)
    assert [(await road.post("any"))[0] for _ in range(3)] == [500, 500, 500]
    road.proxy.clear()
    assert (await road.post("any"))[0] == 200
    assert road.proxy.heard_of("/api/chat.post") == 3
    road.proxy.add(toxics.Http500After, path="/api/", end="/threads")
    assert [(await road.post(path))[0] for path in ("1/messages", "1/threads")] == [200, 500]
    assert road.proxy.connections == 1  # kept alive through it all


async def test_a_websocket_goes_through_raw(road: Road) -> None:
    road.proxy.add(toxics.ResetBefore(), path="/api/other")
    async with road.client.ws_connect(road.proxy.url.replace("http", "ws")) as line:
        for word in ("one", "two"):
            await line.send_str(word)
            assert await line.receive_str() == f"{word}!"
    assert road.proxy.requests == 1


@pytest.mark.parametrize(
    ("toxic", "reached"), [(toxics.ResetBefore(), 0), (toxics.ResetAfter(), 1)], ids=["before", "after"]
)
async def test_a_reset_is_a_reset_before_or_after_the_deed(
    road: Road, toxic: toxics.Toxic, reached: int
) -> None:
    road.proxy.add(toxic)
    with pytest.raises(aiohttp.ClientOSError) as raised:
        await road.post()
    assert isinstance(raised.value, ConnectionResetError) or raised.value.errno == 104
    assert (road.proxy.requests, len(road.target.asked)) == (reached, reached)


@pytest.mark.parametrize("done", [False, True])
async def test_silence_lasts_until_the_client_has_gone(road: Road, done: bool) -> None:
    road.proxy.add(toxics.Silence(done))
    asking = asyncio.create_task(road.post())
    await road.proxy.until(lambda: bool(road.proxy.heard))
    if done:
        await road.proxy.until(lambda: road.proxy.requests == 1)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await road.proxy.until(lambda: road.proxy.open == 0)
    assert road.proxy.requests == done


async def test_latency_waits_by_the_clock(road: Road, clock: SettableClock) -> None:
    road.proxy.add(toxics.Latency(30))
    asking = asyncio.create_task(road.post())
    await road.proxy.until(lambda: bool(road.proxy.heard))
    assert (road.proxy.requests, asking.done()) == (0, False)
    while road.proxy.requests == 0:
        clock.advance(30)
        await asyncio.sleep(0)
    assert await asking == (200, SAID)


async def test_slices_come_whole_and_a_cut_answer_does_not(road: Road) -> None:
    road.proxy.add(toxics.Sliced(7))
    assert await road.post() == (200, SAID)
    road.proxy.add(toxics.Truncated())
    with pytest.raises(aiohttp.ClientPayloadError):
        await road.post()
    assert road.proxy.requests == 2


async def test_a_drip_gives_a_byte_a_second(road: Road, clock: SettableClock) -> None:
    road.proxy.add(toxics.Drip())
    async with road.client.post(f"{road.proxy.url}x") as reply:
        for at in range(len(SAID)):
            assert await reply.content.readexactly(1) == SAID[at : at + 1]
            assert reply.content.total_bytes == at + 1
            clock.advance(1)


async def test_headers_without_an_end_are_refused_by_a_client_that_counts(road: Road) -> None:
    road.proxy.add(toxics.EndlessHeaders(size=5000))
    with pytest.raises(aiohttp.ClientResponseError):
        await road.post()
    await road.proxy.until(lambda: road.proxy.open == 0)
    assert road.proxy.requests == 1


async def test_a_huge_answer_has_the_real_one_at_its_end(road: Road) -> None:
    road.proxy.add(toxics.Huge())
    _, body = await road.post()
    assert len(body) == 10 * toxics.MIB + len(SAID)
    assert body.strip() == SAID


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_is_small_and_unpacks_to_what_it_says(road: Road, encoding: str) -> None:
    road.proxy.add(toxics.Bomb(encoding, 64))
    async with aiohttp.ClientSession(auto_decompress=False) as client, client.post(road.proxy.url) as reply:
        packed = await reply.read()
        assert reply.headers["Content-Encoding"] == encoding
    assert zlib.decompressobj(32 + zlib.MAX_WBITS).decompress(packed) == bytes(64 * toxics.MIB)
    assert len(toxics.bomb(encoding, 1024)) < 2 * toxics.MIB


OTHERS = {
    "type": (toxics.WrongType(), 200, SAID, 1),
    "json": (toxics.WrongJson, 200, b'{"ok": true, "message', 1),
    "shape": (toxics.WrongShape, 200, b'["quite", {"another": "shape"}]', 1),
    "502": (toxics.Html502, 502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", 0),
    "502 after": (toxics.Html502After, 502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", 1),
    "204": (toxics.NoContent204, 204, b"", 1),
    "500": (toxics.Http500After, 500, b"{}", 1),
}


@pytest.mark.parametrize(("toxic", "status", "body", "reached"), OTHERS.values(), ids=OTHERS.keys())
async def test_another_answer_comes_in_place_of_the_targets(
    road: Road, toxic: toxics.Toxic, status: int, body: bytes, reached: int
) -> None:
    road.proxy.add(toxic)
    assert await road.post() == (status, body)
    assert road.proxy.requests == reached
    assert await road.post() == (200, SAID)
    assert road.proxy.connections == 1
