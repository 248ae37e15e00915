"""A database of the version before, with rows in it: what it holds is kept, and its program goes on."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.model import NO_RECEIPT, AuthorId, ChannelKey, Link, State
from core.ports import UnitOfWork
from core.store import Store, connect, migrate
from core.store.tables import Row
from tests.fixtures.database import migrate_to
from tests.fixtures.queued import ANA, BUDGET, CHAT, KEY, NOW, SHOP, TEAM, at, claim, place, thread

# What the first version wrote, in its own columns and its own form of a time.
_DELIVERY = """
INSERT INTO deliveries (id, conversation_id, platform, workspace, channel, thread, event, message, project,
    author, lane, state, asked_at, accepted_at, ready_at, due_at, paused_before, attempt, maybe_charged,
    fence, has_files, told, doubtful, notice, lease_until, settled_at)
VALUES (:id, 1, 'chat', 'team', 'general', 't1', 'e-' || :id, 'm-' || :id, 'shop-demo-7f3k2', 'ana', 'key',
    :state, :at, :at, :at, :at, 1.5, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL)
"""
_LINK = """
INSERT INTO links (platform, workspace, channel, project, linked_by, linked_at)
VALUES ('chat', 'team', :channel, 'shop-demo-7f3k2', 'ana', :at)
"""
_ROWS = [
    "INSERT INTO conversations VALUES (1, 'chat', 'team', 'general', 't1', 'shop-demo-7f3k2', 0)",
    "INSERT INTO lanes VALUES ('key', 4, NULL, NULL, 0.0, 0)",
    "INSERT INTO parts VALUES ('done', 0, 'an answer', 'message 7')",
    "INSERT INTO turns VALUES (1, 1, 'done', '2026-03-02 09:00:00.000000', 'user', 'ana', 'Who?')",
]
_TABLES = ("conversations", "deliveries", "lanes", "links", "parts", "turns")
_AT = "2026-03-02 09:00:00.000000"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Return a database as the first version left it, in use."""
    engine = connect(f"sqlite:///{tmp_path / 'threadline.db'}")
    migrate_to(engine, "0001")
    with _raw(tmp_path) as rows:
        for statement in _ROWS:
            rows.execute(statement)
        for name, state in (("done", "done"), ("open", "accepted"), ("behind", "waiting")):
            rows.execute(_DELIVERY, {"id": name, "state": state, "at": _AT})
        rows.execute(_LINK, {"channel": "general", "at": _AT})
    rows.close()
    yield engine
    engine.dispose()


def test_all_that_the_version_before_kept_is_still_there(engine: Engine, tmp_path: Path) -> None:
    before = _all(tmp_path)
    assert [len(before[name]) for name in _TABLES] == [1, 3, 1, 1, 1, 1]
    migrate(engine)
    after = _all(tmp_path)
    assert {row.pop("receipt") for row in after["deliveries"]} == {""}
    assert [row.pop("answers_all") for row in after["links"]] == [0]
    new = {"rank": 0, "mark": None, "mark_due": None, "marked": None, "edited_at": None}
    assert all({name: row.pop(name) for name in new} == new for row in after["deliveries"])
    new = {"probing": 0, "failures": 0, "away_since": None, "served": 0, "suspect": None}
    assert all({name: row.pop(name) for name in new} == new for row in after["lanes"])
    assert after == before


async def test_this_version_goes_on_with_what_the_version_before_began(engine: Engine) -> None:
    migrate(engine)
    store = Store(engine)
    assert await store(lambda uow: uow.links.all(CHAT)) == [Link(place(), SHOP, ANA, NOW, answers_all=False)]

    def walk(uow: UnitOfWork) -> None:
        (one,) = claim(uow)
        assert (one.id, one.thread, one.lane, one.receipt) == ("open", thread("t1"), KEY, NO_RECEIPT)
        assert [turn.text for turn in uow.conversations.turns(one, BUDGET)] == ["Who?"]
        assert uow.conversations.move(thread("t1"), "t2")
        uow.deliveries.settle(one, State.KEPT, at(1))
        following = uow.deliveries.next_waiting(one.conversation)
        assert following is not None
        assert following.thread == thread("t2")
        assert [kept.id for kept in uow.deliveries.kept(CHAT, ANA)] == ["open"]

    await store(walk)
    await store.aclose()


async def test_the_version_before_can_still_write_its_rows(engine: Engine, tmp_path: Path) -> None:
    migrate(engine)
    with _raw(tmp_path) as rows:
        rows.execute("UPDATE deliveries SET state = 'done', settled_at = ? WHERE id = 'open'", (_AT,))
        rows.execute(_DELIVERY, {"id": "new", "state": "accepted", "at": _AT})
        rows.execute(_LINK, {"channel": "", "at": _AT})
    rows.close()
    store = Store(engine)
    (claimed,) = await store(claim)
    assert (claimed.id, claimed.receipt, claimed.author) == ("new", NO_RECEIPT, AuthorId("ana"))
    whole = await store(lambda uow: uow.links.get(ChannelKey(CHAT, TEAM)))
    assert whole is not None
    assert not whole.answers_all
    await store.aclose()


def test_defaults_and_indexes_are_those_that_the_tables_name(engine: Engine, tmp_path: Path) -> None:
    """What Alembic's own comparison leaves out."""
    migrate(engine)
    fresh = connect(f"sqlite:///{tmp_path / 'fresh.db'}")
    Row.metadata.create_all(fresh)
    assert _schema(engine) == _schema(fresh)
    fresh.dispose()


def _schema(engine: Engine) -> object:
    with engine.connect() as connection:
        columns = {
            name: {row[1:5] for row in connection.exec_driver_sql(f"PRAGMA table_info({name})")}
            for name in _TABLES
        }
        indexes = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'index'")
        return columns, {row[0] for row in indexes}


def _raw(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "threadline.db")


def _all(folder: Path) -> dict[str, list[dict[str, object]]]:
    rows = _raw(folder)
    rows.row_factory = sqlite3.Row
    try:
        return {
            name: [dict(row) for row in rows.execute(f"SELECT * FROM {name}")]  # noqa: S608 our own names
            for name in _TABLES
        }
    finally:
        rows.close()
