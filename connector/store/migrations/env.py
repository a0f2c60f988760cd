"""Alembic's entry: runs the migrations on the connection that `opening.py` hands in.

Owns: nothing but that call.
Never does: connecting, committing, logging; the caller holds the transaction.
Tested in: tests/unit/store/test_migrations.py.
"""

from alembic import context

from connector.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
