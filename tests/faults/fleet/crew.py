"""The processes of a fleet: each slot is manned again when its process has ended, by a kill or by itself."""

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from tests.faults.fleet.records import Killed, Life, Seen

_LEAVES_WITHIN = 40.0  #: seconds
_AGAIN_AFTER = 0.5  #: seconds after which a process that ended by itself is started again


class Slot:
    """One place in the fleet: "work-1" is manned by "work-1.1", then "work-1.2"."""

    def __init__(self, name: str, crew: "Crew") -> None:
        self.name = name
        self.life: Life = ""
        self.url = ""
        """Where its process listens; empty while there is none that does."""
        self.child: asyncio.subprocess.Process | None = None
        self._crew = crew
        self._number = 0

    @property
    def role(self) -> str:
        """Return what its processes do."""
        return self.name.partition("-")[0]

    async def man(self) -> None:
        """Keep a process running until the crew is dismissed."""
        while not self._crew.dismissed:
            self._number += 1
            self.life = f"{self.name}.{self._number}"
            code = await self._live()
            if code != -signal.SIGKILL:
                self._crew.seen.left[self.life] = code
                self._crew.seen.changes.happened()
                await self._crew.pause()

    def signal(self, number: signal.Signals) -> None:
        """Send its process a signal; one that ends it without a word is noted."""
        assert self.child is not None
        if number in {signal.SIGKILL, signal.SIGSTOP}:
            self._crew.seen.killed.append(Killed(self.life, time.monotonic()))
        self.child.send_signal(number)

    async def _live(self) -> int:
        self.child = child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bots",
            "run",
            "--role",
            self.role,
            env=self._crew.environment(self.life),
            cwd=self._crew.folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            with await asyncio.to_thread((self._crew.folder / f"{self.name}.log").open, "ab") as log:
                await self._listen_to(child, log)
            return await child.wait()
        finally:
            self.url = ""
            if child.returncode is None:
                child.kill()
                await child.wait()
            self._crew.seen.changes.happened()

    async def _listen_to(self, child: asyncio.subprocess.Process, log: BinaryIO) -> None:
        """Write down what it logs, and take note of when it has begun, and of what it thinks is wrong."""
        assert child.stderr is not None
        async for line in child.stderr:
            log.write(line)
            if b'"event": "running"' in line:
                self.url = str(json.loads(line)["url"])
                self._crew.seen.changes.happened()
            if b'"level": "error"' in line or not line.startswith(b"{"):
                self._crew.complaints[_brief(line)] += 1
            if any(word in line for word in self._crew.listens_for):
                self._crew.heard[self.life].append(json.loads(line))
                self._crew.seen.changes.happened()


class Crew:
    """All slots. `environment` gives what a process of a life is told."""

    def __init__(
        self, seen: Seen, folder: Path, slots: Sequence[str], environment: Callable[[Life], Mapping[str, str]]
    ) -> None:
        self.seen = seen
        self.folder = folder
        self.environment = environment
        self.slots = {name: Slot(name, self) for name in slots}
        self.complaints: Counter[str] = Counter()
        """Lines of the logs that speak of an error, each with how often it came."""
        self.listens_for: Sequence[bytes] = ()
        self.heard: defaultdict[Life, list[Mapping[str, object]]] = defaultdict(list)
        """The lines with such words that each process has logged."""
        self.dismissed = False
        self._manning: list[asyncio.Task[None]] = []

    def begin(self, *names: str) -> None:
        """Start the processes of these slots."""
        self._manning += [asyncio.create_task(self.slots[name].man(), name=name) for name in names]

    def living(self, role: str) -> list[Slot]:
        """Return the slots of a role whose processes are at work, as far as is known."""
        return [one for one in self.slots.values() if one.role == role and one.url]

    async def all_there(self, *names: str, within: float = 60.0) -> None:
        """Wait until the processes of all slots, or of these, are at work.

        Raises RuntimeError if one ends instead.
        """

        def are_there() -> bool:
            for life, code in self.seen.left.items():
                raise RuntimeError(f"{life} has ended with {code}: its log is in {self.folder}")
            return all(self.slots[one].url for one in names or self.slots)

        async with asyncio.timeout(within):
            await self.seen.changes.until(are_there)

    async def pause(self) -> None:
        """Wait a little before a slot is manned again that was left, if it will be."""
        if not self.dismissed:
            await asyncio.sleep(_AGAIN_AFTER)

    async def dismiss(self) -> None:
        """End all by SIGTERM, and wait until they have gone; who does not go is killed."""
        self.dismissed = True
        for slot in self.slots.values():
            if slot.child is not None and slot.child.returncode is None:
                slot.child.send_signal(signal.SIGTERM)
        if self._manning:
            _, late = await asyncio.wait(self._manning, timeout=_LEAVES_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._manning, return_exceptions=True)


@asynccontextmanager
async def crew(
    seen: Seen, folder: Path, slots: Sequence[str], environment: Callable[[Life], Mapping[str, str]]
) -> AsyncIterator[Crew]:
    """Give a crew of which nobody has begun; whoever has is gone in the end."""
    here = Crew(seen, folder, slots, environment)
    try:
        yield here
    finally:
        await here.dismiss()


def inherited() -> dict[str, str]:
    """Return what a process needs of our own environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"PYTHONPATH": os.getcwd()}


def _brief(line: bytes) -> str:
    """Return what a line says, without what is different each time."""
    try:
        said = json.loads(line)
    except ValueError:
        return line.decode(errors="replace").strip()[:200]
    return f"{said.get('event')}: {str(said.get('exception') or said.get('error') or '')[-200:]}"
