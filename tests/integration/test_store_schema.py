"""The database file itself: its schema, its plans, whose it is, and what is refused."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, event

from core.errors import StoreUnusable
from core.model import Amounts, ConversationId, DeliveryId, MessageId, State
from core.ports import UnitOfWork
from core.store import SoleProcess, connect, migrate
from core.store.tables import Row
from core.store.unit_of_work import SqlUnitOfWork
from tests.fixtures.queued import ANA, BUDGET, CHAT, KEY, NOW, OTHER, at, enqueue, place, question, thread


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'threadline.db'}", busy_ms=20)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "threadline.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite://host/threadline.db",
        "sqlite://host:port/threadline.db",
        "postgresql://localhost",
        "mysql://localhost/threadline",
        "nonsense://localhost",
    ],
)
def test_a_url_that_is_no_file_of_ours_is_refused(url: str) -> None:
    with pytest.raises(StoreUnusable, match="database URL"):
        connect(url)


def test_every_connection_writes_ahead_and_syncs_fully(engine: Engine) -> None:
    with engine.connect() as connection:
        told = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout")
        }
    assert told == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 20}


def test_the_migrations_make_exactly_the_tables(engine: Engine) -> None:
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Row.metadata) == []


def test_no_write_of_a_question_makes_a_table_to_judge_an_index_by(engine: Engine) -> None:
    migrate(engine)
    writes = (
        "INSERT INTO deliveries DEFAULT VALUES",
        "UPDATE deliveries SET state = ?, lane = ? WHERE id = ?",
    )
    with engine.connect() as connection:
        steps = [
            step
            for write in writes
            for step in connection.exec_driver_sql(
                f"EXPLAIN {write}", ("done", "lane", "d1")[: write.count("?")]
            )
        ]
    assert "OpenWrite" in {step.opcode for step in steps}
    assert "OpenEphemeral" not in {step.opcode for step in steps}


def test_nobody_else_on_the_machine_reads_what_people_ask(engine: Engine, tmp_path: Path) -> None:
    migrate(engine)
    with engine.connect() as connection:  # while it is open there are a log and an index beside it
        connection.exec_driver_sql("SELECT 1")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert {"threadline.db", "threadline.db-wal"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_migrating_again_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    migrate(engine)
    before = _dump(tmp_path / "threadline.db")
    migrate(engine)
    assert _dump(tmp_path / "threadline.db") == before


def test_a_newer_database_is_refused_and_left_as_it_is(engine: Engine, tmp_path: Path) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    before = _dump(tmp_path / "threadline.db")
    with pytest.raises(StoreUnusable, match="newer Threadline"):
        migrate(engine)
    assert _dump(tmp_path / "threadline.db") == before


def test_a_migration_that_fails_midway_leaves_nothing_behind(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW turns AS SELECT 'somebody' AS author")
    before = _dump(tmp_path / "threadline.db")
    with pytest.raises(StoreUnusable, match="turns already exists"):
        migrate(engine)
    assert _dump(tmp_path / "threadline.db") == before


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        ("CREATE TABLE accounts (somebody TEXT)", r"has tables already \(accounts\): name an empty one"),
        ("CREATE TABLE alembic_version (version_num TEXT)", r"has tables already \(alembic_version\)"),
        ("CREATE TABLE alembic_version AS SELECT 'ab12cd' AS version_num", "is no database of Threadline"),
    ],
)
def test_another_programs_database_is_refused_and_left_as_it_is(
    engine: Engine, tmp_path: Path, theirs: str, told: str
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(theirs)
    before = _dump(tmp_path / "threadline.db")
    with pytest.raises(StoreUnusable, match=rf"threadline\.db {told}"):
        migrate(engine)
    assert _dump(tmp_path / "threadline.db") == before


def test_a_file_that_is_no_database_is_refused(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "threadline.db"
    path.write_text("dear diary " * 500)
    with pytest.raises(StoreUnusable, match="not a database"):
        migrate(engine)
    assert path.read_text() == "dear diary " * 500


def test_a_database_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/nowhere/threadline.db")
    with pytest.raises(StoreUnusable, match="unable to open"):
        migrate(engine)
    with pytest.raises(StoreUnusable, match="nowhere"), SoleProcess(engine):
        pass


def test_a_locked_database_cannot_be_migrated(engine: Engine, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "threadline.db", isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnusable, match="locked"):
        migrate(engine)
    other.close()


def test_a_second_process_is_refused_until_the_first_has_ended(engine: Engine) -> None:
    with SoleProcess(engine):
        refused = _hold_elsewhere(str(engine.url))
        assert (refused.wait(30), _said(refused)) == (3, "held")
    holder = _hold_elsewhere(str(engine.url))
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "mine"
    with pytest.raises(StoreUnusable, match="another Threadline works on this database"), SoleProcess(engine):
        pass
    holder.kill()
    holder.communicate()
    with SoleProcess(engine) as sole:
        sole.__exit__(None, None, None)
        with SoleProcess(engine):
            pass


def _conversation(uow: UnitOfWork) -> ConversationId:
    conversation = uow.conversations.get(thread("t1"))
    assert conversation is not None
    return conversation.id


def _claim_among_much(uow: UnitOfWork) -> object:
    for number in range(70):
        enqueue(uow, f"waits {number}")
    return uow.deliveries.claim(NOW, at(10), 8, 100)


def _turns_of_claimed(uow: UnitOfWork) -> object:
    (claimed,) = uow.deliveries.claim(NOW, at(10), 8, 100)
    return uow.conversations.turns(claimed, BUDGET)


def _speakers_of_claimed(uow: UnitOfWork) -> object:
    (claimed,) = uow.deliveries.claim(NOW, at(10), 8, 100)
    return uow.conversations.speakers(claimed)


def _behind_pauses(uow: UnitOfWork) -> object:
    uow.lanes.save(uow.lanes.get(KEY).pause(NOW, at(60), busy=1))
    return uow.deliveries.behind_pauses(NOW, NOW, NOW, 9)


_SCANS = ("SCAN deliveries", "SCAN turns", "SCAN conversations", "SCAN lanes")
# Read whole, these hold no more than what is under way, or waits for somebody.
_BOUNDED = tuple(f"ix_deliveries_{name}" for name in ("leased", "open", "aside", "kept"))

Hot = Callable[[UnitOfWork], object]
_HOT: dict[str, tuple[Hot, set[str]]] = {
    "claim": (
        lambda uow: uow.deliveries.claim(NOW, at(10), 8, 100),
        {"ix_deliveries_next", "ix_deliveries_line", "ix_deliveries_leased", "sqlite_autoindex_deliveries_1"},
    ),
    "renew": (
        lambda uow: uow.deliveries.renew(uow.deliveries.claim(NOW, at(10), 8, 100), at(20)),
        {"sqlite_autoindex_deliveries_1"},
    ),
    "release_expired": (lambda uow: uow.deliveries.release_expired(NOW, ()), {"ix_deliveries_leased"}),
    "claim among much": (_claim_among_much, {"ix_deliveries_line", "sqlite_autoindex_lanes_1"}),
    "next_due": (
        lambda uow: uow.deliveries.next_due(NOW),
        {"ix_lanes_paused", "ix_deliveries_due", "ix_deliveries_next"},
    ),
    "head": (lambda uow: uow.deliveries.head(_conversation(uow)), {"uq_deliveries_head"}),
    "next_waiting": (
        lambda uow: uow.deliveries.next_waiting(_conversation(uow)),
        {"ix_deliveries_waiting"},
    ),
    "unlinked": (lambda uow: uow.deliveries.unlinked(place()), {"ix_deliveries_unlinked"}),
    "unlinked workspace": (lambda uow: uow.deliveries.unlinked(place("")), {"ix_deliveries_unlinked"}),
    "unlinked platform": (
        lambda uow: uow.deliveries.unlinked(place("", workspace="")),
        {"ix_deliveries_unlinked"},
    ),
    "kept": (lambda uow: uow.deliveries.kept(CHAT, ANA), {"ix_deliveries_kept"}),
    "fetched": (lambda uow: uow.deliveries.fetched(DeliveryId("one")), {"sqlite_autoindex_deliveries_1"}),
    "move": (
        lambda uow: uow.conversations.move(thread("t1"), "t2"),
        {"sqlite_autoindex_conversations_1", "ix_deliveries_recent"},
    ),
    "known": (
        lambda uow: uow.deliveries.known(question("new")),
        {"sqlite_autoindex_deliveries_2", "sqlite_autoindex_deliveries_3"},
    ),
    "lately": (
        lambda uow: uow.counts.lately(question("new"), _conversation(uow), NOW, Amounts(9, 9, 9, 9)),
        {"ix_deliveries_recent", "ix_deliveries_author", "ix_deliveries_channel", "ix_deliveries_open"},
    ),
    "tell_paused": (
        lambda uow: uow.deliveries.tell_paused(NOW, NOW, NOW, 100),
        {"ix_lanes_paused", "ix_deliveries_due"},
    ),
    "next_rank": (
        lambda uow: uow.deliveries.next_rank(KEY, CHAT, place().workspace),
        {"ix_deliveries_ranks"},
    ),
    "behind_pauses": (_behind_pauses, {"ix_lanes_paused", "ix_deliveries_ready"}),
    "of_message": (
        lambda uow: uow.deliveries.of_message(place(), MessageId("m-one")),
        {"sqlite_autoindex_deliveries_2"},
    ),
    "listed": (lambda uow: uow.deliveries.listed(State.BURIED, 9), {"ix_deliveries_aside"}),
    "marks due": (lambda uow: uow.marks.due(NOW, at(60), 9), {"ix_deliveries_marked"}),
    "asked": (
        lambda uow: uow.conversations.asked(DeliveryId("one")),
        {"ix_turns_said"},
    ),
    "unsettled": (lambda uow: uow.deliveries.unsettled(_conversation(uow)), {"ix_deliveries_recent"}),
    "purge": (
        lambda uow: uow.conversations.purge(CHAT, place().workspace, 9),
        {"ix_deliveries_recent", "sqlite_autoindex_parts_1"},
    ),
    "outlived": (
        lambda uow: uow.conversations.outlived(ConversationId(0), at(9), 9),
        {"ix_deliveries_recent"},
    ),
    "latest": (lambda uow: uow.counts.latest(CHAT, NOW, 9), {"ix_deliveries_accepted"}),
    "tally": (
        lambda uow: uow.deliveries.tally(NOW),
        {
            "ix_deliveries_open",
            "ix_deliveries_aside",
            "ix_deliveries_kept",
            "ix_deliveries_accepted",
            "ix_deliveries_next",
            "ix_lanes_paused",
            "ix_lanes_away",
        },
    ),
    "newest": (lambda uow: uow.deliveries.newest(), {"ix_deliveries_accepted", "ix_deliveries_open"}),
    "account": (lambda uow: uow.accounts.get(CHAT, place().workspace), {"sqlite_autoindex_accounts_1"}),
    "without account": (
        lambda uow: uow.deliveries.without_account(CHAT),
        {"ix_deliveries_open", "sqlite_autoindex_accounts_1"},
    ),
    "move of one": (lambda uow: uow.deliveries.move(OTHER, NOW, place()), {"ix_deliveries_open"}),
    "turns": (_turns_of_claimed, {"ix_turns_said"}),
    "speakers": (_speakers_of_claimed, {"ix_turns_said"}),
}


@pytest.mark.parametrize("name", list(_HOT))
def test_a_hot_statement_is_served_by_its_index(engine: Engine, name: str) -> None:
    migrate(engine)
    seen: list[tuple[str, Any]] = []
    work, indexes = _HOT[name]
    with engine.begin() as connection:
        uow = SqlUnitOfWork(connection)
        enqueue(uow, "one", thread("t1"))
        enqueue(uow, "two", thread("t1"), state=State.WAITING)
        uow.lanes.save(uow.lanes.get(KEY).pause(at(-60), NOW, busy=1))

        def note(*call: Any) -> None:
            seen.append((call[2], call[3]))

        event.listen(engine, "before_cursor_execute", note)
        work(uow)
        event.remove(engine, "before_cursor_execute", note)
        plans = [
            str(row[3])
            for statement, values in seen
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    used = {step.split(" INDEX ")[1].split(" ")[0] for step in plans if " INDEX " in step}
    assert indexes <= used, plans
    assert [step for step in plans if step.startswith(_SCANS) and not step.endswith(_BOUNDED)] == []
    unsorted = {"claim", "claim among much", "next_due", "next_waiting", "turns", "kept"}
    sorts = [step for step in plans if "TEMP B-TREE" in step and name in unsorted]
    assert sorts == []


def _dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


_HOLDER = """
import sys
from core.errors import StoreUnusable
from core.store import SoleProcess, connect
try:
    with SoleProcess(connect(sys.argv[1])):
        print("mine", flush=True)
        sys.stdin.read()
except StoreUnusable:
    print("held", flush=True)
    sys.exit(3)
"""


def _hold_elsewhere(url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 our own few lines, in our own interpreter
        [sys.executable, "-c", _HOLDER, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def _said(child: "subprocess.Popen[str]") -> str:
    told, _ = child.communicate()
    return told.strip()
