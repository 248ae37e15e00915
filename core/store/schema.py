"""Brings a database to the schema this version knows, before anything else touches it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StoreUnusable

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Run the migrations that the database lacks, in one transaction.

    Raises StoreUnusable, with the database unchanged, if it is newer than this version, is not a
    database, or cannot be written.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnusable(
            f"the database was made by a newer Threadline ({error}): run that version, or restore the "
            "backup from before its upgrade"
        ) from error
    except SQLAlchemyError as error:
        raise StoreUnusable(
            f"the database at {engine.url.database} cannot be used: {_cause(error)}"
        ) from error


def check(engine: Engine) -> None:
    """Read the whole database once, as a start should before it trusts it: about a second for each 200 MB.

    Raises StoreUnusable, with the database unchanged, if a page of it is spoilt.
    """
    try:
        with engine.begin() as connection:
            found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    except SQLAlchemyError as error:
        found = _cause(error)
    if found != "ok":
        raise StoreUnusable(
            f"the database at {engine.url.database} is malformed ({found}): restore it from a backup"
        )


def _cause(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error)
