"""Where a program lives that will be killed: platform, assistant, doors between them, its file."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from socket import create_server
from urllib.parse import urlsplit

from bots.demo.assistant import AssistantServer, demo_projects
from core.clock import SystemClock
from tests.faults.crash.chat_door import ChatDoor
from tests.faults.crash.door import Gatekeeper
from tests.faults.crash.messages import HttpMessage, hang_up, read_message
from tests.faults.crash.rows import Row, Rows, look
from tests.faults.crash.side import Asked, Side

_KEY = "demo-key"
_PROJECT = "shop-demo-7f3k2"
_PATIENCE = 60.0  #: seconds until a program that does not do what it should is given up


@dataclass(eq=False)
class Town:
    """One installation and all that happens to it."""

    folder: Path
    side: Side
    rng: random.Random
    assistant: AssistantServer
    keeper: Gatekeeper
    port: int
    questions: list[Asked] = field(default_factory=list)
    chat_port: int = 0
    child: asyncio.subprocess.Process | None = None
    born_at: datetime | None = None
    """When the living process was started."""

    @property
    def database(self) -> Path:
        """Return the program's file."""
        return self.folder / "threadline.db"

    @property
    def paragraph(self) -> int:
        """Return how many characters a paragraph of an answer has."""
        return self.side.paragraph

    # --- people --------------------------------------------------------------------------------

    async def ask(
        self, *, thread: Asked | None = None, parts: int = 1, prepare: Callable[[Asked], None] | None = None
    ) -> Asked:
        """Have somebody new ask something; `prepare` may see to its being kept, from its first byte on."""
        asked = Asked(f"q{len(self.questions):04}z", parts, thread)
        self.questions.append(asked)
        if prepare is not None:
            prepare(asked)
        await self.side.say(asked, self.rng.randrange(100))
        return asked

    def named(self, text: str) -> Asked | None:
        """Return the question whose marker comes last in a text."""
        found = [(text.rfind(one.marker), one) for one in self.questions if one.marker in text]
        return max(found, key=lambda one: one[0])[1] if found else None

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, looked at after each change on the platform and at the doors."""
        await self.side.changes.until(holds)

    # --- the program ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the program, and wait until it takes questions."""
        self.keeper.begin_life()
        before = len(self.keeper.passages)
        self.born_at = self.side.clock.now()
        with (self.folder / "program.log").open("ab") as log:
            self.child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bots", "run", env=self._environment(), cwd=self.folder, stderr=log
            )

        def listens() -> bool:
            return any(self.side.is_first_look(one) for one in self.keeper.passages[before:])

        await asyncio.wait_for(self.until(listens), _PATIENCE)

    async def kill(self) -> None:
        """End the program as a power cut would, and wait until all that had reached a server is done."""
        assert self.child is not None
        self.child.send_signal(signal.SIGKILL)
        await self.child.wait()
        self.keeper.end_life()
        for asked in self.questions:
            if asked.thinking is not None:
                asked.thinking.set()
        await asyncio.wait_for(self.until(lambda: self.keeper.is_quiet), _PATIENCE)

    async def stop(self) -> int:
        """End the program as an operator would; return its exit code."""
        assert self.child is not None
        self.child.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.child.wait(), _PATIENCE)

    async def echo(self, path: str = "/livez") -> HttpMessage:
        """Have the program answer: what had been written to it before has been read by then.

        With "/readyz" it has also been through its database once.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode())
            return await read_message(reader)
        finally:
            await hang_up(writer)

    # --- what can be seen ----------------------------------------------------------------------

    def rows(self) -> Rows:
        """Return what is on disk."""
        return look(self.database)

    def row(self, rows: Rows, asked: Asked) -> Row | None:
        """Return what is on disk of one question."""
        return rows.get(asked.message)

    def calls(self, asked: Asked, since: datetime | None = None) -> int:
        """Return how many chat calls about a question have begun."""
        return sum(
            self.named(call.messages[-1][1]) is asked
            for call in self.assistant.journal
            if call.messages and (since is None or call.started_at >= since)
        )

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {
            **kept,
            **self.side.environment(),
            "PYTHONPATH": os.getcwd(),
            "MICROVISUALIZER_API_URL": f"http://127.0.0.1:{self.chat_port}",
            "MICROVISUALIZER_API_KEY": _KEY,
            "THREADLINE_DATABASE_URL": f"sqlite:///{self.database}",
            "THREADLINE_HTTP_PORT": str(self.port),
            "THREADLINE_DEFAULT_PROJECT": _PROJECT,
        }


@asynccontextmanager
async def town(folder: Path, side: Side, rng: random.Random) -> AsyncIterator[Town]:
    """Start the servers of other people and the doors before them; the program is not started yet."""
    assistant = AssistantServer(clock=SystemClock(), projects=demo_projects(), api_keys={_KEY})
    keeper = Gatekeeper(side.changes, rng)
    here = Town(folder, side, rng, assistant, keeper, _free_port())
    await assistant.start()
    await side.open(keeper, here.port)
    at = urlsplit(assistant.url)
    door = ChatDoor(here, (at.hostname or "", at.port or 0))
    await door.open()
    here.chat_port = door.port
    try:
        yield here
    finally:
        if here.child is not None and here.child.returncode is None:
            here.child.send_signal(signal.SIGKILL)
            await here.child.wait()
        await door.close()
        await side.close()
        await assistant.stop()


def _free_port() -> int:
    with create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
