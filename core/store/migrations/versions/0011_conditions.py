"""Conditions of indexes by lists of two: of a longer one SQLite makes a table at each write."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_HEAD = "(state IN ('accepted', 'asking') OR state IN ('answered', 'posting'))"
_FREE = "(state IN ('accepted', 'answered') OR state IN ('unlinked')) AND lease_until IS NULL"
_OPEN = (
    "(state IN ('unlinked', 'waiting') OR state IN ('accepted', 'asking') "
    "OR state IN ('answered', 'posting'))"
)


def upgrade() -> None:
    """Make five indexes anew on SQLite: it knows one by its words, PostgreSQL by what they mean."""
    if op.get_bind().dialect.name != "sqlite":
        return
    _remake("uq_deliveries_head", ["conversation_id"], _HEAD, unique=True)
    _remake("ix_deliveries_due", ["lane", "due_at", "id"], _FREE)
    _remake("ix_deliveries_next", ["due_at", "lane"], _FREE)
    _remake("ix_deliveries_line", ["lane", "rank", "due_at", "id"], _FREE)
    _remake("ix_deliveries_open", ["platform", "workspace", "state"], _OPEN)


def _remake(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.drop_index(name, "deliveries")
    op.create_index(name, "deliveries", columns, unique=unique, sqlite_where=sa.text(where))
