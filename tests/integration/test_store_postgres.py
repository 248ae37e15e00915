"""The store over a real PostgreSQL server: what it does when the server is away, late, new, or not ours."""

import asyncio
import re
import socketserver
import sqlite3
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from core.clock import SystemClock
from core.errors import LeaseLost, StoreUnavailable, StoreUnusable
from core.model import Conversation
from core.ports import UnitOfWork
from core.store import PooledStore, connect, described, is_shared, migrate, open_store, take_time
from core.store.postgres import is_away
from core.store.tables import Row
from tests.fixtures.commands import invoke
from tests.fixtures.gate import cancelled_midway
from tests.fixtures.postgres import Postgres
from tests.fixtures.queued import SHOP, Work, enqueue, thread


@pytest_asyncio.fixture
async def engine(postgres_url: str) -> AsyncIterator[Engine]:
    engine = connect(postgres_url)
    yield engine
    engine.dispose()


@pytest_asyncio.fixture
async def store(engine: Engine) -> AsyncIterator[PooledStore]:
    store = open_store(engine)
    assert isinstance(store, PooledStore)
    yield store
    await store.aclose()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://me:s3cret@db.example/queue", "postgresql://me:***@db.example/queue"),
        (
            "postgres://me:s3cret@db.example:6432/queue?sslmode=require",
            "postgresql://me:***@db.example:6432/queue?sslmode=require",
        ),
        ("postgresql+psycopg:///queue?password=s3cret&host=/run", "postgresql:///queue?host=%2Frun"),
    ],
)
def test_a_database_is_named_without_its_secrets(url: str, told: str) -> None:
    engine = connect(url)
    assert is_shared(engine)
    assert described(engine) == told


def test_a_server_that_is_not_there_is_named_with_what_to_do_and_without_the_password() -> None:
    engine = connect("postgresql://me:s3cret@127.0.0.1:1/queue")
    with pytest.raises(
        StoreUnavailable, match=r"127\.0\.0\.1:1/queue cannot be used.*THREADLINE_DATABASE_URL"
    ) as told:
        migrate(engine)
    with pytest.raises(StoreUnavailable, match="does not tell the time"):
        take_time(engine, SystemClock())
    assert "s3cret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_database_that_is_not_there_is_named(postgres: Postgres) -> None:
    engine = connect(postgres.url_of("nowhere"))
    with pytest.raises(StoreUnusable, match='database "nowhere" does not exist'):
        migrate(engine)


@pytest.mark.parametrize(
    ("said", "raised"),
    [
        ("the database system is starting up", StoreUnavailable),
        ("the database system is shutting down", StoreUnavailable),
        ("sorry, too many clients already", StoreUnavailable),
        ("das Datenbanksystem startet", StoreUnavailable),
        ('password authentication failed for user "me"', StoreUnusable),
        ('no pg_hba.conf entry for host "127.0.0.1", user "me", database "queue"', StoreUnusable),
    ],
)
def test_who_is_not_let_in_is_told_whether_to_try_again(said: str, raised: type[Exception]) -> None:
    with _door(said) as port:
        engine = connect(f"postgresql://me@127.0.0.1:{port}/queue?sslmode=disable&gssencmode=disable")
        with pytest.raises(raised, match=re.escape(said)):
            migrate(engine)


@contextmanager
def _door(said: str) -> Iterator[int]:
    """Give the port of a server that lets nobody in, and says why; a code does not reach its client."""
    fields = b"SFATAL\0VFATAL\0C57P03\0M" + said.encode() + b"\0\0"
    reply = b"E" + struct.pack("!I", len(fields) + 4) + fields

    class Turning(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1_000)
            self.request.sendall(reply)

    with socketserver.TCPServer(("127.0.0.1", 0), Turning) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server.server_address[1]
        server.shutdown()
        serving.join()


@pytest.mark.parametrize(
    ("said", "is_so"),
    [
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.TooManyConnections(), True),
        (psycopg.OperationalError("server closed the connection unexpectedly"), True),
        (psycopg.errors.LockNotAvailable(), False),
        (psycopg.errors.DuplicateTable(), False),
        (sqlite3.OperationalError("database is locked"), False),
    ],
)
def test_a_server_is_away_whose_next_answer_may_be_another(said: Exception, is_so: bool) -> None:
    assert is_away(OperationalError("SELECT 1", {}, said)) is is_so


@pytest.mark.usefixtures("elsewhere")
async def test_a_command_without_its_server_may_be_tried_again(tmp_path: Path) -> None:
    env = {"THREADLINE_DATABASE_URL": "postgresql://me@127.0.0.1:1/queue", "HOME": str(tmp_path)}
    told = await invoke("status", env=env)
    assert (told.exit_code, "127.0.0.1:1/queue cannot be used" in told.stderr) == (1, True)


