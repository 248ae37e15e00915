"""What came before the mention of its thread, for a moment."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import AutoString, UTCDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KEY = ("platform", "workspace", "channel", "thread", "message")


def upgrade() -> None:
    """Make the table; a Threadline of the version before goes on working beside it, and has no use for it."""
    op.create_table(
        "overtaking",
        *[sa.Column(name, AutoString(), nullable=False) for name in _KEY],
        sa.Column("event", AutoString(), nullable=False),
        sa.Column("author", AutoString(), nullable=False),
        sa.Column("content", AutoString(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("has_files", sa.Boolean(), nullable=False),
        sa.Column("objection", AutoString(), nullable=True),
        sa.Column("project", AutoString(), nullable=True),
        sa.Column("receipt", AutoString(), nullable=False),
        sa.Column("edited_at", UTCDateTime(), nullable=True),
        sa.Column("kept_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, name="pk_overtaking"),
    )
    op.create_index("ix_overtaking_kept_at", "overtaking", ["kept_at"])
