"""Row 26: a database with a page that was scribbled over is refused at the start, like any other spoilt file.

Today: exit code 1 and "DatabaseError: database disk image is malformed" after the login (deliveries), or no
refusal at all (turns, links: pages that are not read at the start). `PRAGMA quick_check` before the
migrations would find both. Belongs into tests/faults/test_disk.py.
"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.test_disk import _digest
from tests.fixtures.program import environment, program
from tests.fixtures.walk import walk


def _scribble_over(file: Path, table: str) -> None:
    whole = bytearray(file.read_bytes())
    size = int.from_bytes(whole[16:18], "big")
    with closing(sqlite3.connect(file)) as database:
        ((root,),) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,))
    whole[(root - 1) * size : root * size] = b"\xa5" * size
    file.write_bytes(whole)


@pytest.mark.parametrize("table", ["deliveries", "turns", "parts"])
async def test_row_26_a_file_with_a_scribbled_page_is_refused_and_left_byte_for_byte(
    tmp_path: Path, table: str
) -> None:
    async with walk(tmp_path) as town:
        async with town.run():
            await town.answers(await town.mention("who owns billing?"))
        file = Path(town.settings.database_url.removeprefix("sqlite:///"))
        _scribble_over(file, table)
        before, calls = _digest(file), len(town.workspace.calls)
        async with program("run", env=environment(town), folder=str(tmp_path)) as child:
            assert child.stderr is not None
            async with asyncio.timeout(30):
                said = (await child.stderr.read()).decode()
                assert await child.wait() == 2
        assert "malformed" in said
        assert _digest(file) == before
        assert len(town.workspace.calls) == calls
