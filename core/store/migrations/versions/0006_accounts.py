"""Workspaces may have an API key of their own."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import AutoString, UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new; a Threadline of the version before goes on working beside it."""
    op.create_table(
        "accounts",
        sa.Column("platform", AutoString(), nullable=False),
        sa.Column("workspace", AutoString(), nullable=False),
        sa.Column("sealed", AutoString(), nullable=False),
        sa.Column("lane", AutoString(), nullable=False),
        sa.Column("ending", AutoString(), nullable=False),
        sa.Column("projects", AutoString(), nullable=False),
        sa.Column("set_by", AutoString(), nullable=False),
        sa.Column("set_at", UTCDateTime(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=True),
        sa.Column("channel", sa.Integer(), nullable=True),
        sa.Column("waiting", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("platform", "workspace", name="pk_accounts"),
    )
