"""An SQLite file is copied to PostgreSQL: every table, every kind of row; whole, or not at all."""

import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, event, inspect, select

from core.errors import StoreUnavailable, StoreUnusable
from core.services.leases import take_over
from core.store import Deed, Migrated, Step, connect, copy, migrate
from core.store.comparing import BATCH, Checksum, batches
from core.store.schema import take_turn
from core.store.tables import ConversationRow, DeliveryRow, LaneRow, Row, TurnRow, table
from core.store.unit_of_work import SqlUnitOfWork
from core.store.workspace_tables import InstallationRow
from tests.fixtures.database import empty_database
from tests.fixtures.filled import contents, fill, looking_at
from tests.fixtures.postgres import Postgres
from tests.fixtures.queued import at, claim, enqueue, thread

_MANY = BATCH + 1
_HASTY = "-c%20idle_in_transaction_session_timeout=100ms"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(empty_database(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture
def target(postgres_url: str) -> Iterator[Engine]:
    engine = connect(postgres_url)
    yield engine
    engine.dispose()


def _ignore(_: Step) -> None:
    """Look at no step."""


def _leave(*_: object) -> None:
    """Settle nothing."""


def test_every_row_of_every_table_is_the_same_on_the_other_side(
    source: Engine, target: Engine, postgres_url: str
) -> None:
    fill(source, _MANY)
    steps: list[Step] = []
    copied = copy(source, target, steps.append, _leave)
    with looking_at(str(source.url)) as before, looking_at(postgres_url) as after:
        kept = contents(before)
        assert contents(after) == kept
    assert {one.name: one.rows for one in copied.tables} == dict.fromkeys(kept, _MANY)
    assert len({one.checksum for one in copied.tables}) == len(kept)
    assert copied.without_nul == 0
    assert [step.share for step in steps] == sorted(step.share for step in steps)
    assert steps[-1].share == 1
    told = {(step.deed, step.table) for step in steps if step.done == step.rows == _MANY}
    assert told == {(deed, name) for deed in Deed for name in kept}


def test_no_table_that_the_migrations_make_is_left_out(source: Engine, target: Engine) -> None:
    copied = {one.name for one in copy(source, target, _ignore, _leave).tables}
    for engine in (source, target):
        assert copied == set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_a_database_without_tables_has_them_afterwards_and_an_empty_copy_is_one(
    source: Engine, postgres: Postgres
) -> None:
    with postgres.database() as url:
        target, steps = connect(url), list[Step]()
        copied = copy(source, target, steps.append, _leave)
        assert {one.rows for one in copied.tables} == {0}
        assert {step.share for step in steps} == {1.0}
        assert migrate(target).before == migrate(source).after
        target.dispose()


def test_ids_go_on_behind_all_that_were_ever_given(source: Engine, target: Engine) -> None:
    """Also behind those of what was purged: a conversation's id is never given again."""
    fill(source, 9)
    conversations, turns = table(ConversationRow), table(TurnRow)
    with source.begin() as connection:
        connection.execute(conversations.delete().where(conversations.c.id > 4))
    copy(source, target, _ignore, _leave)
    with target.begin() as connection:
        opened = SqlUnitOfWork(connection).conversations.open(thread("new"), None)
        said = connection.execute(
            turns.insert()
            .values(conversation_id=opened.id, delivery_id="new", asked_at=at(0), role="user", content="?")
            .returning(turns.c.id)
        ).scalar_one()
    assert (opened.id, said) == (10, 10)


def test_a_nul_goes_and_nothing_else_of_its_text(source: Engine, target: Engine) -> None:
    fill(source, 3)
    turns = table(TurnRow)
    with source.begin() as connection:
        connection.execute(turns.update().values(content="who\0 calls\0\0 billing?"))
        connection.execute(turns.update().where(turns.c.id == 2).values(author="\0"))
    assert copy(source, target, _ignore, _leave).without_nul == 4
    with target.begin() as connection:
        said = connection.execute(select(turns.c.content, turns.c.author).order_by(turns.c.id)).all()
    assert {content for content, _ in said} == {"who calls billing?"}
    assert said[1].author == ""


def test_what_was_under_way_is_free_at_once_on_the_other_side(source: Engine, target: Engine) -> None:
    """Whatever the clock of the machine showed that wrote it: there the server's counts."""
    with source.begin() as connection:
        uow = SqlUnitOfWork(connection)
        enqueue(uow, "one", accepted=9e8, due=9e8)  # a clock that is decades ahead
        assert claim(uow, 9e8) != []
    copy(source, target, _ignore, take_over)
    with target.begin() as connection:
        now = datetime.now(UTC) + timedelta(seconds=5)
        (again,) = SqlUnitOfWork(connection).deliveries.claim(now, now, 8, 8)
    assert again.id == "one"


def test_the_target_waits_as_long_as_the_source_is_read(source: Engine, postgres_url: str) -> None:
    """A file of many gigabytes is counted, and looked at, before the first row goes over."""
    hasty = connect(f"{postgres_url}{'&' if '?' in postgres_url else '?'}options={_HASTY}")
    fill(source, 3)

    def slowly(step: Step) -> None:
        if (step.deed, step.table, step.done) == (Deed.COPY, "turns", 0):
            threading.Event().wait(0.25)

    assert copy(source, hasty, slowly, _leave).tables
    hasty.dispose()


def test_a_copy_that_breaks_off_leaves_the_target_as_it_was(
    source: Engine, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    fill(source, _MANY)
    for deed in Deed:
        with postgres.database() as url:
            target = connect(url)

            def break_off(step: Step, url: str = url, deed: Deed = deed) -> None:
                if step.deed is deed and step.table == "turns" and step.done == BATCH:
                    _end_all_others(url)

            with pytest.raises(StoreUnavailable, match="has all of it or nothing") as told:
                copy(source, target, break_off, _leave)
            assert "\n" not in str(told.value)
            assert caplog.records == []  # no traceback of the pool's
            assert inspect(target).get_table_names() == []
            assert len(copy(source, target, _ignore, _leave).tables) == len(Row.metadata.tables)
            target.dispose()


def test_what_the_target_cannot_keep_is_told_without_the_row(source: Engine, target: Engine) -> None:
    fill(source, 3)
    lanes = table(LaneRow)
    with source.begin() as connection:
        connection.execute(lanes.update().values(served=2**40 + 3))
    with pytest.raises(StoreUnavailable, match="out of range for type integer") as told:
        copy(source, target, _ignore, _leave)
    assert "COPY" not in str(told.value)
    with target.begin() as connection:
        assert not any(contents(connection).values())


def test_what_came_out_different_is_told_and_not_kept(source: Engine, target: Engine) -> None:
    fill(source, 3)
    with target.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.told = NOT NEW.told; RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER spoil BEFORE INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION spoil()"
        )
    try:
        with pytest.raises(
            StoreUnavailable, match="what the target has of deliveries is not what was copied"
        ):
            copy(source, target, _ignore, _leave)
        with target.begin() as connection:
            assert not any(contents(connection).values())
    finally:
        with target.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION spoil CASCADE")


def test_a_process_that_starts_meanwhile_waits_for_the_end_of_it(source: Engine, postgres: Postgres) -> None:
    fill(source, 3)
    with postgres.database() as url:
        target, other, found = connect(url), connect(url), list[Migrated]()
        starting = threading.Thread(target=lambda: found.append(migrate(other)))

        def start(step: Step) -> None:
            if starting.ident is None:
                starting.start()

        copy(source, target, start, _leave)
        starting.join(20)
        assert [one.before for one in found] == [migrate(source).after]  # it has seen all that was made
        for engine in (target, other):
            engine.dispose()


def test_nobody_writes_into_the_file_meanwhile(source: Engine, target: Engine) -> None:
    fill(source, 3)
    refused: list[str] = []

    def write(_: Step) -> None:
        other = connect(str(source.url), busy_ms=1)
        with pytest.raises(Exception, match="locked") as told, other.begin():
            pass
        refused.append(str(told.value))
        other.dispose()

    copy(source, target, write, _leave)
    assert refused


Spoil = Callable[[Engine], object]


def _executing(statement: str) -> Spoil:
    def spoil(engine: Engine) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_executing("UPDATE alembic_version SET version_num = '0003'"), "run `threadline db migrate` on it"),
        (_executing("UPDATE alembic_version SET version_num = '9999'"), "made by a newer Threadline"),
        (_executing("DROP TABLE alembic_version"), "is no database of Threadline"),
    ],
)
def test_a_source_of_another_schema_is_refused(
    source: Engine, target: Engine, spoil: Spoil, told: str
) -> None:
    spoil(source)
    with pytest.raises(StoreUnusable, match=f"the source at .*threadline.db .*{told}"):
        copy(source, target, _ignore, _leave)


