"""The program as a process of its own, and what it takes of the machine while it runs."""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.clock import Clock
from tests.faults.load.crowd import Crowd

_EVERY = 0.5  #: seconds between looks
_LEAVES_WITHIN = 40.0
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Look:
    """What a process takes at one moment: memory in MiB, open files, and how much it has done by then."""

    done: int
    memory: float
    files: int


@dataclass(eq=False, slots=True)
class Program:
    """A running `threadline run`, with the looks that were taken at it."""

    pid: int
    looks: list[Look] = field(default_factory=list)

    def memory(self, warm: int) -> tuple[float, float]:
        """Return MiB at the end and how much they grew with each 1,000 done, after `warm` were done.

        The growth is the slope of the straight line through all looks since then.
        """
        since = [one for one in self.looks if one.done >= warm] or self.looks[-1:]
        done = [float(one.done) for one in since]
        slope = 0.0
        if len(set(done)) > 1:
            slope = statistics.linear_regression(done, [one.memory for one in since]).slope
        return since[-1].memory, slope * 1000

    def files(self, warm: int) -> tuple[int, int, float]:
        """Return the fewest and the most open files since `warm` were done, and by how many they have grown.

        The growth is from the middle of the first fifth of the looks to that of the last.
        """
        files = [one.files for one in self.looks if one.done >= warm] or [self.looks[-1].files]
        fifth = max(1, len(files) // 5)
        return min(files), max(files), statistics.median(files[-fifth:]) - statistics.median(files[:fifth])


def look(pid: int, done: int) -> Look:
    """Look at a process, by /proc or, where there is none, by ps and lsof."""
    proc = Path(f"/proc/{pid}")
    if proc.exists():
        pages = int((proc / "statm").read_text().split()[1])
        return Look(done, pages * os.sysconf("SC_PAGE_SIZE") / _MEBIBYTE, len(os.listdir(proc / "fd")))
    kibibytes = int(_said("ps", "-o", "rss=", "-p", str(pid)))
    return Look(done, kibibytes / 1024, len(_said("lsof", "-p", str(pid)).splitlines()) - 1)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 fixed words


@asynccontextmanager
async def program(here: Crowd, **more: str) -> AsyncIterator[Program]:
    """Run the program against the crowd's servers; it is ended by SIGTERM, and must end well.

    `more` goes into its environment. What it logs is in `program.log` in the crowd's folder. Raises
    RuntimeError if it ended otherwise.
    """
    with await asyncio.to_thread((here.folder / "program.log").open, "ab") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bots", "run", env=here.environment() | more, cwd=here.folder, stderr=log
        )
    watched = Program(child.pid)
    watching: asyncio.Task[None] | None = None
    try:
        await here.connected()
        watching = asyncio.create_task(_watch(watched, here.clock, lambda: here.answered))
        yield watched
        watching.cancel()
        child.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(child.wait(), _LEAVES_WITHIN)
        if code:
            raise RuntimeError(f"the program ended with {code}: see {here.folder / 'program.log'}")
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        if child.returncode is None:
            child.send_signal(signal.SIGKILL)
            await child.wait()


async def _watch(program: Program, clock: Clock, done: Callable[[], int]) -> None:
    while True:
        program.looks.append(await asyncio.to_thread(look, program.pid, done()))
        await clock.sleep(_EVERY)
