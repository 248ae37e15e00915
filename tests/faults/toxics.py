"""What can be done to one HTTP exchange on its way, as frozen values; they know no proxy and no product."""

import gzip
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply as its server gave it. `headers` are all but those that frame the body."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def head(self, *framing: str) -> bytes:
        """Return the status line and headers, `framing` among them, with the blank line."""
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{k}: {v}" for k, v in self.headers), *framing]
        return "\r\n".join([*lines, "", ""]).encode()

    def whole(self) -> bytes:
        """Return it as it goes over the wire."""
        framing = () if self.status in {204, 304} else (f"Content-Length: {len(self.body)}",)
        return self.head(*framing) + self.body


class Exchange(Protocol):
    """One request that has been read whole, and the ways to go on with it."""

    async def forward(self) -> Answer:
        """Have the target carry the request out."""
        ...

    async def send(self, text: bytes) -> None:
        """Send bytes to the client, as they are."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, by the clock of the proxy."""
        ...

    async def never(self) -> None:
        """Wait until the client has hung up."""
        ...

    def close(self) -> None:
        """End the connection in order."""
        ...

    def reset(self) -> None:
        """End the connection with a RST."""
        ...


class Toxic(Protocol):
    """Something that happens to an exchange."""

    async def meet(self, exchange: Exchange) -> None:
        """Do it. It is cancelled when the client hangs up."""
        ...


@dataclass(frozen=True, slots=True)
class Latency:
    """The request waits for so many seconds, and is then carried out."""

    seconds: float

    async def meet(self, exchange: Exchange) -> None:
        await exchange.sleep(self.seconds)
        await exchange.send((await exchange.forward()).whole())


@dataclass(frozen=True, slots=True)
class Silence:
    """The request is taken, carried out if `done`, and never answered."""

    done: bool = False

    async def meet(self, exchange: Exchange) -> None:
        if self.done:
            await exchange.forward()
        await exchange.never()


@dataclass(frozen=True, slots=True)
class ResetBefore:
    """The client sees a RST; the target has seen nothing."""

    async def meet(self, exchange: Exchange) -> None:
        exchange.reset()


@dataclass(frozen=True, slots=True)
class ResetAfter:
    """The client sees a RST; the target has carried the request out."""

    async def meet(self, exchange: Exchange) -> None:
        await exchange.forward()
        exchange.reset()


@dataclass(frozen=True, slots=True)
class Truncated:
    """The answer ends before the length that it claims."""

    missing: int = 5

    async def meet(self, exchange: Exchange) -> None:
        await exchange.send((await exchange.forward()).whole()[: -self.missing])
        exchange.close()


@dataclass(frozen=True, slots=True)
class Sliced:
    """The answer comes whole, in slices of so many bytes with so many seconds between."""

    size: int
    pause: float = 0.0

    async def meet(self, exchange: Exchange) -> None:
        whole = (await exchange.forward()).whole()
        for at in range(0, len(whole), self.size):
            await exchange.send(whole[at : at + self.size])
            await exchange.sleep(self.pause)


@dataclass(frozen=True, slots=True)
class Drip:
    """The answer's head comes, then its body, a byte a second; and after it spaces, without an end."""

    pause: float = 1.0

    async def meet(self, exchange: Exchange) -> None:
        answer = await exchange.forward()
        await exchange.send(answer.head("Transfer-Encoding: chunked"))
        for byte in answer.body:
            await exchange.send(b"1\r\n%c\r\n" % byte)
            await exchange.sleep(self.pause)
        await _for_ever(exchange, lambda: exchange.send(b"1\r\n \r\n"), self.pause)


@dataclass(frozen=True, slots=True)
class EndlessHeaders:
    """The answer's head never ends: short headers with so many seconds between."""

    pause: float = 0.0
    size: int = 10

    async def meet(self, exchange: Exchange) -> None:
        answer = await exchange.forward()
        await exchange.send(answer.head().removesuffix(b"\r\n"))
        line = b"X-Filler: " + b"x" * self.size + b"\r\n"
        await _for_ever(exchange, lambda: exchange.send(line), self.pause)


@dataclass(frozen=True, slots=True)
class Huge:
    """The target has done it; its answer has grown to so many bytes, of white space before the JSON."""

    size: int = 10 * MIB

    async def meet(self, exchange: Exchange) -> None:
        answer = await exchange.forward()
        await exchange.send(answer.head(f"Content-Length: {self.size + len(answer.body)}"))
        for _ in range(self.size // 65536):
            await exchange.send(b" " * 65536)
        await exchange.send(b" " * (self.size % 65536) + answer.body)


@dataclass(frozen=True, slots=True)
class Bomb:
    """The target has done it; its answer is a small body that unpacks to so many MiB ("gzip", "deflate")."""

    encoding: str = "gzip"
    mebibytes: int = 1024

    async def meet(self, exchange: Exchange) -> None:
        answer = await exchange.forward()
        packed = bomb(self.encoding, self.mebibytes)
        await exchange.send(replace(answer, body=packed).whole().replace(b"\r\n", self._header(), 1))

    def _header(self) -> bytes:
        return f"\r\nContent-Encoding: {self.encoding}\r\n".encode()


@dataclass(frozen=True, slots=True)
class Instead:
    """Another answer than the target's; the target has carried the request out if `done`."""

    answer: Answer
    done: bool = True

    async def meet(self, exchange: Exchange) -> None:
        if self.done:
            await exchange.forward()
        await exchange.send(self.answer.whole())


@dataclass(frozen=True, slots=True)
class WrongType:
    """The target's own answer, said to be something else than JSON."""

    kind: str = "text/plain"

    async def meet(self, exchange: Exchange) -> None:
        answer = await exchange.forward()
        others = tuple((k, v) for k, v in answer.headers if k.lower() != "content-type")
        await exchange.send(replace(answer, headers=(*others, ("Content-Type", self.kind))).whole())


def said(
    status: int, reason: str, body: bytes, kind: str = "application/json", *, done: bool = True
) -> Instead:
    """Return a toxic that answers so."""
    return Instead(Answer(status, reason, (("Content-Type", kind),), body), done)


_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"

WrongJson = said(200, "OK", b'{"ok": true, "message')
WrongShape = said(200, "OK", b'["quite", {"another": "shape"}]')
Html502 = said(502, "Bad Gateway", _PAGE, "text/html", done=False)
Html502After = said(502, "Bad Gateway", _PAGE, "text/html")
NoContent204 = Instead(Answer(204, "No Content"))
Http500After = said(500, "Internal Server Error", b"{}")


def bomb(encoding: str, mebibytes: int) -> bytes:
    """Return a small body that unpacks to so many MiB of zeros: the same packed MiB again and again."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    one = pack.compress(bytes(MIB)) + pack.flush(zlib.Z_FULL_FLUSH)  # refers to nothing before it
    head = {"gzip": gzip.compress(b"")[:10], "deflate": b"\x78\xda"}[encoding]
    return head + one * mebibytes + pack.flush()


async def _for_ever(exchange: Exchange, send: Callable[[], Awaitable[None]], pause: float) -> None:
    while True:
        await send()
        await exchange.sleep(pause)
