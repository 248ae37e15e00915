"""The connection to the database, and the file that keeps a second process off a SQLite one."""

import fcntl
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import StoreUnusable
from core.store import postgres

_BUSY_MS = 10_000
# Of what may be said in a URL's query (postgresql.org/docs/current/libpq-connect.html).
_SECRET = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")


def connect(url: str, *, busy_ms: int = _BUSY_MS) -> Engine:
    """Return an engine for a `sqlite:///` or a `postgresql://` URL. Raises StoreUnusable for any other.

    `busy_ms` is how long to wait for a lock that another process holds on an SQLite file.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreUnusable(
            "not a database URL: it is sqlite:///FILE or postgresql://USER@HOST/DATABASE"
        ) from error
    return postgres.engine_of(parsed) if postgres.is_postgres(parsed) else _sqlite(parsed, busy_ms)


def is_shared(engine: Engine) -> bool:
    """Tell whether other processes may work on the same database: then nobody is the only one."""
    return engine.dialect.name == "postgresql"


def described(engine: Engine) -> str:
    """Return where a database is, for people: a file's absolute path, or a server's URL with no secret."""
    if is_shared(engine):
        shown = engine.url.difference_update_query(_SECRET)  # the password in its place is hidden anyway
        return shown.render_as_string().replace("+psycopg", "")
    return str(Path(engine.url.database or "").absolute())


def _sqlite(url: URL, busy_ms: int) -> Engine:
    """Return an engine for one file.

    WAL, so that readers and the writer do not wait for each other; `synchronous=FULL`, so that what is
    committed survives a loss of power; every transaction is a `BEGIN IMMEDIATE`, because one that
    begins by reading cannot always become a writing one.
    """
    elsewhere = url.host or url.query or url.database in {None, "", ":memory:"}
    if url.get_backend_name() != "sqlite" or elsewhere:
        raise StoreUnusable("the database URL must be sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    engine = create_engine(url.set(drivername="sqlite"), connect_args={"timeout": busy_ms / 1000})
    event.listen(engine, "do_connect", _keep_private)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _keep_private(_: Dialect, __: ConnectionPoolEntry, where: Sequence[str], ___: Mapping[str, Any]) -> None:
    """Make a file that is not there yet for its user alone: what people ask is in it."""
    with suppress(OSError):  # SQLite tells what is wrong with it
        os.close(os.open(where[0], os.O_RDWR | os.O_CREAT, 0o600))


def _configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # BEGIN is ours, in _begin
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class SoleProcess:
    """Holds `FILE.lock` beside a SQLite database: whoever has it knows that no other worker lives.

    So the leases that the last process left can be voided at once, without waiting for their end.
    """

    def __init__(
        self, engine: Engine, *, otherwise: str = "give this one another THREADLINE_DATABASE_URL"
    ) -> None:
        """`otherwise`: what one can do instead of stopping the process that has it."""
        self._otherwise = otherwise
        self._path = Path(f"{engine.url.database}.lock")
        self._file: int | None = None

    def __enter__(self) -> "SoleProcess":
        """Take the lock. Raises StoreUnusable if another process has it, or no file can be made there."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreUnusable(f"the lock file cannot be made: {error}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise StoreUnusable(
                f"another Threadline works on this database already ({self._path} is held): stop it first, "
                f"or {self._otherwise}"
            ) from error
        self._file = file
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
