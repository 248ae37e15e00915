"""Brings a database to the schema this version knows, before anything else touches it."""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StoreUnavailable, StoreUnusable
from core.store.engine import described, is_shared
from core.store.postgres import is_away
from core.store.tables import Row

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x74_68_72_65_61_64  # "thread": whoever holds this advisory lock migrates


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which revision of the schema to which: from None, where there was none yet."""

    before: str | None
    after: str


def migrate(engine: Engine, *, must_exist: bool = False) -> Migrated:
    """Run the migrations that the database lacks, in one transaction.

    Of several processes that begin at once on PostgreSQL one does it, and the others wait for it. Raises
    StoreUnusable, with the database unchanged, if it is newer than this version, is not a database, lets us
    not in, or cannot be written, or if it `must_exist` and has no tables of ours; StoreUnavailable if its
    server is not there now.
    """
    try:
        with engine.begin() as connection:
            if is_shared(engine):
                _wait_for_turn(connection)
            if must_exist and revision(connection) is None:
                raise _not_ours(described(engine))
            return upgrade(connection, described(engine))
    except SQLAlchemyError as error:
        told = f"the database at {described(engine)} cannot be used: {cause(error)}. {_fix(engine)}"
        raise (StoreUnavailable if is_away(error) else StoreUnusable)(told) from error


def _fix(engine: Engine) -> str:
    if is_shared(engine):
        return "See that the server runs and THREADLINE_DATABASE_URL is right."
    return "See that THREADLINE_DATABASE_URL names a file of Threadline's, in a folder that it may write in."


def upgrade(connection: Connection, where: str) -> Migrated:
    """Run the migrations that are lacking within a transaction, whose turn it is; `where` the database is.

    Raises StoreUnusable if it is another program's, cannot keep every text, or is newer than this version,
    and SQLAlchemyError.
    """
    before = revision(connection)
    _see(connection, before, where)
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnusable(
            f"the database at {where} was made by a newer Threadline ({error}): run that version, or restore "
            "the backup from before its upgrade"
        ) from error
    return Migrated(before, head())


def keeps_every_text(connection: Connection) -> bool:
    """Tell whether a PostgreSQL database can hold whatever people write."""
    return connection.exec_driver_sql("SHOW server_encoding").scalar() == "UTF8"


def _see(connection: Connection, before: str | None, where: str) -> None:
    """Raise StoreUnusable where no tables of ours should be made, or changed."""
    if connection.dialect.name != "sqlite" and not keeps_every_text(connection):
        raise StoreUnusable(
            f"the database at {where} cannot keep every text: make one with ENCODING 'UTF8', and name that."
        )
    there = inspect(connection).get_table_names()
    if before is None and there:
        some = ", ".join(sorted(there)[:3])
        raise StoreUnusable(f"the database at {where} has tables already ({some}): name an empty one.")
    if before is not None and Row.metadata.tables.keys().isdisjoint(there):
        raise _not_ours(where)


def _not_ours(where: str) -> StoreUnusable:
    return StoreUnusable(
        f"the database at {where} is no database of Threadline: set THREADLINE_DATABASE_URL to the one that "
        "it uses."
    )


def revision(connection: Connection) -> str | None:
    """Return the schema's revision; None where no Threadline has made one. Raises SQLAlchemyError."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """Return the revision that this version knows."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def take_turn(connection: Connection) -> bool:
    """Keep others from migrating, and so from starting, until the transaction ends; False: one is at it.

    Statements of the transaction may take as long as they need, and so may what is done between them.
    """
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    return bool(connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_LOCK})").scalar())


def _wait_for_turn(connection: Connection) -> None:
    """Wait until no other process migrates; a migration may take longer than any other statement."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def check(engine: Engine) -> None:
    """Read a whole SQLite database, as a start should before it trusts it: a second for each 200 MB.

    Raises StoreUnusable, with the database unchanged, if a page of it is spoilt.
    """
    try:
        with engine.begin() as connection:
            found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    except SQLAlchemyError as error:
        found = cause(error)
    if found != "ok":
        raise StoreUnusable(
            f"the database at {described(engine)} is malformed ({found}): restore it from a backup"
        )


def cause(error: Exception) -> str:
    """Return what the driver says, on one line, for a sentence that goes on."""
    return " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".?")
