"""Workspaces take turns, lanes know that nobody is there, answers say what became of their question."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import AutoString, UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FREE = "state IN ('accepted', 'answered', 'unlinked') AND lease_until IS NULL"
_ACCEPTED = "state = 'accepted'"
_PARTIAL = {
    "ix_deliveries_line": (["lane", "rank", "due_at", "id"], _FREE),
    "ix_deliveries_ranks": (["lane", "platform", "workspace", "rank"], _ACCEPTED),
    "ix_deliveries_ready": (["lane", "ready_at", "id"], _ACCEPTED),
    "ix_deliveries_open": (
        ["platform", "workspace"],
        "state IN ('unlinked', 'waiting', 'accepted', 'asking')",
    ),
    "ix_deliveries_marked": (["mark_due"], "mark IS NOT NULL AND state = 'done'"),
    "ix_deliveries_aside": (["state", "accepted_at", "id"], "state IN ('ambiguous', 'buried')"),
}
_WHOLE = {
    "ix_deliveries_author": ["author", "workspace", "accepted_at"],
    "ix_deliveries_channel": ["channel", "workspace", "accepted_at"],
}


def upgrade() -> None:
    """Add what is new; a Threadline of the version before goes on working beside it."""
    op.add_column("deliveries", sa.Column("rank", sa.Integer(), server_default="0", nullable=False))
    op.add_column("deliveries", sa.Column("mark", AutoString(), nullable=True))
    op.add_column("deliveries", sa.Column("mark_due", UTCDateTime(), nullable=True))
    op.add_column("deliveries", sa.Column("marked", AutoString(), nullable=True))
    op.add_column("lanes", sa.Column("probing", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("lanes", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("lanes", sa.Column("away_since", UTCDateTime(), nullable=True))
    op.add_column("lanes", sa.Column("suspect", AutoString(), nullable=True))
    op.add_column("lanes", sa.Column("served", sa.Integer(), server_default="0", nullable=False))
    if op.get_context().dialect.name == "sqlite":  # elsewhere no id is ever given again
        with op.batch_alter_table(
            "conversations", recreate="always", table_kwargs={"sqlite_autoincrement": True}
        ):
            pass  # SQLite takes that only when a table is made
    for name, (columns, where) in _PARTIAL.items():
        condition = sa.text(where)
        op.create_index(name, "deliveries", columns, sqlite_where=condition, postgresql_where=condition)
    for name, columns in _WHOLE.items():
        op.create_index(name, "deliveries", columns)
