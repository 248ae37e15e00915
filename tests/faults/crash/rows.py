"""Looks into the database from outside, and holds its write lock. It writes nothing."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

#: As the table has them: not read from core, so that a look from outside stays one.
SETTLED = frozenset({"done", "kept", "buried", "ambiguous", "cancelled", "refused"})

_DELIVERIES = "SELECT id, message, event, state, fence, settled_at FROM deliveries"
_PARTS = "SELECT delivery_id, posted FROM parts ORDER BY delivery_id, number"


@dataclass(frozen=True, slots=True)
class Row:
    """What is on disk of one question. `posted` has an entry for each part of its answer."""

    id: str
    event: str
    state: str
    fence: int
    settled_at: datetime | None
    posted: tuple[str | None, ...]

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing more is owed."""
        return self.state in SETTLED


Rows = Mapping[str, Row]
"""By the platform's id of the question's message, which no other message of the workspace has."""


def look(database: Path) -> Rows:
    """Return all rows as they are committed now; none if there is no table yet."""
    if not database.exists():
        return {}
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        connection.execute("BEGIN")  # one state of things for both
        parts: dict[str, list[str | None]] = {}
        for delivery, posted in connection.execute(_PARTS):
            parts.setdefault(delivery, []).append(posted)
        return {
            message: Row(id, event, state, fence, _at(settled), tuple(parts.get(id, ())))
            for id, message, event, state, fence, settled in connection.execute(_DELIVERIES)
        }


def _at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


class WriteLock:
    """The lock that a transaction needs to commit, taken by somebody else."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(database, timeout=5, isolation_level=None, check_same_thread=False)

    def take(self) -> None:
        """Wait for the lock, up to five seconds, and hold it: to be called in a thread."""
        self._connection.execute("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Give it back, with nothing written."""
        self._connection.close()
