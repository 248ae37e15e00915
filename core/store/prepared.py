"""Statements that are compiled once and then run on the driver's own cursor.

SQLAlchemy builds and compiles them, knows the types, and owns the connection; what it does at each execution
besides costs several times what the database does. Only what is run for every question is worth this.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Values: TypeAlias = Mapping[str, Any]
Found: TypeAlias = tuple[Any, ...]
Statement: TypeAlias = "Select[*tuple[Any, ...]] | Insert | Update | Delete"
_Convert: TypeAlias = Callable[[Any], Any]
_Take: TypeAlias = Callable[[DBAPICursor], Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """What a driver is given: its SQL, and where each of its values comes from and how it is converted."""

    sql: str
    names: Sequence[str]
    constants: Values
    converts: Mapping[str, _Convert]
    by_place: bool
    results: Sequence[tuple[int, _Convert]] = ()

    def given(self, values: Values) -> Sequence[Any] | Values:
        """Return the values in the driver's form."""
        said = {**self.constants, **values} if self.constants else values
        converts = self.converts
        if self.by_place:
            return tuple(
                [converts[name](said[name]) if name in converts else said[name] for name in self.names]
            )
        return {name: converts[name](said[name]) if name in converts else said[name] for name in self.names}

    def converted(self, row: Found) -> Found:
        """Return a row of the driver's with the values that its columns' types make of it."""
        if not self.results:
            return row
        cells = list(row)
        for at, convert in self.results:
            cells[at] = convert(cells[at])
        return tuple(cells)


class Prepared:
    """A statement, compiled at its first execution with each dialect.

    It has no list of unknown length among its values. What it is given are all its named values, and the
    columns that are to be written. Raises DBAPIError as any other statement does.
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._compiled: dict[tuple[str, ...], _Compiled] = {}

    def all(self, connection: Connection, values: Values) -> list[Found]:
        """Run it and return its rows."""
        compiled, rows = self._run(connection, values, lambda cursor: cursor.fetchall())
        return [compiled.converted(row) for row in rows] if compiled.results else list(rows)

    def first(self, connection: Connection, values: Values) -> Found | None:
        """Run it and return its first row, None if it has none."""
        compiled, row = self._run(connection, values, lambda cursor: cursor.fetchone())
        return None if row is None else compiled.converted(row)

    def scalar(self, connection: Connection, values: Values) -> Any:
        """Run it and return the first value of its first row, None if it has none."""
        row = self.first(connection, values)
        return None if row is None else row[0]

    def run(self, connection: Connection, values: Values) -> int:
        """Run it and return how many rows it has written."""
        return int(self._run(connection, values, lambda cursor: cursor.rowcount)[1])

    def _run(self, connection: Connection, values: Values, take: _Take) -> tuple[_Compiled, Any]:
        wanted = (connection.dialect.name, *values)
        compiled = self._compiled.get(wanted) or _compile(self._statement, connection.dialect, values)
        driver, dialect = connection.connection, connection.dialect
        given = compiled.given(values)
        try:
            with closing(driver.cursor()) as cursor:  # which a closed connection does not give
                for listener in connection.dispatch.before_cursor_execute:
                    listener(connection, cursor, compiled.sql, given, None, False)
                cursor.execute(compiled.sql, given)
                if wanted not in self._compiled:
                    results = _results(self._statement, dialect, cursor.description or ())
                    self._compiled[wanted] = compiled = replace(compiled, results=results)
                return compiled, take(cursor)
        except dialect.loaded_dbapi.Error as error:
            is_lost = dialect.is_disconnect(error, driver, None) and _is_given_up(connection)
            raise DBAPIError.instance(
                compiled.sql,
                None,
                error,
                dialect.loaded_dbapi.Error,
                hide_parameters=True,
                connection_invalidated=is_lost,
                dialect=dialect,
            ) from error


def _is_given_up(connection: Connection) -> bool:
    """Have SQLAlchemy find out that a connection is lost: it lets go of it, and of all that are as old."""
    with suppress(DBAPIError):
        connection.exec_driver_sql("SELECT 1")
    return connection.invalidated


def _compile(statement: Statement, dialect: Dialect, values: Values) -> _Compiled:
    compiled = statement.compile(dialect=dialect, column_keys=list(values))
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 a statement is not DDL
    binds = {name: bind.type for bind, name in compiled.bind_names.items()}
    names = compiled.positiontup if compiled.positional else list(binds)
    converts = {name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in binds.items()}
    constants = compiled.construct_params(values)
    return _Compiled(
        sql=str(compiled),
        names=names or (),
        constants={name: value for name, value in constants.items() if name not in values},
        converts={name: convert for name, convert in converts.items() if convert is not None},
        by_place=compiled.positional,
    )


def _results(
    statement: Statement, dialect: Dialect, description: Sequence[Any]
) -> Sequence[tuple[int, _Convert]]:
    """Return what the columns' types make of values, by what the driver says that it gives."""
    kinds = [column.type.dialect_impl(dialect) for column in statement.exported_columns]
    converts = [
        kind.result_processor(dialect, told[1]) for kind, told in zip(kinds, description, strict=False)
    ]
    return [(at, convert) for at, convert in enumerate(converts) if convert is not None]