def test_a_source_that_is_no_database_is_refused(target: Engine, tmp_path: Path) -> None:
    (tmp_path / "diary.db").write_text("dear diary " * 500)
    with pytest.raises(StoreUnusable, match=r"the source at .*diary\.db cannot be used: .*not a database"):
        copy(connect(f"sqlite:///{tmp_path}/diary.db"), target, _ignore, _leave)


def test_a_source_into_which_somebody_writes_is_refused(source: Engine, target: Engine) -> None:
    hasty = connect(str(source.url), busy_ms=1)
    with source.begin(), pytest.raises(StoreUnusable, match="cannot be used: database is locked"):
        copy(hasty, target, _ignore, _leave)
    hasty.dispose()


def test_a_target_with_rows_is_refused_and_left_as_it_is(source: Engine, target: Engine) -> None:
    fill(source, 3)
    copy(source, target, _ignore, _leave)
    with target.begin() as connection:
        connection.execute(table(DeliveryRow).delete())
        before = contents(connection)
    with pytest.raises(StoreUnusable, match=r"is not empty \(accounts, conversations, departures, inst"):
        copy(source, target, _ignore, _leave)
    with target.begin() as connection:
        assert contents(connection) == before


def test_a_target_on_which_a_process_lives_is_refused_though_it_is_empty(
    source: Engine, target: Engine, postgres_url: str
) -> None:
    living = connect(postgres_url)
    with living.connect(), pytest.raises(StoreUnusable, match="a Threadline is at work on the target"):
        copy(source, target, _ignore, _leave)
    living.dispose()