def test_the_migrations_make_exactly_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Row.metadata) == []


async def test_processes_that_begin_at_once_on_an_empty_database_migrate_it_once(postgres: Postgres) -> None:
    with postgres.database() as url:
        engines = [connect(url) for _ in range(3)]
        await asyncio.gather(*[asyncio.to_thread(migrate, engine) for engine in engines])
        store = PooledStore(engines[0])
        assert (await store(_opening("a"))).thread == thread("a")
        await store.aclose()
        for engine in engines:
            engine.dispose()


def test_a_newer_database_is_refused(postgres: Postgres) -> None:
    with postgres.database() as url:
        engine = connect(url)
        migrate(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(StoreUnusable, match="newer Threadline"):
            migrate(engine)
        engine.dispose()


async def test_what_a_piece_of_work_raises_is_its_callers_and_leaves_nothing(store: PooledStore) -> None:
    def spill(uow: UnitOfWork) -> None:
        uow.conversations.open(thread("a"), SHOP)
        raise LeaseLost

    with pytest.raises(LeaseLost):
        await store(spill)
    assert await store(_finding("a")) is None


async def test_what_the_database_refuses_each_time_is_unavailable_in_the_end(store: PooledStore) -> None:
    begun = []

    def twice(uow: UnitOfWork) -> None:
        begun.append(1)
        enqueue(uow, "one")
        enqueue(uow, "one")

    with pytest.raises(StoreUnavailable, match="duplicate key"):
        await store(twice)
    assert len(begun) == 5
    assert await store(_finding("t-one")) is None


async def test_what_the_database_cannot_take_is_not_tried_again(store: PooledStore) -> None:
    begun = []

    def unheard(uow: UnitOfWork) -> None:
        begun.append(1)
        uow.conversations.open(thread("nul \0"), SHOP)

    with pytest.raises(StoreUnavailable, match="NUL"):
        await store(unheard)
    assert len(begun) == 1


async def test_work_whose_caller_is_cancelled_midway_is_still_done_whole(
    store: PooledStore, postgres_url: str
) -> None:
    with pytest.raises(asyncio.CancelledError):
        await (await cancelled_midway(store))
    await store.aclose()  # which waits for it
    again = PooledStore(connect(postgres_url))
    assert [await again(_finding(name)) is not None for name in "ab"] == [True, True]
    await again.aclose()


async def test_a_closed_store_takes_nothing_more(store: PooledStore) -> None:
    await store.aclose()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store(_opening("a"))


async def test_connections_that_were_lost_are_made_anew_and_nobody_notices(
    store: PooledStore, engine: Engine
) -> None:
    await asyncio.gather(*[store(_opening(f"t{number}")) for number in range(6)])
    _end_connections(engine)
    found = await asyncio.gather(*[store(_finding(f"t{number}")) for number in range(6)])
    assert [one.thread for one in found if one is not None] == [thread(f"t{number}") for number in range(6)]


async def test_a_connection_that_is_lost_in_the_commit_is_told_and_not_tried_again(
    store: PooledStore, engine: Engine
) -> None:
    """Whether it was done nobody knows: whoever asked finds out when they ask again."""
    begun = []

    def work(uow: UnitOfWork) -> Conversation:
        begun.append(1)
        return uow.conversations.open(thread("a"), SHOP)

    await store(_finding("a"))
    event.listen(engine, "commit", lambda _: _end_connections(engine), once=True)
    with pytest.raises(StoreUnavailable, match="terminating connection"):
        await store(work)
    assert len(begun) == 1
    assert (await store(work)).thread == thread("a")


async def test_a_server_that_ends_is_unavailable_at_once_and_back_as_soon_as_it_is(
    postgres: Postgres, store: PooledStore
) -> None:
    if not postgres.is_ours:
        pytest.skip("a server of somebody else is not to be restarted")
    await store(_opening("before"))
    postgres.kill()
    try:
        with pytest.raises(StoreUnavailable, match="OperationalError"):
            await asyncio.wait_for(store(_opening("meanwhile")), 5)
    finally:
        postgres.restart()
    assert await store(_finding("before")) is not None
    assert (await store(_opening("after"))).thread == thread("after")


def _end_connections(engine: Engine) -> None:
    """Have the server end every other connection to the database."""
    ending = connect(engine.url.render_as_string(hide_password=False))
    with ending.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    ending.dispose()


def _opening(name: str) -> Work[Conversation]:
    return lambda uow: uow.conversations.open(thread(name), SHOP)


def _finding(name: str) -> Work[Conversation | None]:
    return lambda uow: uow.conversations.get(thread(name))
