"""The programs under test, each in a process of its own: how they start, and what they use."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from socket import create_server

from tests.bench import assistant

_ROOT = Path(__file__).resolve().parents[2]
_RELAYS = Path(__file__).with_name("relays")
_TICK = os.sysconf("SC_CLK_TCK")
#: The cores that all of this may have.
AT_START = os.sched_getaffinity(0)
_PATIENCE = 60.0  #: seconds until a program that does not start, or does not end, is given up

#: Threadline's file in its folder.
DATABASE = "threadline.db"


class Name(Enum):
    """What is measured."""

    FLOOR = "floor"
    PLAIN = "plain"
    THREADLINE = "threadline"


@dataclass(frozen=True, slots=True)
class Use:
    """What a process has used: seconds of CPU time so far; resident memory now and at most so far, in MiB.

    `others`: seconds for which others have had its core so far, since the machine was started.
    """

    cpu: float
    others: float
    resident: float
    peak: float


@dataclass(eq=False)
class Child:
    """A running program."""

    process: asyncio.subprocess.Process
    log: Path

    def use(self) -> Use:
        """Look at what it uses (proc(5))."""
        where = Path("/proc") / str(self.process.pid)
        fields = (where / "stat").read_text().rpartition(")")[2].split()
        lines = (line.split() for line in (where / "status").read_text().splitlines())
        sizes = {line[0]: int(line[1]) / 1024 for line in lines if line[0] in {"VmRSS:", "VmHWM:"}}
        cpu = (int(fields[11]) + int(fields[12])) / _TICK
        return Use(cpu, _busy(cores()[0]) - cpu, sizes["VmRSS:"], sizes["VmHWM:"])


def _busy(these: set[int]) -> float:
    """Return the seconds for which cores have done something: user, nice, system, interrupts, stolen."""
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    counts = [line[1:] for line in lines if line[0] in {f"cpu{core}" for core in these}]
    return sum(int(line[at]) for line in counts for at in (0, 1, 2, 5, 6, 7)) / _TICK


def cores() -> tuple[set[int], set[int]]:
    """Return the program's core, and the load's: the same where there is only one."""
    first, *others = sorted(AT_START)
    return {first}, set(others) or {first}


def environment(
    name: Name, side: Mapping[str, str], *, port: int, folder: Path, chat: str, concurrency: int
) -> dict[str, str]:
    """Return all that a program is told: for Threadline its documented variables, and no others."""
    common = {one: os.environ[one] for one in ("PATH", "HOME") if one in os.environ} | dict(side)
    if name is not Name.THREADLINE:
        return common | {
            "PORT": str(port),
            "CHAT_URL": f"{chat}/v1/projects/{assistant.PROJECT}/ai/chat",
            "CHAT_KEY": assistant.KEY,
            "DATABASE": str(folder / "floor.db"),
        }
    return common | {
        "PYTHONPATH": str(_ROOT),
        "MICROVISUALIZER_API_URL": chat,
        "MICROVISUALIZER_API_KEY": assistant.KEY,
        "THREADLINE_DATABASE_URL": f"sqlite:///{folder / DATABASE}",
        "THREADLINE_DEFAULT_PROJECT": assistant.PROJECT,
        "THREADLINE_HTTP_PORT": str(port),
        "THREADLINE_CONCURRENCY": str(concurrency),
        "THREADLINE_QUESTIONS_PER_PERSON": "off",
        "THREADLINE_QUESTIONS_PER_CHANNEL": "off",
        "THREADLINE_QUEUE_LIMIT": "off",
    }


@asynccontextmanager
async def started(
    name: Name,
    told: Mapping[str, str],
    port: int | None,
    folder: Path,
    *,
    role: str = "all",
    place: set[int] | None = None,
) -> AsyncIterator[Child]:
    """Run a program, and wait until it listens at its port, if it does; end it at last.

    It runs on a core of its own, or at its `place`. The `role` is Threadline's.
    """
    ours = ["-m", "bots", "run", "--role", role]
    command = ours if name is Name.THREADLINE else [str(_RELAYS / f"{name.value}.py")]
    path = folder / f"{name.value}.log"
    with path.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, env=told, cwd=folder, stdout=log, stderr=log
        )
    os.sched_setaffinity(process.pid, place or cores()[0])
    child = Child(process, path)
    try:
        if port is not None:
            await asyncio.wait_for(_listens(child, port), _PATIENCE)
        yield child
    finally:
        await _end(child)


def free_port() -> int:
    """Return a port that nobody has now."""
    with create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def _listens(child: Child, port: int) -> None:
    while True:
        if child.process.returncode is not None:
            raise RuntimeError(f"a program has ended by itself: {child.log.read_text()[-2000:]}")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


async def _end(child: Child) -> None:
    if child.process.returncode is None:
        child.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(child.process.wait(), 5)
        except TimeoutError:
            child.process.kill()
            await child.process.wait()
