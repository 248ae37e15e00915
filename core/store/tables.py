"""The queue's tables; those of workspaces are in `workspace_tables`.

Times are aware UTC, ids are opaque text; states and reasons are kept by their value.
"""

from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Dialect,
    Index,
    Integer,
    MetaData,
    Table,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy import Row as ResultRow
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

AnyRow: TypeAlias = ResultRow[*tuple[Any, ...]]


def _is(*states: str) -> str:
    """Say that a state is one of these: of a list of more than two SQLite makes a table at each write."""
    pairs = (states[at : at + 2] for at in range(0, len(states), 2))
    lists = (", ".join(f"'{state}'" for state in pair) for pair in pairs)
    return "(" + " OR ".join(f"state IN ({listed})" for listed in lists) + ")"


# The conditions of the partial indexes. Statements say them in the same literal words, without
# parameters: only then can the database see that an index serves.
IS_HEAD = _is("accepted", "asking", "answered", "posting")
IS_FREE = _is("accepted", "answered", "unlinked") + " AND lease_until IS NULL"
IS_LEASED = "lease_until IS NOT NULL"
IS_WAITING = "state = 'waiting'"
IS_UNLINKED = "state = 'unlinked'"
IS_KEPT = "state = 'kept'"
IS_ACCEPTED = "state = 'accepted'"
IS_OPEN = _is("unlinked", "waiting", "accepted", "asking", "answered", "posting")
IS_COUNTED = "state <> 'refused'"
IS_MARKED = "mark IS NOT NULL AND state = 'done'"
IS_ASIDE = "state IN ('ambiguous', 'buried')"
WAS_PAUSED = "paused_until IS NOT NULL"
IS_AWAY = "away_since IS NOT NULL"


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


class Number(TypeDecorator[int]):
    """What counts rows: 64 bits everywhere, as SQLite's whole numbers have anyway."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


class Row(SQLModel):
    """What all tables share: one catalogue of names, apart from anyone else's SQLModel."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ConversationRow(Row, table=True):
    """A thread we know, and the project it is bound to."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("platform", "workspace", "channel", "thread"),
        # An id is never given again: what is under way for a purged thread must not meet another one.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    platform: str
    workspace: str
    channel: str
    thread: str
    project: str | None = None
    told_trimmed: bool = False


class OvertakingRow(Row, table=True):
    """A message in a thread that is not ours (yet), for a moment. Columns are those of `Question`."""

    __tablename__ = "overtaking"
    __table_args__ = (Index("ix_overtaking_kept_at", "kept_at"),)

    platform: str = Field(primary_key=True)
    workspace: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    thread: str = Field(primary_key=True)
    message: str = Field(primary_key=True)
    event: str
    author: str
    content: str
    asked_at: datetime
    has_files: bool
    objection: str | None = None
    project: str | None = None
    receipt: str
    edited_at: datetime | None = None
    kept_at: datetime


class TurnRow(Row, table=True):
    """One turn. Ordered by when its question was written, then question before answer."""

    __tablename__ = "turns"
    __table_args__ = (Index("ix_turns_said", "conversation_id", "asked_at", "delivery_id", "id", "author"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    conversation_id: int = Field(sa_type=Number)
    delivery_id: str
    asked_at: datetime
    role: str
    author: str | None = None
    content: str


class DeliveryRow(Row, table=True):
    """A question and what is owed for it. Columns are those of `core.model.Delivery`."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("platform", "workspace", "event"),
        UniqueConstraint("platform", "workspace", "channel", "message"),
        # The database itself refuses a thread with two questions under way.
        _partial("uq_deliveries_head", "conversation_id", where=IS_HEAD, unique=True),
        _partial(
            "ix_deliveries_due",
            "lane",
            "due_at",
            "id",
            where=IS_FREE,
        ),
        _partial("ix_deliveries_next", "due_at", "lane", where=IS_FREE),
        _partial("ix_deliveries_line", "lane", "rank", "due_at", "id", where=IS_FREE),
        _partial("ix_deliveries_ranks", "lane", "platform", "workspace", "rank", where=IS_ACCEPTED),
        _partial("ix_deliveries_ready", "lane", "ready_at", "id", where=IS_ACCEPTED),
        _partial("ix_deliveries_open", "platform", "workspace", "state", where=IS_OPEN),
        _partial("ix_deliveries_marked", "mark_due", where=IS_MARKED),
        _partial("ix_deliveries_aside", "state", "accepted_at", "id", where=IS_ASIDE),
        _partial("ix_deliveries_leased", "lane", "lease_until", where=IS_LEASED),
        _partial("ix_deliveries_waiting", "conversation_id", "asked_at", "id", where=IS_WAITING),
        _partial("ix_deliveries_unlinked", "platform", "workspace", "channel", where=IS_UNLINKED),
        _partial("ix_deliveries_kept", "platform", "author", "asked_at", "id", where=IS_KEPT),
        _partial("ix_deliveries_author", "platform", "workspace", "author", "accepted_at", where=IS_COUNTED),
        _partial(
            "ix_deliveries_channel", "platform", "workspace", "channel", "accepted_at", where=IS_COUNTED
        ),
        Index("ix_deliveries_recent", "conversation_id", "accepted_at"),
        Index("ix_deliveries_accepted", "accepted_at"),
    )

    id: str = Field(primary_key=True)
    conversation_id: int = Field(sa_type=Number)
    platform: str
    workspace: str
    channel: str
    thread: str
    event: str
    message: str
    project: str | None = None
    author: str
    lane: str
    state: str
    asked_at: datetime
    accepted_at: datetime
    ready_at: datetime
    due_at: datetime
    paused_before: float
    attempt: int = 0
    maybe_charged: int = 0
    fence: int = 0
    has_files: bool
    told: bool
    doubtful: bool = False
    notice: str | None = None
    lease_until: datetime | None = None
    settled_at: datetime | None = None
    receipt: str = Field(default="", sa_column_kwargs={"server_default": ""})
    rank: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    mark: str | None = None
    mark_due: datetime | None = None
    marked: str | None = None
    edited_at: datetime | None = None


class PartRow(Row, table=True):
    """One message's worth of an answer, and the platform's id for it once it is posted."""

    __tablename__ = "parts"

    delivery_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    content: str
    posted: str | None = None


class LaneRow(Row, table=True):
    """An allowance and its pause."""

    __tablename__ = "lanes"
    __table_args__ = (
        _partial("ix_lanes_paused", "paused_until", where=WAS_PAUSED),
        _partial("ix_lanes_away", "away_since", where=IS_AWAY),
    )

    id: str = Field(primary_key=True)
    window: int
    probing: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    paused_since: datetime | None = None
    paused_until: datetime | None = None
    paused_before: float = 0.0
    strikes: int = 0
    failures: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    away_since: datetime | None = None
    served: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    suspect: str | None = None


def table(of: type[Row]) -> Table:
    """Return the SQLAlchemy table of a row class, for statements."""
    return Row.metadata.tables[str(of.__tablename__)]
