"""What the load's process has seen: questions, answers, calls and connections, in one clock's seconds."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from tests.bench.counting import Asked, Called, Posted
from tests.bench.wire import Request

_MARKER = re.compile(rb"q(\d{7})z")
_AT_THE_END = 400  #: bytes of a conversation in which its last question's marker is looked for first

now = time.perf_counter


def marked(number: int) -> str:
    """Return the word by which a question is told from others, and its answer known."""
    return f"q{number:07}z"


def last_marker(raw: bytes) -> int | None:
    """Return the marker that comes last."""
    found = _MARKER.findall(raw[-_AT_THE_END:]) or _MARKER.findall(raw)
    return int(found[-1]) if found else None


def first_marker(raw: bytes) -> int | None:
    """Return the marker that comes first."""
    found = _MARKER.search(raw)
    return None if found is None else int(found[1])


@dataclass(eq=False)
class Journal:
    """Grows only: a scenario takes note of where it began."""

    asked: list[Asked] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)
    methods: Counter[str] = field(default_factory=Counter)
    """Calls of the platform's methods."""
    connections: Counter[str] = field(default_factory=Counter)
    """Of those, the ones that opened a connection."""
    _answered: dict[int, "asyncio.Future[None]"] = field(default_factory=dict)

    def ask(self, thread: str, turn: int = 1) -> Asked:
        """Note a question that is sent now."""
        asked = Asked(len(self.asked), thread, now(), turn=turn)
        self.asked.append(asked)
        self._answered[asked.marker] = asyncio.get_running_loop().create_future()
        return asked

    def post(self, marker: int | None, thread: str) -> None:
        """Note a message of the program's."""
        self.posted.append(Posted(marker, thread, now()))
        answered = self._answered.get(-1 if marker is None else marker)
        if answered is not None and not answered.done():
            answered.set_result(None)

    def count(self, method: str, request: Request) -> None:
        """Note a call of the platform's."""
        self.methods[method] += 1
        self.connections[method] += request.is_first

    async def answered(self, asked: Asked, within: float) -> bool:
        """Wait for a question's answer, so many seconds at most; tell whether it came."""
        done, _ = await asyncio.wait([self._answered[asked.marker]], timeout=within)
        return bool(done)

    async def all_answered(self, asked: Sequence[Asked], patience: float, limit: float) -> None:
        """Wait for all answers: until none has come for `patience` seconds, for `limit` seconds at most."""
        missing = {one.marker for one in asked if not self._answered[one.marker].done()}
        came = asyncio.Event()

        def tick(marker: int, _: "asyncio.Future[None]") -> None:
            missing.discard(marker)
            came.set()

        for marker in list(missing):
            self._answered[marker].add_done_callback(partial(tick, marker))
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while missing:
                    await asyncio.wait_for(came.wait(), patience)
                    came.clear()
