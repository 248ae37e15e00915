"""The first tables: threads, turns, the queue, lanes and links."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import AutoString, UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # where 32 bits are all that Integer has


def _partial(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(
        name, "deliveries", columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "conversations",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("platform", AutoString(), nullable=False),
        sa.Column("workspace", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("thread", AutoString(), nullable=False),
        sa.Column("project", AutoString(), nullable=True),
        sa.Column("told_trimmed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
        sa.UniqueConstraint(
            "platform",
            "workspace",
            "channel",
            "thread",
            name="uq_conversations_platform_workspace_channel_thread",
        ),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("conversation_id", _NUMBER, nullable=False),
        sa.Column("platform", AutoString(), nullable=False),
        sa.Column("workspace", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("thread", AutoString(), nullable=False),
        sa.Column("event", AutoString(), nullable=False),
        sa.Column("message", AutoString(), nullable=False),
        sa.Column("project", AutoString(), nullable=True),
        sa.Column("author", AutoString(), nullable=False),
        sa.Column("lane", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("accepted_at", UTCDateTime(), nullable=False),
        sa.Column("ready_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("paused_before", sa.Float(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("maybe_charged", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("has_files", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("doubtful", sa.Boolean(), nullable=False),
        sa.Column("notice", AutoString(), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("settled_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint(
            "platform",
            "workspace",
            "channel",
            "message",
            name="uq_deliveries_platform_workspace_channel_message",
        ),
        sa.UniqueConstraint("platform", "workspace", "event", name="uq_deliveries_platform_workspace_event"),
    )
    _partial(
        "ix_deliveries_due",
        ["lane", "due_at", "id"],
        "state IN ('accepted', 'answered', 'unlinked') AND lease_until IS NULL",
    )
    _partial("ix_deliveries_leased", ["lane", "lease_until"], "lease_until IS NOT NULL")
    op.create_index("ix_deliveries_recent", "deliveries", ["conversation_id", "accepted_at"], unique=False)
    _partial("ix_deliveries_unlinked", ["platform", "workspace", "channel"], "state = 'unlinked'")
    _partial("ix_deliveries_waiting", ["conversation_id", "asked_at", "id"], "state = 'waiting'")
    _partial(
        "uq_deliveries_head",
        ["conversation_id"],
        "state IN ('accepted', 'asking', 'answered', 'posting')",
        unique=True,
    )

    op.create_table(
        "lanes",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("paused_since", UTCDateTime(), nullable=True),
        sa.Column("paused_until", UTCDateTime(), nullable=True),
        sa.Column("paused_before", sa.Float(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lanes"),
    )
    op.create_table(
        "links",
        sa.Column("platform", AutoString(), nullable=False),
        sa.Column("workspace", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("project", AutoString(), nullable=False),
        sa.Column("linked_by", AutoString(), nullable=False),
        sa.Column("linked_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "workspace", "channel", name="pk_links"),
    )
    op.create_table(
        "parts",
        sa.Column("delivery_id", AutoString(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", AutoString(), nullable=False),
        sa.Column("posted", AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="pk_parts"),
    )
    op.create_table(
        "turns",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("conversation_id", _NUMBER, nullable=False),
        sa.Column("delivery_id", AutoString(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("role", AutoString(), nullable=False),
        sa.Column("author", AutoString(), nullable=True),
        sa.Column("content", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
    )
    op.create_index(
        "ix_turns_conversation_id_asked_at_delivery_id_id",
        "turns",
        ["conversation_id", "asked_at", "delivery_id", "id"],
        unique=False,
    )
