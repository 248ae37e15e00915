"""A chat endpoint for many keys: it answers after a moment, and now and then asks a key to wait."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Collection

from aiohttp import web

from tests.faults.fleet.records import Called, Seen, named

PROJECT = "shop-demo-7f3k2"


class Assistant:
    """Each process calls it by an address of its own, so that it is known who has called."""

    def __init__(self, seen: Seen, rng: random.Random, *, refuses_every: int, keys: Collection[str]) -> None:
        """`refuses_every`: each key's so-manieth call begins a pause of it; 0 for none."""
        self.slowest = 0.15
        """Seconds an answer takes, at most."""
        self.keeps: dict[str, asyncio.Event] = {}
        """Answers are kept, by question, until these are set."""
        self._seen = seen
        self._rng = rng
        self._keys = keys
        self._refuses_every = refuses_every
        self._many: Counter[str] = Counter()
        self._paused: dict[str, float] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return where it is to be had, below a process's address."""
        return [web.post(f"/{{life}}/v1/projects/{PROJECT}/ai/chat", self._chat)]

    async def _chat(self, request: web.Request) -> web.Response:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if key not in self._keys:
            return web.json_response({"status": 401, "code": "unauthorized", "message": "Who?"}, status=401)
        asked = str((await request.json())["messages"][-1]["content"])
        marker = named(asked)[-1]
        call = Called(marker, key, request.match_info["life"], time.monotonic())
        self._seen.called.append(call)
        self._seen.changes.happened()
        call.pause = self._pause(key, call.at)
        if call.pause is None:
            await asyncio.sleep(self._rng.uniform(0.2, 1) * self.slowest)
            if marker in self.keeps:
                await self.keeps[marker].wait()
        call.ended = time.monotonic()
        if call.pause is not None:
            return web.json_response(
                {"status": 429, "code": "rate_limited", "message": "Slow down.", "retryAfter": call.pause},
                status=429,
                headers={"Retry-After": str(call.pause)},
            )
        words = f"About {marker}: **web** calls it, over HTTP."
        return web.json_response({"message": {"role": "assistant", "content": words}})

    def _pause(self, key: str, now: float) -> int | None:
        """Return for how many whole seconds a key has to wait from now on, None if it need not."""
        left = self._paused.get(key, now) - now
        if left > 0:
            wait = int(left) + 1
        else:
            self._many[key] += 1
            if not self._refuses_every or self._many[key] % self._refuses_every:
                return None
            wait = self._rng.choice((1, 2, 3))
        self._paused[key] = max(now + wait, self._paused.get(key, 0.0))
        return wait
