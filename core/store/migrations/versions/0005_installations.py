"""Workspaces that have installed the app, when some removed it, and what counts once and was used."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import AutoString, UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, AutoString(), nullable=False)


def upgrade() -> None:
    """Add what is new; a Threadline of the version before goes on working beside it."""
    op.create_table(
        "installations",
        *map(_text, ("platform", "workspace", "organisation", "name", "bot_id", "bot_user", "token")),
        _text("installed_by"),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "workspace", name="pk_installations"),
    )
    op.create_table(
        "departures",
        *map(_text, ("platform", "workspace")),
        sa.Column("left_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "workspace", name="pk_departures"),
    )
    op.create_table(
        "spent",
        _text("once"),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("once", name="pk_spent"),
    )
