"""Moves all that is kept from an SQLite file into an empty PostgreSQL database, in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, Table, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StoreUnavailable
from core.ports import UnitOfWork
from core.store.comparing import Checksum, batches, streamed
from core.store.engine import described
from core.store.fitting import opened, see_source, see_target
from core.store.schema import cause, upgrade
from core.store.tables import Row
from core.store.unit_of_work import SqlUnitOfWork

_GIVEN = text("SELECT max(seq) FROM sqlite_sequence WHERE name = :table")
_GO_ON = text("SELECT setval(pg_get_serial_sequence(:table, :column), :greatest)")


class Deed(Enum):
    """What is done with a table."""

    COPY = "copied"
    COMPARE = "compared"


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is: `done` of a table's `rows`, and `share` of everything, from 0 to 1."""

    deed: Deed
    table: str
    done: int
    rows: int
    share: float


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table that is the same on both sides."""

    name: str
    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Copied:
    """All tables, and how many texts had a NUL, which went, as it does where Threadline takes in a text."""

    tables: Sequence[CopiedTable]
    without_nul: int


def copy(
    source: Engine,
    target: Engine,
    tell: Callable[[Step], None],
    settle: Callable[[UnitOfWork, datetime], object],
) -> Copied:
    """Copy every table from an SQLite file to a PostgreSQL database, and compare both, row by row.

    Whoever calls this holds the file (`SoleProcess`); while it lasts nobody can write there, and no
    Threadline can start on the target. `settle` is called at the end, on the target, before the one commit,
    with the time of its server. Raises StoreUnusable where one of the two does not fit, and StoreUnavailable
    where the copy broke off or turned out different: then the target is as it was.
    """
    try:
        with opened(source, "source") as reading, opened(target, "target") as writing:
            see_source(reading, described(source))
            see_target(writing, described(target))
            upgrade(writing, described(target))
            copied = _Copying(reading, writing, tell).run()
            settle(SqlUnitOfWork(writing), writing.execute(select(func.clock_timestamp())).scalar_one())
            writing.commit()
            return copied
    except (SQLAlchemyError, psycopg.Error) as error:
        raise StoreUnavailable(
            f"the copy broke off, and the target has all of it or nothing: {_words(error)}. Mend that and "
            "run it again: should all be there, it says that the target is not empty."
        ) from error


def _words(error: Exception) -> str:
    """Return what went wrong without the values of the row where it did, which the server tells, too."""
    born = getattr(error, "orig", None) or error
    told = born.diag.message_primary if isinstance(born, psycopg.Error) else None
    return told or cause(error)


class _Copying:
    """One copy, between two transactions."""

    def __init__(self, reading: Connection, writing: Connection, tell: Callable[[Step], None]) -> None:
        self._reading = reading
        self._writing = writing
        self._tell = tell
        self._tables: Sequence[Table] = Row.metadata.sorted_tables
        self._rows: Mapping[str, int] = {
            table.name: reading.execute(select(func.count()).select_from(table)).scalar_one()
            for table in self._tables
        }
        self._done = 0
        self._without_nul = 0

    def run(self) -> Copied:
        """Copy all tables, then compare all. Raises StoreUnavailable if any came out different."""
        sent = {table.name: self._copied(table) for table in self._tables}
        for table in self._tables:
            self._go_on_counting(table)
            self._writing.exec_driver_sql(f"ANALYZE {table.name}")  # no plan waits for autovacuum
        kept = {table.name: self._found(table) for table in self._tables}
        if different := [name for name in sent if sent[name] != kept[name]]:
            raise StoreUnavailable(
                f"what the target has of {', '.join(different)} is not what was copied, nothing was kept: "
                "see that no trigger there changes rows, and run it again."
            )
        return Copied(list(sent.values()), self._without_nul)

    def _copied(self, table: Table) -> CopiedTable:
        checksum, bound = Checksum(), _binding(table, self._writing)
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        cursor = self._writing.connection.cursor()
        self._told(Deed.COPY, table, checksum, 0)
        for batch in batches(self._reading, table):
            with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as sending:
                for row in batch:
                    values = self._storable(row)
                    checksum.add(values)
                    sending.write_row(bound(values))
            self._told(Deed.COPY, table, checksum, len(batch))
        return CopiedTable(table.name, checksum.rows, checksum.told)

    def _found(self, table: Table) -> CopiedTable:
        checksum = Checksum()
        self._told(Deed.COMPARE, table, checksum, 0)
        for batch in streamed(self._writing, table):
            for row in batch:
                checksum.add(row)
            self._told(Deed.COMPARE, table, checksum, len(batch))
        return CopiedTable(table.name, checksum.rows, checksum.told)

    def _storable(self, row: Sequence[object]) -> Sequence[object]:
        """Return the values of a row without NULs, which PostgreSQL does not keep in a text."""
        values = list(row)
        for place, value in enumerate(values):
            if isinstance(value, str) and "\0" in value:
                values[place] = value.replace("\0", "")
                self._without_nul += 1
        return values

    def _go_on_counting(self, table: Table) -> None:
        """Have the ids that the target gives follow all that were ever given: also those that are no more."""
        column = table.autoincrement_column
        if column is None:
            return
        greatest = self._reading.execute(select(func.max(column))).scalar() or 0
        given = self._reading.execute(_GIVEN, {"table": table.name}).scalar() or 0
        if last := max(greatest, given):
            self._writing.execute(_GO_ON, {"table": table.name, "column": column.name, "greatest": last})

    def _told(self, deed: Deed, table: Table, so_far: Checksum, fresh: int) -> None:
        self._done += fresh
        all_of_it = 2 * sum(self._rows.values())  # each row is copied and compared
        share = self._done / all_of_it if all_of_it else 1.0
        self._tell(Step(deed, table.name, so_far.rows, self._rows[table.name], share))


def _binding(table: Table, to: Connection) -> Callable[[Sequence[object]], Sequence[object]]:
    """Return what makes of a row's values those that the driver is given for the table's columns."""
    kinds = [column.type.dialect_impl(to.dialect).bind_processor(to.dialect) for column in table.columns]
    special: list[tuple[int, Any]] = [(place, kind) for place, kind in enumerate(kinds) if kind is not None]

    def bound(values: Sequence[object]) -> Sequence[object]:
        given = list(values)
        for place, kind in special:
            given[place] = kind(given[place])
        return given

    return bound
