"""Alembic's environment: runs on the connection that `collector.database.migrate` opened."""

from alembic import context

from collector.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
