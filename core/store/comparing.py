"""A table's rows in the order of its primary key, and their checksum: the same over either database."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    TypeDecorator,
    bindparam,
    collate,
    select,
    tuple_,
)

from core.store.tables import AnyRow

#: Rows that are in memory at a time.
BATCH = 500


def batches(connection: Connection, of: Table) -> Iterator[Sequence[AnyRow]]:
    """Give the rows of an SQLite table, each batch read from behind the last one's key.

    SQLite compares text byte by byte, unless a column says otherwise.
    """
    key = list(of.primary_key)
    rows = select(of).order_by(*key).limit(BATCH)
    places = [list(of.columns).index(column) for column in key]
    batch = connection.execute(rows).all()
    while batch:
        yield batch
        last = [bindparam(None, batch[-1][place], of.columns[place].type) for place in places]
        batch = connection.execute(rows.where(tuple_(*key) > tuple_(*last))).all()


def streamed(connection: Connection, of: Table) -> Iterator[Sequence[AnyRow]]:
    """Give the rows of a PostgreSQL table in the same order, whatever order its database has for text.

    The server sorts them once, and sends them as they are taken.
    """
    rows: Select[*tuple[Any, ...]] = select(of).order_by(*[_bytewise(column) for column in of.primary_key])
    with connection.execute(rows.execution_options(yield_per=BATCH)) as sent:
        yield from sent.partitions()


def _bytewise(column: "Column[Any]") -> "ColumnElement[Any]":
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return collate(column, "C") if isinstance(kind, String) else column


@dataclass(slots=True)
class Checksum:
    """Of the rows that were added, in their order, with all that can be told of their values apart."""

    rows: int = 0
    _digest: Any = field(default_factory=lambda: blake2b(digest_size=16))

    def add(self, row: Sequence[object]) -> None:
        """Take in one row more."""
        self.rows += 1
        self._digest.update(json.dumps(list(row), default=_plain, sort_keys=True).encode() + b"\n")

    @property
    def told(self) -> str:
        """Return it in 32 hexadecimal digits."""
        return str(self._digest.hexdigest())


def _plain(value: object) -> str:
    """Return what JSON has no form for: a time in UTC whatever its zone, bytes whatever holds them."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case _:
            raise TypeError(f"a {type(value).__name__} has no form here yet")
