"""The connection to a PostgreSQL server, which any number of processes share."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

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
_ASKED = 8  #: times
_TIME = select(func.clock_timestamp())
# Classes of codes (postgresql.org/docs/current/errcodes-appendix.html): connections, resources, operators.
_PASSES = ("08", "53", "57")
# Who is not let in gets words without a code. These stay until someone acts; others, as of a server that is
# being started, or is none yet, pass.
_SET_RIGHT = re.compile(
    r"does not exist|authentication failed|no password supplied|pg_hba\.conf|not permitted to log in"
    r"|permission denied for|certificate|not support SSL|invalid (port|integer|sslmode|connection)"
)


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


@dataclass(frozen=True, slots=True)
class Compared:
    """By how many seconds our clock is ahead of the server's, and how much of that may be in the asking."""

    ahead: float
    doubt: float


def compared(engine: Engine, clock: Clock) -> Compared:
    """Compare our clock with the server's, which all share: of some answers the quickest counts.

    Raises SQLAlchemyError where it cannot be asked.
    """
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1")  # making a connection takes longer than asking
        return min((_asked(connection, clock) for _ in range(_ASKED)), key=lambda one: one.doubt)


def _asked(connection: Connection, clock: Clock) -> Compared:
    began, here = clock.monotonic(), clock.now()
    there: datetime = connection.execute(_TIME).scalar_one()
    half = (clock.monotonic() - began) / 2
    return Compared((here - there).total_seconds() + half, half)


def is_away(error: SQLAlchemyError) -> bool:
    """Tell whether the server is not there, or lets nobody in, for now; nobody has to set anything right."""
    said = getattr(error, "orig", None)
    if not isinstance(said, psycopg.OperationalError):
        return False
    if said.sqlstate is not None:
        return said.sqlstate.startswith(_PASSES)
    return _SET_RIGHT.search(str(said)) is None


def _bounds(url: URL) -> dict[str, Any]:
    return {name: value for name, value in _LIBPQ.items() if name not in url.query}
