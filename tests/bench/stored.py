"""Databases of Threadline with much in them, made at once, to measure its queue and its memory."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Table

from core.store import connect, migrate
from core.store.tables import ConversationRow, DeliveryRow, LaneRow, TurnRow, table

LANE = "key bench"
WORKSPACES = 100  #: among which what is stored is spread

_DAY = 86_400
_SETTLED_OVER = 90 * _DAY  #: seconds over which what is settled was asked
_WAITING_OVER = 3_600
_TURNS_EACH = 10  #: settled questions in a conversation


def stored(file: Path, *, rows: int, waiting: int, each: int = _TURNS_EACH, lanes: int = 1) -> None:
    """Make a database with so many questions, of which the newest wait, each in a thread of its own.

    The others are settled, `each` in a thread, with their turns. What is stored is spread over workspaces,
    channels and people as thousands of people would: none of them has an hour's allowance used up. With more
    than one lane, it is spread over lanes, too.
    """
    engine = connect(f"sqlite:///{file}")
    migrate(engine)
    engine.dispose()
    settled = rows - waiting
    threads = -(-settled // each)
    lane = {} if lanes == 1 else {"lane": f"'{LANE} ' || (i % {lanes})"}
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-500000;")
        for many, of, values in (
            (threads + waiting, table(ConversationRow), _CONVERSATION),
            (settled, table(DeliveryRow), _delivery(each, 0, is_settled=True) | lane),
            (waiting, table(DeliveryRow), _delivery(1, threads, is_settled=False) | lane),
            (settled * 2, table(TurnRow), _turn(each)),
            (0 if lanes == 1 else lanes, table(LaneRow), _LANE | {"id": lane.get("lane", f"'{LANE}'")}),
        ):
            database.execute(_insert(of, values), {"many": many, "now": datetime.now(UTC).timestamp()})


def _insert(of: Table, values: Mapping[str, str]) -> str:
    """Return a statement that inserts rows, with `i` counting from 0, each value an expression of it."""
    absent = [
        column.name
        for column in of.columns
        if not (column.nullable or column.server_default is not None or column.name in {*values, "id"})
    ]
    assert not absent, f"{of.name} has new columns: {absent}"
    columns, expressions = ", ".join(values), ", ".join(values.values())
    counting = "SELECT 0 WHERE :many > 0 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :many"
    insert = f"INSERT INTO {of.name} ({columns}) SELECT {expressions} FROM numbers"  # noqa: S608 our own words
    return f"WITH RECURSIVE numbers(i) AS ({counting}) {insert}"


def _time(seconds_ago: str) -> str:
    return f"strftime('%Y-%m-%d %H:%M:%f', :now - ({seconds_ago}), 'unixepoch') || '000'"


_CONVERSATION: Mapping[str, str] = {
    "platform": "'slack'",
    "workspace": f"'T' || (i % {WORKSPACES})",
    "channel": f"'C' || (i % {WORKSPACES * 20})",
    "thread": "printf('%d.%06d', 1700000000 + i / 10, i % 1000000)",
    "project": "'shop-demo-7f3k2'",
    "told_trimmed": "0",
}


_LANE: dict[str, str] = {"window": "1000000", "paused_before": "0", "strikes": "0"}


def _delivery(each: int, first: int, *, is_settled: bool) -> dict[str, str]:
    """Return a delivery's values; its conversation is the one after `first`, `each` in one."""
    kind = "s" if is_settled else "w"
    thread = f"({first} + i / {each})"
    over = _SETTLED_OVER if is_settled else _WAITING_OVER
    began = _WAITING_OVER if is_settled else 0
    at = _time(f"{began} + {over} * (1 - i / (:many * 1.0))")
    return {
        "platform": "'slack'",
        "project": "'shop-demo-7f3k2'",
        "workspace": f"'T' || ({thread} % {WORKSPACES})",
        "channel": f"'C' || ({thread} % {WORKSPACES * 20})",
        "thread": f"printf('%d.%06d', 1700000000 + {thread} / 10, {thread} % 1000000)",
        "id": f"printf('{kind}%019d', i)",
        "conversation_id": f"1 + {thread}",
        "event": f"'{kind}' || i",
        "message": f"'{kind}' || i",
        "author": f"'U' || ({thread} % 50000)",
        "lane": f"'{LANE}'",
        "state": "'done'" if is_settled else "'accepted'",
        "asked_at": at,
        "accepted_at": at,
        "ready_at": at,
        "due_at": at,
        "paused_before": "0",
        "attempt": "0",
        "maybe_charged": "0",
        "fence": "0",
        "has_files": "0",
        "told": "0",
        "doubtful": "0",
        "rank": "i" if is_settled else f"i / {WORKSPACES} + 1",
    } | ({"settled_at": at} if is_settled else {})


def _turn(each: int) -> Mapping[str, str]:
    at = _time(f"{_WAITING_OVER} + {_SETTLED_OVER} * (1 - i / (:many * 1.0))")
    return {
        "conversation_id": f"1 + i / 2 / {each}",
        "delivery_id": "printf('s%019d', i / 2)",
        "asked_at": at,
        "role": "CASE i % 2 WHEN 0 THEN 'user' ELSE 'assistant' END",
        "author": f"CASE i % 2 WHEN 0 THEN 'U' || (i / 2 / {each} % 50000) END",
        "content": "'who calls billing, and why? `web` and `orders` call it, over HTTP, once a night.'",
    }
