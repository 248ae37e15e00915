"""Receipts of questions, answers kept for their askers, channels that answer whatever begins a thread."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import AutoString

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new; a Threadline of the version before goes on working beside it."""
    op.add_column("deliveries", sa.Column("receipt", AutoString(), server_default="", nullable=False))
    op.add_column("links", sa.Column("answers_all", sa.Boolean(), server_default=sa.false(), nullable=False))
    kept = sa.text("state = 'kept'")
    op.create_index(
        "ix_deliveries_kept",
        "deliveries",
        ["platform", "author", "asked_at", "id"],
        sqlite_where=kept,
        postgresql_where=kept,
    )
