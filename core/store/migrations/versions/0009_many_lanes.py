"""Indexes by which nothing that is read often grows with how many lanes there are."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_FREE = "state IN ('accepted', 'answered', 'unlinked') AND lease_until IS NULL"


def upgrade() -> None:
    """Make the indexes; a Threadline of the version before goes on working beside it."""
    _make("ix_deliveries_next", "deliveries", ["due_at", "lane"], _FREE)
    _make("ix_lanes_paused", "lanes", ["paused_until"], "paused_until IS NOT NULL")
    _make("ix_lanes_away", "lanes", ["away_since"], "away_since IS NOT NULL")


def _make(name: str, on: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, on, columns, sqlite_where=condition, postgresql_where=condition)
