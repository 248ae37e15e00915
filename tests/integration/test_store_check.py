"""A database is read once before it is trusted."""

import sqlite3
from pathlib import Path

import pytest

from core.errors import StoreUnusable
from core.store import check, connect, migrate


def test_a_sound_database_is_trusted(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'threadline.db'}")
    migrate(engine)
    check(engine)
    engine.dispose()


def test_a_spoilt_page_is_found_and_named(tmp_path: Path) -> None:
    file = tmp_path / "threadline.db"
    engine = connect(f"sqlite:///{file}")
    migrate(engine)
    engine.dispose()
    whole = bytearray(file.read_bytes())
    size = int.from_bytes(whole[16:18], "big")
    with sqlite3.connect(file) as database:
        ((root,),) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'turns'")
    database.close()
    whole[(root - 1) * size : root * size] = b"\xa5" * size
    file.write_bytes(whole)
    spoilt = connect(f"sqlite:///{file}")
    with pytest.raises(StoreUnusable, match="malformed"):
        check(spoilt)
    spoilt.dispose()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "threadline.db"
    file.write_bytes(b"no database" * 1000)
    engine = connect(f"sqlite:///{file}")
    with pytest.raises(StoreUnusable, match="not a database"):
        check(engine)
    engine.dispose()
