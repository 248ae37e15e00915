"""The web side by itself: probes, addresses, and an end that nobody can hold up."""

import asyncio

import aiohttp
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bots.web import app as web
from bots.web.serving import AddressUnusable, WebServer


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def nothing() -> bytes | None:
    return None


async def test_metrics_are_absent_while_the_database_is() -> None:
    async def some() -> bytes | None:
        return b"threadline_questions 1"

    for metrics, status, body in ((some, 200, "threadline_questions 1"), (nothing, 503, "")):
        server = WebServer(web.build([], yes, metrics), "127.0.0.1", 0)
        url = await server.start()
        async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as measured:
            assert (measured.status, await measured.text()) == (status, body)
            assert measured.headers["content-type"].startswith("text/plain; version=0.0.4")
        await server.aclose()


async def test_the_probes_tell_alive_from_ready() -> None:
    for is_ready, status in ((yes, 200), (no, 503)):
        server = WebServer(web.build([], is_ready, nothing), "127.0.0.1", 0)
        url = await server.start()
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{url}/livez") as alive:
                assert (alive.status, await alive.json()) == (200, {"alive": True})
            async with session.get(f"{url}/readyz") as ready:
                assert (ready.status, await ready.json()) == (status, {"ready": status == 200})
        await server.aclose()


async def test_it_can_listen_on_ipv6() -> None:
    server = WebServer(web.build([], yes, nothing), "::1", 0)
    url = await server.start()
    assert url.startswith("http://[::1]:")
    async with aiohttp.ClientSession() as session, session.get(f"{url}/livez") as alive:
        assert alive.status == 200
    await server.aclose()


async def test_an_address_in_use_is_said_at_once() -> None:
    first = WebServer(web.build([], yes, nothing), "127.0.0.1", 0)
    port = int((await first.start()).rpartition(":")[2])
    with pytest.raises(AddressUnusable, match="THREADLINE_HTTP_PORT"):
        await WebServer(web.build([], yes, nothing), "127.0.0.1", port).start()
    await first.aclose()


async def test_it_can_be_closed_before_it_began() -> None:
    await WebServer(web.build([], yes, nothing), "127.0.0.1", 0).aclose()
    server = WebServer(web.build([], yes, nothing), "127.0.0.1", 0)
    await server.start()
    await server.aclose()


async def test_what_is_under_way_is_answered_before_the_end() -> None:
    arrived, go = asyncio.Event(), asyncio.Event()

    async def slow(_: object) -> PlainTextResponse:
        arrived.set()
        await go.wait()
        return PlainTextResponse("done")

    server = WebServer(web.build([Route("/slow", slow)], yes, nothing), "127.0.0.1", 0)
    url = await server.start()

    async def ask() -> str:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/slow") as response:
            return await response.text()

    asking = asyncio.create_task(ask())
    await arrived.wait()
    closing = asyncio.create_task(server.aclose())
    go.set()
    assert await asking == "done"
    await closing


class Ahead(asyncio.SelectorEventLoop):
    """A loop whose clock can be set forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


def test_a_connection_outlives_the_patience_of_a_proxy_that_keeps_it() -> None:
    async def story(loop: Ahead) -> None:
        server = WebServer(web.build([], yes, nothing), "127.0.0.1", 0)
        host, port = (await server.start()).removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for loop.ahead in (0.0, 61.0):
            for _ in range(3):  # whoever waits for less has their turn
                await asyncio.sleep(0)
            writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        loop.ahead += 80.0
        assert await reader.read() == b""
        writer.close()
        await server.aclose()

    loop = Ahead()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(story(loop))


async def test_a_request_that_never_ends_does_not_hold_up_the_end() -> None:
    arrived = asyncio.Event()

    async def forever(_: object) -> PlainTextResponse:
        arrived.set()
        await asyncio.Event().wait()
        raise AssertionError

    server = WebServer(web.build([Route("/forever", forever)], yes, nothing), "127.0.0.1", 0, patience=1)
    url = await server.start()
    host, port = url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /forever HTTP/1.1\r\nHost: x\r\n\r\n")
    await arrived.wait()
    _, half_writer = await asyncio.open_connection(host, int(port))
    half_writer.write(b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Le")
    await half_writer.drain()
    async with asyncio.timeout(3):
        await server.aclose()
    writer.close()
    half_writer.close()
