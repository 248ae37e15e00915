"""The connection to a PostgreSQL server, which any number of processes share."""

from typing import Any

from sqlalchemy import URL, Engine, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from core.clock import Clock
from core.errors import StoreUnusable

#: Transactions that one process runs at a time: more would only wait for the server's disk.
AT_ONCE = 6
#: Seconds that clocks may be apart: leases are renewed earlier than that before their end.
_APART = 3.0
_FORM = "postgresql://USER@HOST/DATABASE"
# A statement of ours takes milliseconds; what takes longer than these is stuck, or holds others up.
_SESSION = (
    "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=15s "
    "-c application_name=threadline"
)
# Of a server whose machine is gone nothing is heard: libpq finds out within half a minute.
_LIBPQ = {
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


def check_clock(engine: Engine, clock: Clock) -> None:
    """Make sure that our clock shows what the server's does: due times and leases are compared with it.

    Raises StoreUnusable if it does not, or the server cannot be asked.
    """
    try:
        with engine.begin() as connection:
            there = connection.execute(select(func.clock_timestamp())).scalar_one()
    except SQLAlchemyError as error:
        raise StoreUnusable(f"the database server does not tell the time: {type(error).__name__}") from error
    ahead = (clock.now() - there).total_seconds()
    if abs(ahead) > _APART:
        raise StoreUnusable(
            f"this machine's clock is {ahead:+.0f} s from the database server's: have both set by NTP, then "
            "start again"
        )


def _bounds(url: URL) -> dict[str, Any]:
    return {name: value for name, value in _LIBPQ.items() if name not in url.query}
