"""What Alembic runs: our revisions, on the connection that `migrate` has opened."""

from __future__ import annotations

from alembic import context

from iotistic.store.sqlite.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
