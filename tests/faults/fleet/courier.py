"""Brings events to processes as Slack does: by turns, and again where nobody acknowledges one in time."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import aiohttp

from bots.slack.http import PATH
from tests.faults.fleet.records import Asked, Life, Sent
from tests.fixtures.signed import JSON, sealed

_TIMEOUT = aiohttp.ClientTimeout(total=3)  # docs.slack.dev/apis/events-api: acknowledged within three seconds

SLACKS_WAITS = (0.0, 60.0, 300.0)
"""Seconds before each further attempt (same page)."""


class Courier:
    """`living` gives the processes that take events now, and where."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        living: Callable[[], Sequence[tuple[Life, str]]],
        waits: Sequence[float] = SLACKS_WAITS,
    ) -> None:
        self._session = session
        self._living = living
        self._waits = waits
        self._turn = count()

    async def bring(self, asked: Asked, event: Mapping[str, Any]) -> None:
        """Bring an event until it is acknowledged, or Slack gives up."""
        body = json.dumps(event).encode()
        for number, wait in enumerate((0.0, *self._waits)):
            await asyncio.sleep(wait)
            if await self._tried(asked, body, number):
                break
        asked.taken.set()

    async def _tried(self, asked: Asked, body: bytes, number: int) -> bool:
        living = self._living()
        if not living:
            asked.sent.append(Sent("", time.monotonic(), time.monotonic()))
            return False
        life, url = living[next(self._turn) % len(living)]
        sent = Sent(life, time.monotonic())
        asked.sent.append(sent)
        again = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_error"} if number else {}
        headers = {"Content-Type": JSON, **sealed(body), **again}
        try:
            async with self._session.post(url + PATH, data=body, headers=headers, timeout=_TIMEOUT) as reply:
                sent.taken = reply.status == 200
        except (aiohttp.ClientError, TimeoutError):
            sent.taken = False
        sent.ended = time.monotonic()
        return sent.taken
