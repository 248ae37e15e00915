"""When a question was last edited, for whichever process is told of its next edit."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column; a Threadline of the version before goes on working beside it."""
    op.add_column("deliveries", sa.Column("edited_at", UTCDateTime(), nullable=True))
