"""A chat endpoint that costs next to nothing: it answers after so many seconds, or only so many a second."""

import asyncio
import json
from dataclasses import dataclass
from math import ceil

from tests.bench.counting import Called
from tests.bench.journal import Journal, last_marker, marked, now
from tests.bench.wire import Request, Respond, port_of, reply, serve

PROJECT = "shop-demo-7f3k2"
KEY = "bench-key"
_WORDS = "`web` and `orders` call **billing**, over HTTP, and `invoices` reads its table once a night. " * 3


@dataclass(eq=False)
class Assistant:
    """Serves one project's endpoint."""

    journal: Journal
    delay: float = 0.0
    """Seconds that an answer takes at most."""
    spread: float = 0.0
    """By how much of that some take less: from none to all of it."""
    every: float = 0.0
    """Seconds from one answer to the next that may be had: meanwhile there is 429. 0: as many as come."""
    _next: float = 0.0
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await serve(self._answer)

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    @property
    def url(self) -> str:
        """Where it is."""
        assert self._server is not None
        return f"http://127.0.0.1:{port_of(self._server)}"

    def _answer(self, request: Request, respond: Respond) -> None:
        at, marker = now(), last_marker(request.body)
        if self.every and at < self._next:
            pause = ceil(self._next - at)
            self.journal.called.append(Called(marker, at, at, pause))
            refused = json.dumps({"status": 429, "code": "RATE_LIMITED", "message": "Slow down."}).encode()
            respond(reply(refused, "429 Too Many Requests", f"Retry-After: {pause}\r\n"))
            return
        self._next = at + self.every
        content = f"About {marked(-1 if marker is None else marker)}: {_WORDS}"
        delay = self.delay * (1 - self.spread * ((marker or 0) * 7 % 10) / 10)
        said = reply(json.dumps({"message": {"role": "assistant", "content": content}}).encode())
        self.journal.called.append(Called(marker, at, at + delay))
        if delay:
            asyncio.get_running_loop().call_later(delay, respond, said)
        else:
            respond(said)
