"""How much an answer may cost to read: packed, endless or wrong."""

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from core.errors import BrokenAnswer
from tests.fixtures.chat_client import PROJECT, TURNS, client, fault
from tests.fixtures.wire import ANSWER, OPEN_ENDED, Act, Wire, response, says, says_forever

MIB = 1024 * 1024


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire.running() as wire:
        yield wire


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


@pytest.mark.parametrize("encoding", ["gzip", "X-GZIP"])
async def test_a_packed_answer_is_unpacked_however_it_is_cut(wire: Wire, encoding: str) -> None:
    head = OPEN_ENDED + f"Content-Encoding: {encoding}\r\n\r\n".encode()
    wire.act = says(head + chunked(gzip.compress(ANSWER), 1))
    async with client(wire.url) as api:
        assert await api.ask(PROJECT, TURNS) == "orders"


async def test_an_answer_as_long_as_is_allowed_is_read_and_one_byte_more_is_not(wire: Wire) -> None:
    longest = ANSWER + b" " * (2 * MIB - len(ANSWER))
    async with client(wire.url) as api:
        for packed in (response(longest), response(gzip.compress(longest), "Content-Encoding: gzip")):
            wire.act = says(packed)
            assert await api.ask(PROJECT, TURNS) == "orders"
        longer = longest + b" "
        for packed in (response(longer), response(gzip.compress(longer), "Content-Encoding: gzip")):
            wire.act = says(packed)
            with pytest.raises(BrokenAnswer, match="longer"):
                await api.ask(PROJECT, TURNS)


def gibibyte() -> bytes:
    """Return a gzip of 1 GiB of zeros: 1,024 times one packed MiB that refers to nothing before it."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = pack.compress(bytes(MIB)) + pack.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + start * 1024 + pack.flush()


GZIPPED = OPEN_ENDED + b"Content-Encoding: gzip\r\n\r\n"
GZIP_HEAD = gzip.compress(b"")[:10]
BOMBS = {
    "plain, without an end": says_forever(OPEN_ENDED + b"\r\n", b"10000\r\n" + bytes(65536) + b"\r\n"),
    "10 MiB": says(response(bytes(10 * MIB))),
    "10 MiB packed": says(GZIPPED + chunked(gzip.compress(bytes(10 * MIB)), 10**9)),
    "1 GiB packed": says(GZIPPED + chunked(gibibyte(), 10**9)),
    "empty blocks without an end": says_forever(
        GZIPPED + chunked(GZIP_HEAD, 10)[:-5], b"a000\r\n" + b"\0\0\0\xff\xff" * 8192 + b"\r\n"
    ),
    "packed, and then more": says_forever(
        GZIPPED + chunked(gzip.compress(ANSWER), 10**9)[:-5], b"10000\r\n" + bytes(65536) + b"\r\n"
    ),
}


@pytest.mark.parametrize("act", BOMBS.values(), ids=BOMBS.keys())
async def test_a_bomb_costs_no_memory(wire: Wire, act: Act) -> None:
    wire.act = act
    api = client(wire.url)
    tracemalloc.start()
    try:
        error = await fault(api)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert type(error) is BrokenAnswer
    assert peak < 5 * MIB  # the body so far and what is being added, 2 MiB each
    await wire.until(lambda: wire.open == 0)


MISPACKED = {
    "never asked for": response(ANSWER, "Content-Encoding: br"),
    "twice": response(gzip.compress(gzip.compress(ANSWER)), "Content-Encoding: gzip, gzip"),
    "not gzip": response(ANSWER, "Content-Encoding: gzip"),
    "zlib": response(zlib.compress(ANSWER), "Content-Encoding: gzip"),
    "cut": response(gzip.compress(ANSWER)[:-1], "Content-Encoding: gzip"),
    "nothing": response(b"", "Content-Encoding: gzip"),
    "wrong sum": response(gzip.compress(ANSWER)[:-8] + bytes(8), "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("text", MISPACKED.values(), ids=MISPACKED.keys())
async def test_a_wrongly_packed_answer_is_broken(wire: Wire, text: bytes) -> None:
    wire.act = says(text)
    assert type(await fault(client(wire.url))) is BrokenAnswer
