"""Indexes over some rows of a table, for SQLite and PostgreSQL.

Owns: how each of the two is told which rows.
Never does: knowing a table.
Tested in: tests/unit/test_partial_index.py.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import sqlalchemy as sa

Where: TypeAlias = sa.ColumnElement[bool] | sa.TextClause


def partial_index(name: str, *columns: Any, where: Where) -> sa.Index:
    """An index of those rows only for which `where` holds.

    The database is told when the index is made: an argument `postgresql_where` would import the
    dialect of PostgreSQL, and its drivers', at each start of a program that opens a SQLite file.
    """
    index = sa.Index(name, *columns)

    def tell(made: sa.Index, connection: sa.Connection, **_: Any) -> None:
        made.dialect_kwargs[f"{connection.dialect.name}_where"] = where

    sa.event.listen(index, "before_create", tell)
    return index
