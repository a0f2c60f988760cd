"""Versions of the state schema, run by `connector.store.opening` through alembic."""
