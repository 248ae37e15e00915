"""The connection to a PostgreSQL server, which any number of processes share."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import URL, Engine, create_engine, func, select

from core.clock import Clock
from core.errors import StoreUnusable

#: Transactions that one process runs at a time: more would only wait for the server's disk.
AT_ONCE = 6
_FORM = "postgresql://USER@HOST/DATABASE"
# A statement of ours takes milliseconds; what takes longer than these is stuck, or holds others up.
_SESSION = (
    "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=15s "
    "-c application_name=threadline"
)
# Of a server whose machine is gone nothing is heard: libpq finds out within half a minute.
_LIBPQ = {
    "client_encoding": "utf8",  # or of a database with none psycopg gives bytes for text
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "options": _SESSION,
}


def is_postgres(url: URL) -> bool:
    """Tell whether a URL names a PostgreSQL server, as the providers of such write it too."""
    return url.drivername in {"postgresql", "postgresql+psycopg", "postgres"}


def engine_of(url: URL) -> Engine:
    """Return an engine for a PostgreSQL URL; nothing is connected yet. Raises StoreUnusable.

    Each transaction is one at READ COMMITTED: what is read in order to be changed is locked by the statement
    that reads it. After the loss of one connection all that are older are taken to be lost, too.
    """
    if not url.database:
        raise StoreUnusable(f"the database URL must name a database: {_FORM}")
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        isolation_level="READ COMMITTED",
        connect_args=_bounds(url),
        pool_size=AT_ONCE,
        max_overflow=2,
        pool_timeout=10,
    )


def connect_args(engine: Engine) -> dict[str, Any]:
    """Return what psycopg needs for a connection outside the engine's pool."""
    _, named = engine.dialect.create_connect_args(engine.url)
    return {**named, **_bounds(engine.url)}


def server_time(engine: Engine, clock: Clock) -> datetime:
    """Return what the server's clock shows now, within half the time that asking took: all share that.

    Raises SQLAlchemyError where it cannot be asked.
    """
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1")  # making a connection takes longer than asking
        asked = clock.monotonic()
        there: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return there + timedelta(seconds=(clock.monotonic() - asked) / 2)


def _bounds(url: URL) -> dict[str, Any]:
    return {name: value for name, value in _LIBPQ.items() if name not in url.query}
