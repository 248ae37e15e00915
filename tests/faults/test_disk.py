"""Row 26: a disk that fills up under the running program, and a file that it must not begin with."""

import asyncio
import hashlib
import resource
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from bots.demo.assistant.faults import hold, rate_limited
from bots.demo.slack import Hold
from tests.faults.rows import Note
from tests.fixtures.guild import ShiftedClock
from tests.fixtures.program import environment, program
from tests.fixtures.walk import Walk

Child = asyncio.subprocess.Process
FREE = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@asynccontextmanager
async def _disk_full(child: Child) -> AsyncIterator[None]:
    """Have every write of the program to a file fail, until it has said so in its log."""
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    yield
    assert child.stderr is not None
    while b"store unavailable" not in (line := await child.stderr.readline()):
        assert line, "the program has ended"
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, FREE)


async def _accepting(town: Walk, child: Child) -> tuple[str, int]:
    town.workspace.subscriptions -= {"message.channels"}
    slacks = town.workspace.clock = ShiftedClock()
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    ts = await town.mention("who consumes order.created?")
    await town.workspace.until(lambda: len(town.workspace.deliveries) == 1)
    assert not town.workspace.deliveries[0].acked
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, FREE)
    slacks.advance(60)
    await town.acknowledged()
    return ts, 1


async def _claiming(town: Walk, child: Child) -> tuple[str, int]:
    town.assistant.faults.add(rate_limited("2"))
    ts = await town.mention("who consumes order.created?")
    await town.workspace.until(lambda: "next try" in town.workspace.status(town.general, ts))
    await town.acknowledged()
    async with _disk_full(child):
        pass
    return ts, 2


async def _storing_the_answer(town: Walk, child: Child) -> tuple[str, int]:
    held = hold()
    town.assistant.faults.add(held)
    ts = await town.mention("who consumes order.created?")
    await town.assistant.wait_for_calls(1)
    await town.acknowledged()
    async with _disk_full(child):
        held.release()
        await town.assistant.wait_for_finished(1)
    return ts, 1


async def _recording_the_post(town: Walk, child: Child) -> tuple[str, int]:
    held = Hold(after=True)
    town.workspace.faults.add("chat.postMessage", held)
    ts = await town.mention("who consumes order.created?")
    await held.held.wait()
    async with _disk_full(child):
        held.release()
    return ts, 1


@pytest.mark.parametrize("write", [_accepting, _claiming, _storing_the_answer, _recording_the_post])
async def test_row_26_a_disk_that_is_full_at_a_write_costs_neither_question_nor_answer(
    town: Walk,
    tmp_path: Path,
    write: Callable[[Walk, Child], Awaitable[tuple[str, int]]],
    record_property: Note,
) -> None:
    async with program("run", env=environment(town), folder=str(tmp_path)) as child:
        await town.workspace.until(lambda: town.slack.socket_connections)
        ts, calls = await write(town, child)
        (answer,) = await town.answers(ts)
        await town.answers(await town.mention("who owns billing?"))
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0
    assert "billing" in answer
    assert len(town.posted(ts)) == 1
    assert len(town.assistant.journal) == calls + 1
    assert town.states() == ["done", "done"]
    assert town.sql("PRAGMA integrity_check") == [("ok",)]
    record_property(f"row 26: {write.__name__}: calls per question", calls)


def _no_database(file: Path) -> str:
    file.write_text("dear diary " * 5000)
    return "not a database"


def _newer(file: Path) -> str:
    _change(file, "UPDATE alembic_version SET version_num = '9999'")
    return "newer Threadline"


def _cut_short(file: Path) -> str:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    return "malformed"


def _change(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute(statement)
        database.commit()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("spoil", [_no_database, _newer, _cut_short])
async def test_row_26_a_file_it_cannot_use_is_refused_with_the_reason_and_left_byte_for_byte(
    town: Walk, tmp_path: Path, spoil: Callable[[Path], str]
) -> None:
    async with town.run():
        await town.answers(await town.mention("who owns billing?"))
    file = Path(town.settings.database_url.removeprefix("sqlite:///"))
    reason = spoil(file)
    before = _digest(file)
    calls = len(town.workspace.calls)
    async with program("run", env=environment(town), folder=str(tmp_path)) as child:
        assert child.stderr is not None
        async with asyncio.timeout(30):
            said = (await child.stderr.read()).decode()
            assert await child.wait() == 2
    assert reason in said
    assert "Traceback" not in said
    assert _digest(file) == before
    assert len(town.workspace.calls) == calls  # Slack was not even told that we are there