def test_a_target_that_another_migrates_or_copies_to_is_refused(
    source: Engine, target: Engine, postgres_url: str
) -> None:
    named_otherwise = connect(f"{postgres_url}{'&' if '?' in postgres_url else '?'}application_name=other")
    with named_otherwise.begin() as connection:
        assert take_turn(connection)
        with pytest.raises(StoreUnusable, match="a Threadline is at work on the target"):
            copy(source, target, _ignore, _leave)
    named_otherwise.dispose()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_keep_every_text_is_refused(
    source: Engine, postgres: Postgres, postgres_url: str, encoding: str
) -> None:
    name = f"threadline_test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
        target = connect(postgres.url_of(name))
        try:
            with pytest.raises(StoreUnusable, match="ENCODING 'UTF8'"):
                copy(source, target, _ignore, _leave)
            with pytest.raises(StoreUnusable, match=rf"{name}.* ENCODING 'UTF8'"):
                migrate(target)
            assert inspect(target).get_table_names() == []
        finally:
            target.dispose()
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_target_with_tables_of_another_program_is_refused(source: Engine, postgres: Postgres) -> None:
    with postgres.database() as url:
        target = connect(url)
        with target.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE theirs (somebody TEXT)")
        with pytest.raises(StoreUnusable, match=r"has tables already \(theirs\): name an empty one"):
            copy(source, target, _ignore, _leave)
        assert inspect(target).get_table_names() == ["theirs"]
        target.dispose()


def test_a_target_that_is_not_there_is_named_without_its_password(source: Engine) -> None:
    target = connect("postgresql://me:s3cret@127.0.0.1:1/queue")
    with pytest.raises(
        StoreUnavailable, match=r"the target at .*127\.0\.0\.1:1/queue cannot be used"
    ) as told:
        copy(source, target, _ignore, _leave)
    assert "s3cret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_table_is_read_by_its_key_a_batch_at_a_time(source: Engine) -> None:
    fill(source, _MANY)
    statements: list[tuple[str, object]] = []
    with source.begin() as connection:

        def note(*call: object) -> None:
            statements.append((str(call[2]), call[3]))

        event.listen(source, "before_cursor_execute", note)
        sizes = [len(batch) for batch in batches(connection, table(InstallationRow))]
        event.remove(source, "before_cursor_execute", note)
        plans = [
            str(row[3])
            for statement, values in statements
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]  # as the driver had them
        ]
    assert sizes == [BATCH, 1]
    assert all("USING INDEX" in step for step in plans), plans
    assert sum("SEARCH" in step for step in plans) == len(sizes)


def test_a_checksum_tells_apart_what_is_different_and_nothing_else() -> None:
    def of(*rows: list[object]) -> str:
        checksum = Checksum()
        for row in rows:
            checksum.add(row)
        return checksum.told

    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    there = noon.astimezone(timezone(timedelta(hours=5, minutes=30)))
    same: list[tuple[list[object], list[object]]] = [
        ([noon], [there]),
        ([b"\0\xff"], [memoryview(b"\0\xff")]),
        ([bytearray(b"a")], [b"a"]),
        ([{"b": 1, "a": [None, "ü"]}], [{"a": [None, "ü"], "b": 1}]),
    ]
    for here, elsewhere in same:
        assert of(here) == of(elsewhere)
    different: list[list[object]] = [
        [None],
        [""],
        [0],
        [False],
        ["0"],
        [0.5],
        [b"0"],
        [noon],
        ["a", "b"],
        ["b", "a"],
        ["ab"],
    ]
    assert len({of(row) for row in different}) == len(different)
    assert of(["a"], ["b"]) != of(["b"], ["a"])
    with pytest.raises(TypeError, match="no form"):
        of([object()])


def _end_all_others(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
