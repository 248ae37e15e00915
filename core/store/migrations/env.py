"""Alembic's entry: runs on the connection that `core.store.schema` hands over, and on no other."""

from alembic import context

from core.store.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
