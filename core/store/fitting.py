"""What a copy is made from, and to: opened, and seen to fit. What does not is refused, and left as it is."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, Engine, Table, inspect, literal, select, text
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StoreUnavailable, StoreUnusable
from core.store.engine import described
from core.store.postgres import is_away
from core.store.schema import cause, head, keeps_every_text, revision, take_turn
from core.store.tables import Row

# Idle or not: each process of ours says its name, and keeps a connection for as long as it lives.
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()"
)


@contextmanager
def opened(engine: Engine, side: str) -> Iterator[Connection]:
    """Give a connection in a transaction that is rolled back unless it was committed."""
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(engine.connect())
            connection.begin()
        except SQLAlchemyError as error:
            told = (
                f"the {side} at {described(engine)} cannot be used: {cause(error)}. See that its address is "
                "right, and that nothing else works on it."
            )
            raise (StoreUnavailable if is_away(error) else StoreUnusable)(told) from error
        yield connection


def see_source(reading: Connection, where: str) -> None:
    """Raise StoreUnusable if its schema is another than ours."""
    there, ours = revision(reading), head()
    if there is None:
        raise StoreUnusable(f"the source at {where} is no database of Threadline: name another source.")
    if there > ours:
        raise StoreUnusable(
            f"the source at {where} was made by a newer Threadline (schema {there}, this one knows {ours}): "
            "copy it with that version."
        )
    if there != ours:
        raise StoreUnusable(
            f"the source at {where} has the schema {there}, and this version {ours}: run `threadline db "
            "migrate` on it first, with THREADLINE_DATABASE_URL set to it."
        )


def see_target(writing: Connection, where: str) -> None:
    """Have it for ourselves until the end of the transaction. Raises StoreUnusable if that cannot be."""
    if not take_turn(writing) or writing.execute(_OTHERS).scalar_one():
        raise StoreUnusable(
            f"a Threadline is at work on the target at {where} already: stop all that use it, or name "
            "another database."
        )
    if not keeps_every_text(writing):
        raise StoreUnusable(
            f"the target at {where} cannot keep every text: make a database with ENCODING 'UTF8'."
        )
    there = set(inspect(writing).get_table_names())
    known = [table for table in Row.metadata.sorted_tables if table.name in there]
    if known:
        names = ", ".join(table.name for table in known)
        writing.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
    if filled := [table.name for table in known if _has_rows(writing, table)]:
        raise StoreUnusable(
            f"the target at {where} is not empty ({', '.join(filled)}): name an empty database. "
            "Nothing was changed."
        )


def _has_rows(connection: Connection, of: Table) -> bool:
    return connection.execute(select(literal(1)).select_from(of).limit(1)).scalar() is not None
