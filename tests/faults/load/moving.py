"""A large installation is moved from SQLite to PostgreSQL by the real command: `run` measures it."""

import asyncio
import re
import sqlite3
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg

from tests.bench.stored import stored
from tests.faults.load.evidence import carried_out
from tests.faults.report import Report
from tests.fixtures.postgres import server

_CONVERSATIONS = 100_000
_EACH = 3  #: settled questions in a conversation, each with its answer
_WAITING = 100
_MOST_GROWTH = 48  #: MiB; all of it takes a few hundred

# One part of an answer for each question that is settled.
_PARTS = "INSERT INTO parts SELECT id, 0, 'what was answered, as it was shown', 'm' || id FROM deliveries "
# The command, and what it took: the memory before it and at most, in KiB.
_COMMAND = """
import sys
from bots.cli import app
from tests.faults.peak import peak
before = peak()
app(sys.argv[1:], standalone_mode=False)
print("memory", before, peak())
"""


async def run(scale: float = 1.0, seed: str = "") -> Report:
    """Move 100,000 conversations with 600,000 turns; `scale` has fewer or more moved."""
    conversations = max(_WAITING + 1, round(_CONVERSATIONS * scale))

    async def carry_out(folder: Path, _: str) -> Report:
        file = folder / "threadline.db"
        await asyncio.to_thread(_make, file, conversations)
        with server() as postgres, postgres.database() as url:
            began = time.monotonic()
            code, said = await _moved(file, url)
            seconds = time.monotonic() - began
            there = await asyncio.to_thread(_rows_there, url) if code == 0 else {}
        return _report(code, said, _rows_here(file), there, file.stat().st_size, seconds)

    return await carried_out("move", seed, carry_out)


def _make(file: Path, conversations: int) -> None:
    stored(file, rows=(conversations - _WAITING) * _EACH + _WAITING, waiting=_WAITING, each=_EACH)
    with closing(sqlite3.connect(file)) as database:
        database.execute(f"{_PARTS} WHERE state = 'done'")
        database.commit()


async def _moved(file: Path, url: str) -> tuple[int | None, str]:
    command = ("db", "copy", "--from", f"sqlite:///{file}", "--to", url)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _COMMAND,
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await child.communicate()
    return child.returncode, said.decode()


def _report(
    code: int | None,
    said: str,
    here: Mapping[str, int],
    there: Mapping[str, int],
    size: int,
    seconds: float,
) -> Report:
    if code != 0:
        return Report("move", {}, [f"it ended with {code}: {said.strip()[-500:]}"])
    before, most = map(int, re.findall(r"^memory (\d+) (\d+)$", said, re.MULTILINE)[0])
    growth, rows = (most - before) / 1024, sum(here.values())
    faults = [
        f"{name}: {here[name]} rows here, {there.get(name)} there"
        for name in here
        if here[name] != there.get(name)
    ]
    if growth > _MOST_GROWTH:
        faults.append(f"its memory grew by {growth:.0f} MiB, and {_MOST_GROWTH} are allowed")
    figures = {
        "conversations, turns": f"{here['conversations']:,}, {here['turns']:,}",
        "rows, of which the file has": f"{rows:,}, {size / 2**20:.0f} MiB",
        "copied and compared in": f"{seconds:.0f} s, {rows / seconds:,.0f} rows a second",
        "resident memory at most": f"{most / 1024:.0f} MiB, {growth:.0f} more than before it began",
    }
    return Report("move", figures, faults)


def _rows_here(file: Path) -> Mapping[str, int]:
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    with closing(sqlite3.connect(file)) as database:
        names = [name for (name,) in database.execute(tables)]
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}  # noqa: S608 its own names


def _rows_there(url: str) -> Mapping[str, int]:
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    with psycopg.connect(url) as database:
        names = [str(name) for (name,) in database.execute(tables)]
        counted = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone() for name in names}  # noqa: S608 its own names
    return {name: found[0] for name, found in counted.items() if found is not None}
